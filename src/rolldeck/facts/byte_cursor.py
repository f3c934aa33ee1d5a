"""Going through a binary header number by number, within a budget of bytes."""

from __future__ import annotations

from rolldeck.facts.tensors import MalformedHeaderError, ReadAt

_WINDOW = 1024
"""Bytes asked for at once, and counted at once: many jumps cost as much as many bytes."""

_VARINT_LIMIT = 10


class OverBudgetError(Exception):
    """As many bytes were read as may be."""


class Budget:
    """Bytes that may still be read of one file."""

    def __init__(self, size: int) -> None:
        self._left = size

    def spend(self, size: int) -> None:
        """Take ``size`` bytes; raises OverBudgetError."""
        self._left -= size
        if self._left < 0:
            raise OverBudgetError


class Cursor:
    """Reads little-endian numbers from ``start`` up to ``end``.

    ``budget`` is shared by cursors over the same file. Raises MalformedHeaderError where
    something goes beyond the end, OverBudgetError where too much was read.
    """

    def __init__(self, read_at: ReadAt, start: int, end: int, budget: Budget) -> None:
        self._read_at = read_at
        self.position = start
        self.end = end
        self._budget = budget
        self._window = b""
        self._window_start = start

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        self._require(size)
        offset = self.position - self._window_start
        if not 0 <= offset <= offset + size <= len(self._window):
            wanted = min(max(size, _WINDOW), self.end - self.position)
            self._budget.spend(wanted)
            self._window, self._window_start = self._read_at(self.position, wanted), self.position
            offset = 0
            if len(self._window) < size:
                raise MalformedHeaderError("the file is cut short")
        self.position += size
        return self._window[offset : offset + size]

    def skip(self, size: int) -> None:
        """Leave out the next ``size`` bytes without reading them."""
        self._require(size)
        self.position += size

    def _require(self, size: int) -> None:
        if not 0 <= size <= self.end - self.position:
            raise MalformedHeaderError("something in its header goes beyond its end")

    def number(self, size: int, *, signed: bool = False) -> int:
        """Return a number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def varint(self) -> int:
        """Return a number as protocol buffers store it."""
        value = 0
        for place in range(_VARINT_LIMIT):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value & (2**64 - 1)
        raise MalformedHeaderError("a number in its header has no end")

    def text(self, size: int, most: int) -> bytes:
        """Return at most ``most`` bytes of the next ``size``, leaving out the rest."""
        data = self.take(min(size, most))
        self.skip(size - len(data))
        return data

    def inside(self, size: int) -> Cursor:
        """Return a cursor over the next ``size`` bytes, which this one leaves out."""
        start = self.position
        self.skip(size)
        return Cursor(self._read_at, start, start + size, self._budget)

    @property
    def more(self) -> bool:
        """Whether the end is not reached."""
        return self.position < self.end
