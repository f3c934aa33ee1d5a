"""Wrong clocks, other containers, modest file systems, and versions that rotted."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rolldeck import fsops, half_made
from tests.faults.operations import World

YEAR = 365 * 86400

NO_DIRECTORY_SYNC = """
import errno, os, stat
fsync = os.fsync
def refuse(fd):
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        raise OSError(errno.EINVAL, "no fsync of directories")
    fsync(fd)
os.fsync = refuse
"""

NO_LOCKS_OF_DIRECTORIES = """
import errno, fcntl, os, stat
flock = fcntl.flock
def refuse(fd, how):
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        raise OSError(errno.EBADF, "a lock needs the right to write")
    flock(fd, how)
fcntl.flock = refuse
"""

OTHER_CLOCK = """
import time
now = time.time
time.time = lambda: now() + {}
"""


@pytest.mark.parametrize("script", [NO_DIRECTORY_SYNC, NO_LOCKS_OF_DIRECTORIES])
def test_a_file_system_that_cannot(world: World, script: str) -> None:
    """Some network file systems refuse what local ones can; everything works all the same."""
    for words in (
        ["pull", world.version("v1")],
        ["unpack", world.local("v1"), "-d", world.out],
        ["pin", world.local("v1"), world.target.path, "--yes"],
    ):
        ran = world.run(*words, script=script)
        assert ran.code == 0, ran
    assert world.problems() == []


@pytest.mark.parametrize("years", [-1, 1])
def test_a_clock_that_is_wrong(world: World, years: int) -> None:
    """A year back or ahead: everything works, and the way back is by number, not by time."""
    world.must("pull", world.version("v1"))
    world.must("pin", world.local("v1"), world.target.path, "--yes")
    before = world.target.current()
    for words in (
        ["pull", world.version("v2")],
        ["pin", world.local("v2"), world.target.path, "--yes"],
        ["rollback", world.target.path, "--yes"],
    ):
        ran = world.run(*words, script=OTHER_CLOCK.format(years * YEAR))
        assert ran.code == 0, ran
    assert world.target.current() == before
    assert world.problems() == []


def test_what_is_in_use_is_never_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a clock that is a year ahead, nor from where our process has no number."""
    where = tmp_path / "shared"
    where.mkdir()
    fd, file = half_made.create_temporary(where)
    place, directory = half_made.make_temporary_directory(where)
    foreign = [
        path.rename(str(path).replace(f"-{os.getpid()}-", "-999999999-"))
        for path in (file, directory)
    ]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + YEAR)
    assert half_made.sweep(where) == 0
    assert all(path.exists() for path in foreign)
    os.close(fd)
    os.close(place)
    assert half_made.sweep(where) == 2
    assert list(where.iterdir()) == []


@pytest.mark.parametrize("damage", ["flipped", "missing"])
def test_a_version_that_rotted_is_never_made_current(world: World, damage: str) -> None:
    """Neither by a pin nor by a rollback: what is current stays, and the blob is named."""
    for tag in ("v1", "v2"):
        world.must("pull", world.version(tag))
        world.must("pin", world.local(tag), world.target.path, "--yes")
    before = world.target.current()
    older = next(digest for digest in world.target.unpacked() if digest != before)
    fsops.remove_tree(world.target.directory(older))
    shared = {path.name for path in (world.library / "blobs" / "sha256").iterdir()}
    largest = sorted(
        (world.library / "blobs" / "sha256" / name for name in shared),
        key=lambda path: path.stat().st_size,
    )[-2:]
    for path in largest:
        if damage == "missing":
            path.unlink()
        else:
            data = bytearray(path.read_bytes())
            data[-2000] ^= 1
            path.chmod(0o644)
            path.write_bytes(data)
    for words in (
        ["rollback", world.target.path, "--yes"],
        ["pin", world.local("v1"), world.target.path, "--yes"],
    ):
        ran = world.run(*words)
        assert ran.code == 6, ran
        assert "sha256:" in ran.err
        assert world.target.current() == before
        assert world.temporaries() == []
