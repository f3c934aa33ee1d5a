"""Locks on files, and what is done where a file system's locks keep nobody out."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rolldeck import fsops
from rolldeck.errors import BusyError
from rolldeck.name_lock import name_lock

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What a file system without locks answers."""


def try_lock(fd: int) -> bool:
    """Lock an open file until its descriptor is closed; False where another descriptor holds it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def locks_hold(path: Path) -> bool:
    """Whether a lock on ``path``, a file or directory, keeps others out; not on all file systems.

    Two descriptors of one file tell: the second must be refused.
    """
    with fsops.storage(path), ExitStack() as opened:
        first, second = (_open_lock(path, opened) for _ in range(2))
        try:
            return not (try_lock(first) and try_lock(second))
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return False
            raise


def _open_lock(path: Path, opened: ExitStack) -> int:
    directory = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    fd = os.open(path, directory) if path.is_dir() else fsops.open_lockable(path)
    opened.callback(os.close, fd)
    return fd


@contextmanager
def locked(path: Path, timeout: float = 10.0) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` for the block; BusyError after ``timeout`` seconds.

    Where the file system's locks keep nobody out, a name that only one can make is held instead.
    """
    if not locks_hold(path):
        with name_lock(path, timeout):
            yield
        return
    with ExitStack() as opened:
        with fsops.storage(path):
            fd = _open_lock(path, opened)
            deadline = time.monotonic() + timeout
            while not try_lock(fd):
                if time.monotonic() > deadline:
                    raise BusyError(
                        f"Another process is changing {path.parent}",
                        reference=str(path.parent),
                        hint="Wait for it to finish and run the same command again.",
                    )
                time.sleep(0.02)
        yield
