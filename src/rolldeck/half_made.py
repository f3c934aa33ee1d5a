"""What is not complete yet: made under a temporary name, and swept once nobody is at it.

The name tells which process made it, and a lock that it is at it still: what a killed process left
is found and removed by the next one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rolldeck import fsops, locks
from rolldeck.errors import StorageError
from rolldeck.process import surroundings

TEMPORARY_PREFIX = ".rolldeck-tmp-"
"""Names of everything half-written begin with this, so that a later start can sweep them."""


def temporary_name(directory: Path) -> Path:
    """Return a fresh name inside ``directory`` for something not yet complete."""
    owner = f"{os.getpid()}-{surroundings()}"
    return directory / f"{TEMPORARY_PREFIX}{owner}-{os.urandom(6).hex()}"


def create_temporary(directory: Path, mode: int = 0o644) -> tuple[int, Path]:
    """Create a file under a temporary name; nobody sweeps it while its descriptor is open."""
    while True:
        path = temporary_name(directory)
        fd = fsops.create(path, mode)
        if _hold(fd):
            return fd, path
        os.close(fd)


def make_temporary_directory(directory: Path) -> tuple[int, Path]:
    """As ``create_temporary``, a directory that only its owner can enter."""
    while True:
        path = temporary_name(directory)
        fsops.make_directory(path, 0o700)
        fd = fsops.open_directory(path)
        if _hold(fd):
            return fd, path
        os.close(fd)


def _hold(fd: int) -> bool:
    """Lock what is half-made, which tells every process that it is; False where a sweep has it."""
    # Where directories cannot be locked, the number of the process in the name has to do.
    with suppress(OSError):
        if not locks.try_lock(fd):
            return False
    return os.fstat(fd).st_nlink > 0


def set_aside(path: Path, directory: Path) -> Path:
    """Take a file away from its name, to be removed later; returns its temporary name.

    Not durable until the directory it was in is synced.
    """
    aside = temporary_name(directory)
    fsops.rename(path, aside)
    return aside


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace the content of ``path``: readers see the old bytes or the new, never a part."""
    with fsops.storage(path):
        fd, temporary = create_temporary(path.parent, mode)
        try:
            fsops.write(fd, data)
            fsops.fsync(fd)
            fsops.replace(temporary, path)
        except BaseException:
            fsops.unlink(temporary)
            raise
        finally:
            os.close(fd)


def switch_link(link: Path, target: str) -> None:
    """Point a symbolic link at ``target``: readers see the old or the new, never none."""
    with fsops.storage(link):
        temporary = temporary_name(link.parent)
        try:
            while not fsops.make_link(temporary, target):
                temporary = temporary_name(link.parent)
            fsops.replace(temporary, link)
        except BaseException:
            fsops.unlink(temporary)
            raise


def abandoned(directory: Path, older_than: float = 3600.0) -> list[Path]:
    """Return what killed processes left half-made, or nobody touched for that many seconds.

    A process of another machine or container cannot be seen: of what it made only the age counts.
    What a process has locked is in use, whatever its name and the clock say.
    """
    found = []
    with fsops.storage(directory):
        for entry in os.scandir(directory) if directory.is_dir() else ():
            if not entry.name.startswith(TEMPORARY_PREFIX):
                continue
            owner, *place = entry.name.removeprefix(TEMPORARY_PREFIX).split("-")[:-1]
            ended = owner.isdigit() and not Path("/proc", owner).exists()
            with suppress(OSError):
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if (ended and place in ([], [surroundings()])) or age > older_than:
                    found.append(Path(entry.path))
    return [path for path in found if not _in_use(path)]


def _in_use(path: Path) -> bool:
    try:
        return not path.is_symlink() and not _try(path, lambda: None)
    except OSError:
        return False


def _try(path: Path, work: Callable[[], None]) -> bool:
    """Do ``work`` while nobody else can have ``path`` locked; False where somebody has."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        free = locks.try_lock(fd)
        if free:
            work()
        return free
    finally:
        os.close(fd)


def sweep(directory: Path, older_than: float = 3600.0) -> int:
    """Remove what ``abandoned`` finds, as far as that is possible; returns how many names."""
    removed = 0
    # What belongs to another user is no reason to fail.
    with suppress(StorageError):
        for path in abandoned(directory, older_than):
            with suppress(OSError):
                removed += remove_abandoned(path)
    return removed


def remove_abandoned(path: Path) -> bool:
    """Remove one of them; False where somebody uses it meanwhile."""
    if path.is_symlink():
        fsops.unlink(path)
        return True
    return _try(path, lambda: fsops.remove_tree(path) if path.is_dir() else fsops.unlink(path))
