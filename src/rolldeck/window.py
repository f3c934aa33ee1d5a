"""The bytes of a file that still grows, seen where they are: hashing them copies nothing.

Of a file in memory a stretch at a time is mapped; to read it through a buffer takes a fifth of the
time that hashing it takes (docs/transport.md). A file on a disk is read: where that fails there is
an error, but a mapped byte that cannot be read ends the process.
"""

from __future__ import annotations

import mmap
import os
from contextlib import suppress

from rolldeck import fsops

_STRETCH = 8 * 1024 * 1024
"""Bytes mapped at a time, at most: they count as memory of the process."""

_MOST_READ = 1024 * 1024
"""Bytes read at a time, at most: more would have left the processor's cache when they are used."""

_WORTH_MAPPING = 256 * 1024
"""Fewer bytes are read sooner than mapped."""


class Window:
    """Looks into one open file, for one thread. ``close`` it; the descriptor stays open."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._maps = fsops.is_in_memory(fd)
        self._start = 0
        self._mapped = memoryview(b"")
        self._buffer = bytearray()

    def view(self, position: int, most: int) -> memoryview:
        """The bytes from ``position`` on: at most ``most``, none behind the end of the file.

        Valid until the next call. Only for files that this process has to itself: to look at a
        mapped byte that another one cut off would end it.
        """
        if not self._start <= position <= position + most <= self._start + len(self._mapped):
            self._mapped = memoryview(b"")
            if most < _WORTH_MAPPING or not self._maps or not self._map(position, most):
                return self._read(position, most)
        return self._mapped[position - self._start :][:most]

    def _map(self, position: int, most: int) -> bool:
        """Map the bytes and what follows them; False where they are not there, or it cannot be."""
        start = position - position % mmap.ALLOCATIONGRANULARITY
        size = min(os.fstat(self._fd).st_size - start, _STRETCH)
        if position + most > start + size:
            return False
        # Where that is forbidden or there is no memory for it, the file is read.
        with suppress(OSError, ValueError):
            mapped = mmap.mmap(self._fd, size, mmap.MAP_SHARED, mmap.PROT_READ, offset=start)
            # Read once and in order: what was seen need not be kept in memory for its own sake.
            mapped.madvise(mmap.MADV_SEQUENTIAL)
            self._start, self._mapped = start, memoryview(mapped)
        return bool(self._mapped)

    def _read(self, position: int, most: int) -> memoryview:
        most = min(most, _MOST_READ)
        if len(self._buffer) < most:
            self._buffer = bytearray(most)
        found = memoryview(self._buffer)[:most]
        return found[: os.preadv(self._fd, [found], position)]

    def close(self) -> None:
        """Give the memory back."""
        self._mapped = memoryview(b"")
