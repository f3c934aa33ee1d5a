"""Would this lock install here? Told from the names of its files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
from packaging.markers import Environment
from packaging.pylock import PackageWheel, Pylock

from rolldeck.facts import Facts
from rolldeck.fit import Finding, judge
from rolldeck.fit.install import _accepts, install_findings
from rolldeck.fit.locked import find_lock
from rolldeck.fit.wheel_tags import wheel_tags
from tests.fit.readings import a_host

FILES = Path(__file__).parent.parent / "facts" / "files"

UV = """
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "fraud"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "numpy" },
    { name = "pywin32", marker = "sys_platform == 'win32'" },
    { name = "httpx", extra = ["http2"] },
]

[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "numpy"
version = "2.3.5"
source = { registry = "https://pypi.org/simple" }
wheels = [
    { url = "https://files.example/numpy-2.3.5-cp311-cp311-manylinux_2_28_x86_64.whl" },
    { url = "https://files.example/numpy-2.3.5-cp313-cp313-macosx_14_0_arm64.whl" },
]

[[package]]
name = "pywin32"
version = "311"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.example/pywin32-311-cp311-cp311-win_amd64.whl" }]

[[package]]
name = "httpx"
version = "0.28.1"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.example/httpx-0.28.1-py3-none-any.whl" }]

[package.optional-dependencies]
http2 = [{ name = "h2" }]

[[package]]
name = "h2"
version = "4.1.0"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files.example/h2-4.1.0.tar.gz" }

[[package]]
name = "pytest"
version = "9.0.0"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.example/pytest-9.0.0-cp999-none-any.whl" }]
"""

PYLOCK = """
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.11"

[[packages]]
name = "numpy"
version = "2.3.5"
wheels = [{ name = "numpy-2.3.5-cp311-cp311-manylinux_2_27_x86_64.whl", hashes = {} }]

[[packages]]
name = "colorama"
version = "0.4.6"
marker = "sys_platform == 'win32'"
wheels = [{ url = "https://files.example/colorama-0.4.6-cp27-none-win32.whl", hashes = {} }]

[[packages]]
name = "black"
version = "24.1.0"
marker = "'dev' in dependency_groups"
wheels = [{ url = "https://files.example/black-24.1.0-cp27-none-win32.whl", hashes = {} }]

[[packages]]
name = "ours"
vcs = { type = "git", url = "https://git.example/ours", commit-id = "abc" }
"""

POETRY = """
[[package]]
name = "numpy"
version = "2.3.5"
groups = ["main"]
optional = false
files = [
    {file = "numpy-2.3.5-cp311-cp311-manylinux_2_27_x86_64.whl", hash = "sha256:00"},
]

[[package]]
name = "pytest"
version = "9.0.0"
groups = ["dev"]
files = [{file = "pytest-9.0.0-cp999-none-any.whl", hash = "sha256:00"}]

[metadata]
lock-version = "2.1"
python-versions = ">=3.11,<3.13"
"""


def findings(files: Mapping[str, str], host: str) -> dict[str, Finding]:
    """Return what is found of locks on a recorded host, by what it is about."""
    python = a_host(host).python
    assert python is not None
    found = install_findings({path: text.encode() for path, text in files.items()}, python)
    return {item.what: item for item in found}


def test_a_lock_of_uv_where_it_installs() -> None:
    """Dependencies are followed with their markers and extras; groups are not installed."""
    found = findings({"src/uv.lock": UV}, "no-gpu")
    assert set(found) == {"packages"}
    item = found["packages"]
    assert item.severity == "warn"
    assert item.text == "packages of src/uv.lock must be built from sources here: 1 (h2)"


@pytest.mark.parametrize("host", ["musl", "linux-arm64"])
@pytest.mark.parametrize(
    ("path", "text"), [("uv.lock", UV), ("pylock.toml", PYLOCK), ("poetry.lock", POETRY)]
)
def test_no_wheel_for_this_machine_blocks(path: str, text: str, host: str) -> None:
    """Neither musl nor ARM has one, and there are no sources."""
    item = findings({path: text}, host)["numpy"]
    assert item.severity == "blocker"
    assert item.text.startswith(f"numpy 2.3.5 has no wheel in {path} for cp31")


@pytest.mark.parametrize(("path", "text"), [("pylock.toml", PYLOCK), ("poetry.lock", POETRY)])
def test_other_locks_where_they_install(path: str, text: str) -> None:
    """Markers, groups and sources as each format has them."""
    found = findings({path: text}, "no-gpu")
    built = {"pylock.toml": {"packages"}, "poetry.lock": set()}[path]
    assert set(found) == built


def test_a_long_address_is_not_cut_off() -> None:
    """Nor does what follows a name in it matter."""
    long = "https://files.example/" + "a/" * 2000
    text = UV.replace("https://files.example/", long).replace('_64.whl"', '_64.whl?x=1#sha256=00"')
    assert "numpy" not in findings({"uv.lock": text}, "no-gpu")


def test_the_wheel_for_a_mac_is_found() -> None:
    """Another interpreter, another file."""
    assert "numpy" not in findings({"uv.lock": UV}, "macos-arm64")


@pytest.mark.parametrize("host", ["no-gpu", "musl", "macos-arm64", "linux-arm64"])
def test_a_real_pylock_selects_what_packaging_selects(host: str) -> None:
    """The same packages, each from a wheel where packaging finds one."""
    data = (FILES / "pylock.toml").read_bytes()
    python = a_host(host).python
    assert python is not None
    lock = find_lock({"pylock.toml": data}, python.markers)
    assert lock is not None
    tags = wheel_tags(python)
    chosen = list(
        Pylock.from_dict(tomllib.loads(data.decode())).select(
            environment=cast("Environment", dict(python.markers)), tags=list(tags)
        )
    )
    assert {item.name for item in lock.packages} == {str(item.name) for item, _ in chosen}
    from_wheel = {str(item.name) for item, file in chosen if isinstance(file, PackageWheel)}
    missing = {
        item.name for item in lock.packages if not any(_accepts(w, tags) for w in item.wheels)
    }
    assert missing == {item.name for item in lock.packages} - from_wheel


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock"])
def test_real_locks_are_followed_without_groups_and_other_systems(name: str) -> None:
    """uv and Poetry, of one project; its development group and Windows need more."""
    python = a_host("no-gpu").python
    assert python is not None
    lock = find_lock({name: (FILES / name).read_bytes()}, python.markers)
    assert lock is not None
    assert {item.name for item in lock.packages} == {
        "cloudpickle", "joblib", "threadpoolctl", "typing-extensions",
    }  # fmt: skip
    assert all(item.wheels for item in lock.packages)


def test_a_python_out_of_range_blocks() -> None:
    """The lock was made for other ones."""
    item = findings({"poetry.lock": POETRY}, "macos-arm64")["Python"]
    assert (item.severity, item.version) == ("blocker", ">=3.11,<3.13")


def test_a_lock_made_for_installing_comes_first_and_a_broken_one_is_left_out() -> None:
    """PEP 751 before uv before Poetry."""
    assert "pylock.toml" in findings({"uv.lock": UV, "pylock.toml": PYLOCK}, "musl")["numpy"].text
    broken = {"pylock.toml": "not [toml", "uv.lock": UV}
    assert "uv.lock" in findings(broken, "musl")["numpy"].text


def test_what_is_installed_in_the_locked_version_needs_no_wheel() -> None:
    """It came from somewhere."""
    lock = POETRY.replace("2.3.5", "2.1.0")
    assert findings({"poetry.lock": lock}, "macos-arm64").keys() == {"Python"}


def test_a_lock_alone_is_enough_to_judge() -> None:
    """A version that names no packages elsewhere."""
    fit = judge(Facts(), a_host("no-gpu"), {"uv.lock": UV.encode()})
    assert fit.fits is True
    assert judge(Facts(), a_host("musl"), {"uv.lock": UV.encode()}).fits is False


@pytest.mark.parametrize(
    "text",
    [
        '[[package]]\nname = 5\nwheels = "x"\n',
        '[[package]]\nname = "a"\nwheels = [{ url = 3 }, 4, { url = "a-1-py3.whl" }]\n',
        '[[package]]\nname = "a"\nresolution-markers = ["((("]\ndependencies = [1]\n',
        '[[packages]]\nname = "a"\nmarker = "extra == "\nwheels = 3\n',
        'default-groups = [[1]]\n[[packages]]\nname = "\\u001b[31m"\nmarker = "\'x\' in extras"\n',
    ],
)
def test_hostile_locks_raise_nothing_and_stay_clean(text: str) -> None:
    """What is no package of a known form is left out or must be built."""
    for path in ("uv.lock", "pylock.toml", "poetry.lock"):
        for item in findings({path: text}, "no-gpu").values():
            assert "\x1b" not in item.text


def _bomb() -> str:
    entries = "".join(f'[[package]]\nname = "a"\nversion = "{number}"\n' for number in range(5000))
    needs = ", ".join(['{ name = "a" }'] * 5000)
    project = f'[[package]]\nname = "p"\nsource = {{ virtual = "." }}\ndependencies = [{needs}]\n'
    return project + entries


def test_a_lock_whose_steps_multiply_is_not_followed() -> None:
    """Twenty-five million steps from one megabyte: nothing is told of it."""
    python = a_host("no-gpu").python
    assert python is not None
    assert find_lock({"uv.lock": _bomb().encode()}, python.markers) is None


def test_a_wheel_that_stands_for_many_tags_ends_soon() -> None:
    """Its three sets multiply; the reader takes no names with more dots than these."""
    many = ".".join("abcdefghij")
    wheel = f"numpy-2.3.5-{many}-{many}-{many}.whl"
    text = f'[[package]]\nname = "numpy"\nversion = "2.3.5"\nfiles = [{{ file = "{wheel}" }}]\n'
    assert "has no wheel" in findings({"poetry.lock": text}, "no-gpu")["numpy"].text
    assert findings({"poetry.lock": text.replace(many, many * 3)}, "no-gpu") == {}


def test_a_marker_of_brackets_alone_is_not_read() -> None:
    """The parser would go as deep."""
    deep = f'[[package]]\nname = "b"\nmarkers = "{"(" * 50_000}"\n'
    assert "packages" in findings({"poetry.lock": deep}, "no-gpu")
