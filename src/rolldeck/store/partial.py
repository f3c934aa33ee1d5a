"""A blob on its way into the library, kept under its digest until it is whole.

The file is locked while someone fetches the blob, so the same digest is fetched once however many
processes ask; the lock ends with the process. What a killed process leaves is found by the next.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from rolldeck import fsops, locks
from rolldeck.oci import Descriptor
from rolldeck.store.journal import Journal

_JOURNAL_FROM = 64 * 1024 * 1024
"""Smaller blobs have no journal: fetching one again costs no more than a prefix would save."""


class Partial:
    """The only writer of one blob; a ``FileSink``. Close it, or the lock stays."""

    def __init__(
        self, blob: Descriptor, fd: int, path: Path, final: Path, *, lasting: bool = True
    ) -> None:
        """Take over ``fd``, open and locked, of the file ``path`` that becomes ``final``.

        Not ``lasting``, what came is gone when it is closed. Raises StorageError where the blob
        cannot fit.
        """
        self._blob = blob
        self._fd = fd
        self._path = path
        self._final = final
        self._lasting = lasting
        self._journal = Journal(path.with_name(path.name + ".journal"), blob)
        try:
            with fsops.storage(path):
                self._started_with = self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> int:
        fd, blob = self._fd, self._blob
        size = os.fstat(fd).st_size
        trusted = self._journal.trusted
        if trusted is not None and trusted < size:
            size = trusted
        fsops.truncate(fd, size)
        self._journal.forget_after(size)
        fsops.require_space(self._path.parent, blob.size - size)
        if blob.size > _JOURNAL_FROM:
            self._journal.begin()
        return size

    @property
    def offset(self) -> int:
        """How many bytes are there."""
        return os.fstat(self._fd).st_size

    @property
    def resumed(self) -> int:
        """How many bytes were there when it was opened."""
        return self._started_with

    @property
    def prefixes(self) -> Mapping[int, str]:
        """The prefixes kept so far."""
        return self._journal.prefixes

    def fileno(self) -> int:
        """A descriptor to read and write the file."""
        return self._fd

    def reserve(self, size: int, /) -> None:
        """Reserve disk blocks for the next ``size`` bytes."""
        with fsops.storage(self._path):
            fsops.reserve(self._fd, self.offset, size)

    def keep_prefix(self, size: int, digest: str, /) -> None:
        """Keep the digest of the first ``size`` bytes."""
        if self._blob.size > _JOURNAL_FROM:
            self._journal.add(size, digest)

    def write(self, chunk: memoryview, /) -> None:
        """Append bytes."""
        with fsops.storage(self._path):
            fsops.write(self._fd, chunk)

    def rewind(self, size: int, /) -> None:
        """Forget everything after the first ``size`` bytes."""
        with fsops.storage(self._path):
            fsops.truncate(self._fd, size)
        self._started_with = min(self._started_with, size)
        self._journal.forget_after(size)

    def commit(self) -> None:
        """Make the blob, which was verified, visible and durable under its digest; then close."""
        try:
            with fsops.storage(self._final):
                fsops.set_mode(self._fd, 0o444)
                self._sync()
                fsops.replace(self._path, self._final)
                self._journal.remove()
        finally:
            os.close(self._fd)
            self._fd = -1

    def _sync(self) -> None:
        try:
            fsops.fsync(self._fd)
        except OSError:
            # Nobody knows what is on the disk now, and a second fsync would not tell.
            self._discard()
            raise

    def _discard(self) -> None:
        self._journal.remove()
        fsops.unlink(self._path)

    def close(self) -> None:
        """Give the lock back; what came so far stays for the next transfer."""
        if self._fd < 0:
            return
        with contextlib.suppress(OSError):
            size = self.offset
            if size and self._lasting:
                # Frees what was reserved and not used.
                fsops.truncate(self._fd, size)
            else:
                self._discard()
        os.close(self._fd)
        self._fd = -1


def lock_partial(path: Path) -> int | None:
    """Open and lock the partial file at ``path``; None while another process holds it."""
    with fsops.storage(path):
        while True:
            fd = fsops.open_lockable(path, 0o600)
            try:
                if not locks.try_lock(fd):
                    os.close(fd)
                    return None
                if _is_still(fd, path):
                    return fd
            except BaseException:
                os.close(fd)
                raise
            # Whoever held the lock has renamed or removed the file meanwhile.
            os.close(fd)


def open_alone(path: Path) -> int:
    """Create a partial file under a name of its own, where locks keep nobody out."""
    with fsops.storage(path):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, 0o600)


def is_busy(path: Path) -> bool:
    """Whether someone writes the partial file at ``path`` now, as far as can be told."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        return not locks.try_lock(fd)
    finally:
        os.close(fd)


def remove_partial(path: Path) -> bool:
    """Remove a partial file and its journal; False where someone writes it meanwhile."""
    fd = lock_partial(path)
    if fd is None:
        return False
    try:
        with fsops.storage(path):
            fsops.unlink(path)
            fsops.unlink(path.with_name(path.name + ".journal"))
    finally:
        os.close(fd)
    return True


def _is_still(fd: int, path: Path) -> bool:
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    here = os.fstat(fd)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
