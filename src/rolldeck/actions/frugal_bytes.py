"""The bytes of a layer in a registry for a look that may cost only so much."""

from __future__ import annotations

from types import TracebackType
from typing import BinaryIO, cast

from rolldeck.actions.layer_bytes import LayerBytes
from rolldeck.kit import StoppedError
from rolldeck.kit.range_file import BLOCK_SIZE

_PIECE = 2 * BLOCK_SIZE
"""Bytes fetched at a time of what is read from its start."""


class FrugalBytes:
    """Implements ``LayerSource``: gives at most ``most`` bytes of a layer, all by range.

    Also what is read from its start comes in parts: a stream would bring more than was asked for.
    """

    def __init__(self, source: LayerBytes, size: int, most: int) -> None:
        """``size`` is that of the layer in bytes."""
        self._source = source
        self._most = most
        self.size = size
        self.spent = 0

    def read_at(self, offset: int, size: int) -> bytes:
        """Read a part; StoppedError where that is more than may be read."""
        if self.spent + size > self._most:
            raise StoppedError(self._most)
        self.spent += size
        return self._source.read_at(offset, size)

    def open(self) -> BinaryIO:
        """Read it from the start."""
        return cast(BinaryIO, _Parts(self))


class _Parts:
    """A layer from its start, part by part."""

    def __init__(self, source: FrugalBytes) -> None:
        self._source = source
        self._position = 0
        self._piece = b""

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        if not self._piece and self._position < self._source.size:
            wanted = min(_PIECE, self._source.size - self._position)
            self._piece = self._source.read_at(self._position, wanted)
            self._position += wanted
        piece, self._piece = self._piece[:size], self._piece[size:]
        return piece

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def __enter__(self) -> _Parts:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
