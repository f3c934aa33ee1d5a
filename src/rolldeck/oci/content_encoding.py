"""Undoing a Content-Encoding that nobody asked for: some proxies pack what passes."""

from __future__ import annotations

import zlib

_FORMATS = {
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}


class Decoder:
    """Unpacks a body piece by piece; what is not packed, or in an unknown way, stays as it is."""

    def __init__(self, encoding: str) -> None:
        """``encoding`` is the header's value."""
        bits = _FORMATS.get(encoding.strip().lower())
        self._unpack = None if bits is None else zlib.decompressobj(bits)

    def decode(self, piece: bytes, most: int) -> bytes:
        """Return at most ``most`` bytes of a packed piece; the rest is dropped.

        Raises zlib.error for what is not in the format it should be in.
        """
        return piece if self._unpack is None else self._unpack.decompress(piece, most)
