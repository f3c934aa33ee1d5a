"""Random access to bytes that lie elsewhere: fetched in blocks, more at a time while it goes on.

A tar archive of large files needs a header here and there, one of small files needs everything;
which it is shows while it is read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

ReadAt = Callable[[int, int], bytes]
"""Reads ``size`` bytes from ``offset`` on; both lie inside of what is read."""

BLOCK_SIZE = 16 * 1024
"""Bytes fetched at least: a tar header, and the start of the file behind it."""

READ_AHEAD = 1024 * 1024
"""Most bytes fetched at once beyond what was asked for."""

_MOST_BLOCKS = 256


class RangeFile:
    """Reads a file of ``size`` bytes through ``read_at`` and keeps the last 4 MiB of blocks.

    What follows the bytes fetched last is fetched twice as far ahead each time, up to
    ``READ_AHEAD``; a jump begins with one block again.
    """

    def __init__(self, read_at: ReadAt, size: int) -> None:
        self._read_at = read_at
        self.size = size
        self.fetched = 0
        """Bytes fetched so far."""
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._window = 1
        self._next: int | None = None

    def read(self, offset: int, size: int) -> bytes:
        """Return at most ``size`` bytes from ``offset`` on, fewer only at the end."""
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        if size > READ_AHEAD:
            return self._fetch(offset, size)
        first, last = offset // BLOCK_SIZE, (offset + size - 1) // BLOCK_SIZE
        pieces = []
        for number in range(first, last + 1):
            if number not in self._blocks:
                self._load(number, last)
            self._blocks.move_to_end(number)
            pieces.append(self._blocks[number])
        start = offset - first * BLOCK_SIZE
        return b"".join(pieces)[start : start + size]

    def _load(self, first: int, last: int) -> None:
        """Fetch the blocks from ``first`` to at least ``last``."""
        follows = self._next is not None and 0 <= first - self._next <= 1
        self._window = min(self._window * 2, READ_AHEAD // BLOCK_SIZE) if follows else 1
        end = min((first + max(last - first + 1, self._window)) * BLOCK_SIZE, self.size)
        start = first * BLOCK_SIZE
        data = self._fetch(start, end - start)
        for position in range(0, len(data), BLOCK_SIZE):
            self._blocks[first + position // BLOCK_SIZE] = data[position : position + BLOCK_SIZE]
        self._next = -(-end // BLOCK_SIZE)
        while len(self._blocks) > _MOST_BLOCKS:
            self._blocks.popitem(last=False)

    def _fetch(self, offset: int, size: int) -> bytes:
        data = self._read_at(offset, size)
        self.fetched += size
        return data


class RangeStream:
    """A ``RangeFile`` from start to end; what is skipped is not fetched."""

    def __init__(self, file: RangeFile) -> None:
        self._file = file
        self._position = 0

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the start of ``buffer``; returns the bytes written, 0 at the end."""
        data = self._file.read(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def skip(self, size: int, /) -> int:
        """Leave out the next ``size`` bytes; returns how many there were."""
        size = min(size, self._file.size - self._position)
        self._position += size
        return size
