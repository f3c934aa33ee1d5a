"""The directory that a version goes to, held against what would be put there.

Every name is looked up relative to an open directory, one component at a time, without following
links: what is asked about lies below that very directory, whatever is renamed meanwhile.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple

from rolldeck import fsops
from rolldeck.errors import UsageError
from rolldeck.kit.tree import TreeEntry
from rolldeck.progress import Progress

Standing = Literal["new", "identical", "changed", "in the way"]
"""How a file of a version stands to what is there: nothing, the same bytes, other bytes, or
something that is no file (for a directory of the version: no directory)."""

Parts = tuple[str, ...]
Identity = tuple[int, int, int, int, int]
"""Device, inode, size and times of modification and change: what is there is still that."""

SAME_SIZE = "of the same size; compared once it is fetched"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1024 * 1024
_BLOCKERS = {stat.S_IFLNK: "a link", stat.S_IFREG: "a file"}


class Found(NamedTuple):
    """How a file or directory of a version stands to what is there; ``there`` says what that is.

    ``clearable`` is False where what is in the way is, or holds, a file that is not the version's.
    ``identity`` is None where nothing is there.
    """

    entry: TreeEntry
    standing: Standing
    there: str = ""
    clearable: bool = True
    identity: Identity | None = None


class Destination:
    """An open directory, or one that does not exist yet; a context manager.

    Raises UsageError for a link and for what is no directory.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._root = -1
        self._last: tuple[Parts, int] | None = None
        if path is None:
            return
        try:
            self._root = os.open(path, _DIRECTORY)
        except OSError as error:
            if path.is_dir() and not path.is_symlink():
                raise fsops.storage_error(error, path) from error
            raise UsageError(
                f"{path} is not a directory",
                reference=str(path),
                hint="Name a directory, not a link to one.",
            ) from None

    def __enter__(self) -> Destination:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._forget()
        if self._root >= 0:
            os.close(self._root)

    def _forget(self) -> None:
        if self._last is not None:
            os.close(self._last[1])
            self._last = None

    def parent(self, parts: Parts) -> int | None:
        """Open a directory below, valid until the next call; None where there is none."""
        if self._root < 0:
            return None
        if not parts:
            return self._root
        if self._last is not None and self._last[0] == parts:
            return self._last[1]
        descriptor = os.dup(self._root)
        for part in parts:
            try:
                below = os.open(part, _DIRECTORY, dir_fd=descriptor)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno in (errno.ENOTDIR, errno.ELOOP):
                    return None
                raise
            finally:
                os.close(descriptor)
            descriptor = below
        self._forget()
        self._last = (parts, descriptor)
        return descriptor

    def judge(self, entry: TreeEntry, is_same: Callable[[int], bool | None]) -> Found:
        """Say how an entry stands to what is there.

        ``is_same`` gets a file of the same size, open for reading, and says whether its bytes are
        those of the entry, None where that cannot be told.
        """
        parts = tuple(entry.path.split("/"))
        parent = self.parent(parts[:-1])
        status = None if parent is None else status_of(parts[-1], parent)
        if parent is None or status is None:
            return Found(entry, "new")
        identity = identity_of(status)
        kind = stat.S_IFMT(status.st_mode)
        if entry.type == "dir" and kind == stat.S_IFDIR:
            return Found(entry, "identical", identity=identity)
        if entry.type == "dir" or kind != stat.S_IFREG:
            return _in_the_way(entry, kind, parts[-1], parent, identity)
        if status.st_size != entry.size:
            return Found(entry, "changed", f"{status.st_size} bytes", identity=identity)
        descriptor = os.open(parts[-1], _FILE, dir_fd=parent)
        try:
            if identity_of(os.fstat(descriptor)) != identity:
                return Found(entry, "changed", "being changed", identity=identity)
            same = entry.size == 0 or is_same(descriptor)
        finally:
            os.close(descriptor)
        if same:
            return Found(entry, "identical", identity=identity)
        there = SAME_SIZE if same is None else "other content"
        return Found(entry, "changed", there, identity=identity)


def _in_the_way(entry: TreeEntry, kind: int, name: str, parent: int, identity: Identity) -> Found:
    if kind != stat.S_IFDIR:
        # A file of somebody's is not for us to remove; what takes its place has its content.
        is_file = kind == stat.S_IFREG
        there = _BLOCKERS.get(kind, "a special file")
        return Found(entry, "in the way", there, not is_file, identity)
    descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        is_empty = not os.listdir(descriptor)
    finally:
        os.close(descriptor)
    there = "an empty directory" if is_empty else "a directory with files of its own"
    return Found(entry, "in the way", there, is_empty, identity)


def status_of(name: str, directory: int) -> os.stat_result | None:
    """Return what has a name in an open directory, None for nothing; never follows a link."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def identity_of(status: os.stat_result) -> Identity:
    """Return what tells whether something is still what it was."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size if stat.S_ISREG(status.st_mode) else 0,
        status.st_mtime_ns if stat.S_ISREG(status.st_mode) else 0,
        status.st_ctime_ns if stat.S_ISREG(status.st_mode) else 0,
    )


def has_digest(descriptor: int, digest: str, progress: Progress) -> bool:
    """Whether an open file has a digest (``ALGORITHM:HEX``)."""
    algorithm, _, expected = digest.partition(":")
    running = hashlib.new(algorithm)
    for chunk in chunks_of(descriptor, progress):
        running.update(chunk)
    return running.hexdigest() == expected


def has_content(descriptor: int, chunks: Iterable[bytes | memoryview], progress: Progress) -> bool:
    """Whether an open file consists of these bytes."""
    position = 0
    for chunk in chunks:
        progress.check()
        if os.pread(descriptor, len(chunk), position) != chunk:
            return False
        position += len(chunk)
    return position == os.fstat(descriptor).st_size


def chunks_of(descriptor: int, progress: Progress) -> Iterable[memoryview]:
    """Yield an open file from its start; a view is valid until the next one is asked for."""
    buffer = memoryview(bytearray(_CHUNK))
    position = 0
    while count := os.preadv(descriptor, [buffer], position):
        progress.check()
        position += count
        yield buffer[:count]
