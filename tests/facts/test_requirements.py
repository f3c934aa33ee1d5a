"""requirements.txt: every line that names a package is read, whatever stands around it."""

from __future__ import annotations

import random
import string
import subprocess
import sys

import pytest

from rolldeck.facts.packages import version_by_name
from rolldeck.facts.readers import lists_packages
from rolldeck.facts.requirements import read, read_requirements

NASTY = r"""
# a comment
numpy==2.4.6            # trailing
Typing_Extensions == 4.16.0
scikit-learn[fast,extra]>=1.5,<2 ; python_version >= "3.9"
torch==2.5.1+cu124 \
    --hash=sha256:aaaa \
    --hash=sha256:bbbb
legacy===2004-final
-r other.txt
--requirement=../../../etc/passwd
-c constraints.txt
--index-url https://user:secret@pypi.example/simple
-e git+https://user:secret@github.com/acme/tool.git@main#egg=acme-tool
pip @ https://user:secret@files.example/pip-23.2.1-py3-none-any.whl
./wheels/local_pkg-1.2.3-py3-none-any.whl
https://example.com/remote-4.5.6-py3-none-any.whl
bare
${VARIABLE}==1
this is junk
tabbed==1.0	# comment after a tab
six==1.16.0 ; sys_platform == "linux"
six==1.15.0 ; sys_platform == "win32"
"""


def test_the_nasty_file() -> None:
    found = read_requirements(NASTY.split("\n"))
    assert version_by_name(found.packages) == {
        "numpy": "2.4.6",
        "typing-extensions": "4.16.0",
        "scikit-learn": '<2,>=1.5 if python_version >= "3.9"',
        "torch": "2.5.1+cu124",
        "legacy": "2004-final",
        "acme-tool": "@ git+https://github.com/acme/tool.git@main",
        "pip": "23.2.1",
        "local-pkg": "1.2.3",
        "remote": "4.5.6",
        "bare": "unpinned",
        "tabbed": "1.0",
        "six": '1.16.0 if sys_platform == "linux" or 1.15.0 if sys_platform == "win32"',
    }
    assert found.unread == ("${VARIABLE}==1", "this is junk")
    assert found.indexes == ("https://user:secret@pypi.example/simple",)
    assert "secret" not in repr(read("requirements.txt", NASTY.encode()))


@pytest.mark.parametrize(
    ("line", "version"),
    [
        (b"a==1.*", "==1.*"),
        (b"a~=1.4", "~=1.4"),
        (b"a==1.0,!=1.1", "!=1.1,==1.0"),
        (b"\xef\xbb\xbfa==1.0", "1.0"),
        (b"a==1.0\r\n", "1.0"),
        (b"a==1.0 --no-binary :all:", "1.0"),
        (b"a == 1.0 # x", "1.0"),
        (b"a==1!2.0", "1!2.0"),
    ],
)
def test_single_lines(line: bytes, version: str) -> None:
    (package,) = read("requirements.txt", line).packages
    assert (package.name, package.value) == ("a", version)


def test_pins_are_read_without_loading_packaging() -> None:
    program = (
        "import sys; from rolldeck.facts.requirements import read\n"
        "assert len(read('r.txt', b'a==1\\nb==2.0rc1\\n').packages) == 2\n"
        "print('packaging' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"False"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("requirements.txt", True),
        ("src/requirements-gpu.txt", True),
        ("requirements/base.txt", True),
        ("requirements.in", False),
        ("notes.txt", False),
        ("my-requirements.txt.bak", False),
        ("model/requirements.TXT", True),
    ],
)
def test_which_files_are_requirements(path: str, expected: bool) -> None:
    assert lists_packages(path) is expected


def test_random_bytes_never_raise() -> None:
    randomness = random.Random(7)
    alphabet = string.ascii_letters + string.digits + "=<>~![](){};:@#/\\-_. \t\n\"'$&+*\x00é\u202e"
    for _ in range(1500):
        content = "".join(randomness.choices(alphabet, k=randomness.randint(0, 120)))
        read("requirements.txt", content.encode())
        read("requirements.txt", randomness.randbytes(60))


def test_a_long_file_without_line_ends_is_cut() -> None:
    found = read("requirements.txt", b"a" * 1_000_000)
    assert [len(item.name) for item in found.packages] == [250]
    assert len(read("requirements.txt", b"x \\\n" * 100_000).packages) <= 1
