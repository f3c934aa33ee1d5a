"""Compressing a layer while it is written, the same bytes for the same content every time.

Gzip is RFC 1952 without a time or a name, at zlib's usual level; zstd is RFC 8878 in one frame. No
compressed digest can equal kit's, whose compressor is another one; the diffId does.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from typing import Protocol

from rolldeck.kit.model import Compression


class _Codec(Protocol):
    def compress(self, data: memoryview, /) -> bytes: ...

    def flush(self) -> bytes: ...


class Compressor:
    """Takes the bytes of a layer and hands on compressed ones."""

    def __init__(self, compression: Compression, write: Callable[[memoryview], object]) -> None:
        self._codec = _codec(compression)
        self._write = write

    def write(self, chunk: memoryview, /) -> None:
        """Compress bytes; what comes out is handed on when it is enough."""
        if data := self._codec.compress(chunk):
            self._write(memoryview(data))

    def finish(self) -> None:
        """Hand on the rest."""
        if data := self._codec.flush():
            self._write(memoryview(data))


def _codec(compression: Compression) -> _Codec:
    if compression == "gzip":
        return zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    # Few layers are zstd, and starting fast matters to every command.
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    codec: _Codec = zstd.ZstdCompressor()
    return codec
