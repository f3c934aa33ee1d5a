"""Compressing a layer while it is made, the same bytes for the same content every time.

Gzip is RFC 1952 without a time or a name, at zlib's usual level; zstd is RFC 8878 in one frame. No
compressed digest can equal kit's, whose compressor is another one; the diffId does.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Protocol

from rolldeck.kit.model import Compression


class _Codec(Protocol):
    def compress(self, data: memoryview, /) -> bytes: ...

    def flush(self) -> bytes: ...


def compressed(compression: Compression, chunks: Iterable[memoryview]) -> Iterator[memoryview]:
    """Yield the compressed bytes of a layer; uncompressed, the chunks themselves."""
    if compression == "none":
        yield from chunks
        return
    codec = _codec(compression)
    for chunk in chunks:
        if data := codec.compress(chunk):
            yield memoryview(data)
    if data := codec.flush():
        yield memoryview(data)


def compressor_name(compression: Compression) -> str:
    """Name what compresses: the bytes may differ between two versions of it."""
    if compression == "none":
        return compression
    if compression == "gzip":
        return f"gzip {zlib.ZLIB_RUNTIME_VERSION}"
    return f"zstd {_zstd().zstd_version}"


def _codec(compression: Compression) -> _Codec:
    if compression == "gzip":
        return zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    codec: _Codec = _zstd().ZstdCompressor()
    return codec


def _zstd() -> ModuleType:
    # Few layers are zstd, and starting fast matters to every command.
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
