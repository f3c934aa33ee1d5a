"""Leases: alive as long as their process, whatever the clock says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rolldeck import fsops, locks
from rolldeck.errors import BusyError
from rolldeck.oci import digest_of
from rolldeck.store import Library
from rolldeck.store.lease import FOREIGN_SECONDS, Lease, read_leases, write_lease

DIGEST = digest_of(b"needed")
YEAR = 365 * 24 * 3600.0

HOLDER = """
import sys
from pathlib import Path
from rolldeck.store import Library
Library(Path(sys.argv[1])).lease("pull", "x:v1", [sys.argv[2]])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    made = Library(tmp_path / "library")
    made.prepare()
    return made


def only(library: Library, now: float | None = None) -> Lease:
    """The one lease that there is."""
    (lease,) = read_leases(library.leases, now)
    return lease


def changed(path: Path, **process: Any) -> None:
    """Let a lease be of another process."""
    document = json.loads(path.read_bytes())
    document["process"].update(process)
    path.write_text(json.dumps(document))


def test_a_lease_tells_what_is_needed_and_by_whom(library: Library) -> None:
    """People read the text; the digests are what counts."""
    path = library.lease("pull", "x:v1", [DIGEST])
    assert only(library) == Lease(
        path, f"pull of x:v1, process {os.getpid()}", frozenset({DIGEST}), dead=False
    )
    fsops.unlink(path)
    assert read_leases(library.leases) == []


@pytest.mark.parametrize("shift", [-YEAR, YEAR])
def test_the_clock_does_not_matter(library: Library, shift: float) -> None:
    """A machine without a clock neither loses a lease nor keeps one."""
    library.lease("pull", "x:v1", [DIGEST])
    assert not only(library, time.time() + shift).dead


def test_a_lease_ends_with_its_process(library: Library) -> None:
    """Also while the killed process waits to be reaped; the next operation sweeps it."""
    command = [sys.executable, "-c", HOLDER, str(library.root), DIGEST]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert not only(library).dead
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert only(library).dead
    assert only(library).dead
    own = library.lease("pull", "x:v2", [DIGEST])
    assert only(library).path == own


def test_a_process_id_that_was_given_again_is_another_process(library: Library) -> None:
    """The time of its start tells."""
    changed(library.lease("pull", "x:v1", [DIGEST]), started=1)
    assert only(library).dead


def test_a_boot_ends_all(library: Library) -> None:
    """The same host with another boot runs none of its former processes."""
    changed(library.lease("pull", "x:v1", [DIGEST]), boot="another")
    assert only(library).dead


@pytest.mark.parametrize(
    "process", [{"boot": "another", "host": "elsewhere"}, {"space": "pid:[1]", "pid": 1}]
)
def test_what_cannot_be_seen_counts_for_a_day(library: Library, process: dict[str, Any]) -> None:
    """Another machine, and another container of this one."""
    path = library.lease("pull", "x:v1", [DIGEST])
    changed(path, **process)
    came = path.stat().st_mtime
    assert not only(library, came + FOREIGN_SECONDS - 1).dead
    assert only(library, came + FOREIGN_SECONDS + 1).dead
    assert not only(library, came - YEAR).dead


def test_an_empty_lease_is_of_one_killed_at_its_start(library: Library) -> None:
    """It was made under the lock, so nobody writes it now."""
    (library.leases / "1-a.json").touch()
    assert only(library).dead


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"process": 5}', '{"process": {}, "digests": []}', "[" * 100_000, "null"],
)
def test_a_lease_that_cannot_be_read_keeps_everything_for_a_day(
    library: Library, content: str
) -> None:
    """Perhaps a newer rolldeck knows what it says."""
    path = library.leases / "1-a.json"
    path.write_text(content)
    found = only(library)
    assert (found.digests, found.dead) == (None, False)
    assert only(library, path.stat().st_mtime + FOREIGN_SECONDS + 1).dead


def test_digests_of_a_lease_are_checked(library: Library) -> None:
    """They will be names of files."""
    path = library.lease("pull", "x:v1", [DIGEST])
    document = json.loads(path.read_bytes())
    document["digests"] = ["sha256:../../etc/passwd"]
    path.write_text(json.dumps(document))
    assert only(library).digests is None


def test_a_lease_costs_no_sync(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """One small file: it need not survive a power cut."""
    called = []
    monkeypatch.setattr(fsops, "fsync", lambda fd: called.append(fd))
    monkeypatch.setattr(fsops, "fsync_directory", lambda path: called.append(path))
    fsops.unlink(library.lease("pull", "x:v1", [DIGEST]))
    assert called == []


def test_a_lease_is_made_under_the_lock(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever collects garbage has looked at all leases, or this one comes after."""
    held = []

    def write(*given: Any) -> Path:
        with pytest.raises(BusyError), locks.locked(library.root / "lock", timeout=0):
            pass
        held.append(given)
        return write_lease(*given)

    monkeypatch.setattr("rolldeck.store.library.write_lease", write)
    library.lease("pull", "x:v1", [DIGEST])
    assert len(held) == 1
