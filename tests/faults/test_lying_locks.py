"""A file system whose locks are granted to everybody: nothing is shared, nothing is damaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck import locks
from rolldeck.oci import Descriptor, digest_of
from rolldeck.store import Library
from tests.faults.conftest import held
from tests.servers.registry import RunningRegistry

LYING = "import sys, rolldeck.locks as l; l.try_lock = lambda fd: True\n"
MAIN = "from rolldeck.cli import main; sys.exit(main(sys.argv[1:]))"
SHIM = "int flock(int fd, int operation) { return 0; }\n"
TAGS = ("v1.0.0", "v1.1.0", "v1.2.0", "v2.0.0")

Start = Callable[..., subprocess.Popen[str]]


def _started(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(params=["in the seam", "in the C library"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """Start the command line with locks that lie: by the one function that locks, or below it."""
    if request.param == "in the seam":
        return lambda *words: _started([sys.executable, "-c", LYING + MAIN, *map(str, words)], {})
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    source, shim = tmp_path / "shim.c", tmp_path / "shim.so"
    source.write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source], check=True)
    preload = {"LD_PRELOAD": str(shim)}
    return lambda *words: _started([sys.executable, "-m", "rolldeck", *map(str, words)], preload)


def test_several_processes_pull_the_same_versions(
    start: Start, golden_registry: RunningRegistry, tmp_path: Path
) -> None:
    """Every pull ends well and says what is wrong; no tag is lost, no blob is damaged."""
    root = tmp_path / "library"
    place = f"{golden_registry.host}/golden/wdbc"
    running = [
        start("pull", f"{place}:{TAGS[number % 4]}", "--library", root, "--json")
        for number in range(8)
    ]
    for process in running:
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        (line,) = errors.splitlines()
        assert "locks do not work" in line
        assert "locks do not work" in json.loads(out)["warning"]
    library = Library(root)
    assert {entry.tag for entry in library.entries()} == set(TAGS)
    for digest in library.blobs():
        assert digest_of(library.layout.blob_path(digest).read_bytes()) == digest
    assert list(library.scratch.iterdir()) == list(library.leases.iterdir()) == []
    checking = start("verify", "--library", root)
    out, errors = checking.communicate(timeout=60)
    assert checking.returncode == 0, out + errors


def test_each_fetches_under_a_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once, and whoever gives up leaves nothing."""
    monkeypatch.setattr(locks, "try_lock", lambda fd: True)
    library = Library(tmp_path / "library")
    blob = Descriptor("x/y", digest_of(b"data"), 4)
    first, second = library.claim(blob), library.claim(blob)
    assert first is not None
    assert second is not None
    first.write(memoryview(b"da"))
    second.write(memoryview(b"data"))
    second.commit()
    assert held(library, blob) == b"data"
    first.close()
    assert list(library.scratch.iterdir()) == []
    assert library.claim(blob) is None


def test_where_locks_hold_nothing_is_said(tmp_path: Path) -> None:
    """The usual case."""
    library = Library(tmp_path / "library")
    library.prepare()
    assert library.warning is None
