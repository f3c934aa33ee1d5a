"""Locks: one holder; a file system whose locks keep nobody out is found out."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rolldeck import locks
from rolldeck.errors import BusyError, StorageError
from rolldeck.process import ProcessId


@pytest.fixture
def lying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every lock be granted."""
    monkeypatch.setattr(locks, "try_lock", lambda fd: True)


def test_locks_hold_here(tmp_path: Path) -> None:
    """Free or held, the answer is the same."""
    path = tmp_path / "lock"
    assert locks.locks_hold(path)
    with locks.locked(path):
        assert locks.locks_hold(path)
    assert not Path(f"{path}.held").exists()


def test_a_lock_that_is_always_granted_is_found_out(tmp_path: Path, lying: None) -> None:
    """The second descriptor should have been refused."""
    assert not locks.locks_hold(tmp_path / "lock")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_no_locks_at_all_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Some file systems say so."""

    def refuse(fd: int) -> bool:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks, "try_lock", refuse)
    assert not locks.locks_hold(tmp_path / "lock")


def test_any_other_failure_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails says nothing of its locks."""

    def fail(fd: int) -> bool:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(locks, "try_lock", fail)
    with pytest.raises(StorageError):
        locks.locks_hold(tmp_path / "lock")


def test_a_name_stands_in_for_a_lock(tmp_path: Path, lying: None) -> None:
    """One at a time, and busy for the others."""
    path = tmp_path / "lock"
    with locks.locked(path):
        with pytest.raises(BusyError, match="Another process") as caught, locks.locked(path, 0.05):
            pass
        assert str(path) in (caught.value.hint or "")
    with locks.locked(path, timeout=0.05):
        pass
    assert [item.name for item in tmp_path.iterdir() if item.name != "home"] == ["lock"]


def test_many_threads_count_right_under_it(tmp_path: Path, lying: None) -> None:
    """No addition is lost."""
    counter = tmp_path / "counter"
    counter.write_text("0")

    def add() -> None:
        for _ in range(20):
            with locks.locked(tmp_path / "lock"):
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "80"


def test_a_name_of_a_dead_process_is_cleared(tmp_path: Path, lying: None) -> None:
    """A kill inside does not lock the library for ever."""
    program = (
        "import os, sys; from pathlib import Path; from rolldeck import locks\n"
        "locks.try_lock = lambda fd: True\n"
        "with locks.locked(Path(sys.argv[1])): os._exit(0)"
    )
    path = tmp_path / "lock"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    assert os.readlink(f"{path}.held")
    with locks.locked(path, timeout=1):
        assert json.loads(os.readlink(f"{path}.held"))["pid"] == os.getpid()


@pytest.mark.parametrize(
    "target", ["garbage", json.dumps(ProcessId(1, 1, "b", "s", "h").to_json())]
)
def test_a_name_of_nobody_that_is_seen_stays(tmp_path: Path, lying: None, target: str) -> None:
    """Another machine may hold it: a person decides, and is told what to remove."""
    path = tmp_path / "lock"
    Path(f"{path}.held").symlink_to(target)
    with pytest.raises(BusyError) as caught, locks.locked(path, timeout=0.05):
        pass
    assert f"rm {path}.held*" in (caught.value.hint or "")
