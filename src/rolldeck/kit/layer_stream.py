"""A layer's payload as a stream, with the stored bytes verified as they go by.

The digest is over the stored (perhaps compressed) bytes, so they are hashed before they are
decompressed. Nothing that comes out may be made visible before the block of ``open_layer`` ended.
Gzip is RFC 1952 (several members are one payload), zstd is RFC 8878 (several frames likewise).
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from rolldeck.errors import RefusedError
from rolldeck.kit.model import Compression, Layer
from rolldeck.oci import Verifier
from rolldeck.progress import Progress

STORED_CHUNK = 1024 * 1024
"""Stored bytes read at once."""

DECODED_CHUNK = 256 * 1024
"""Most decompressed bytes taken at once: what a bomb can cost in memory."""

RATIO_LIMIT = 200
"""Most payload bytes per stored byte."""

FREE_PAYLOAD = 64 * 1024 * 1024
"""Payload bytes that any layer may have, whatever its ratio."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gunzip:
    """One gzip member; zlib checks its CRC and length at the end."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        block = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(block) < max_length
        return block


def _decoder(compression: Compression) -> tuple[_Decoder, type[Exception]]:
    if compression == "gzip":
        return _Gunzip(), zlib.error
    # Few layers are zstd, and starting fast matters to every command.
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdDecompressor(), zstd.ZstdError


class LayerStream:
    """The payload of one layer, read once from start to end."""

    def __init__(self, layer: Layer, blob: BinaryIO, progress: Progress) -> None:
        self._layer = layer
        self._blob = blob
        self._progress = progress
        self._verifier = Verifier(layer.digest, layer.size)
        self._blocks = self._payload()
        self._block = memoryview(b"")
        self._given = 0

    @property
    def capacity(self) -> int:
        """Most payload bytes this layer can hold."""
        if self._layer.compression == "none":
            return self._layer.size
        return max(FREE_PAYLOAD, RATIO_LIMIT * self._layer.size)

    @property
    def remaining(self) -> int:
        """Stored bytes that were not read yet."""
        return self._layer.size - self._verifier.received

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the start of ``buffer`` with payload; return the bytes written, 0 at the end.

        Raises RefusedError for a bomb or a damaged stream, IntegrityError where the stored bytes
        are more than the descriptor says, CancelledError when asked to stop.
        """
        while not self._block:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._block = memoryview(block)
        count = min(len(buffer), len(self._block))
        buffer[:count] = self._block[:count]
        self._block = self._block[count:]
        return count

    def drain(self) -> None:
        """Read the stored bytes to the last one; IntegrityError unless they are the blob."""
        while self._stored():
            pass
        self._verifier.finish()

    def _refused(self, reason: str) -> RefusedError:
        return RefusedError(
            f"Refused layer {self._layer.digest}: {reason}", reference=self._layer.digest
        )

    def _stored(self) -> bytes:
        self._progress.check()
        data = self._blob.read(STORED_CHUNK)
        self._verifier.update(data)
        self._progress.advance(len(data))
        return data

    def _payload(self) -> Iterator[bytes]:
        data = self._stored()
        if self._layer.compression == "none":
            while data:
                yield data
                data = self._stored()
            return
        if not data:
            raise self._refused("the compressed data is cut short")
        while data:
            decoder, error_type = _decoder(self._layer.compression)
            while not decoder.eof:
                try:
                    block = decoder.decompress(data, DECODED_CHUNK)
                except error_type as error:
                    raise self._refused(f"the compressed data is damaged ({error})") from None
                yield self._weighed(block)
                if decoder.eof:
                    break
                data = self._stored() if decoder.needs_input else b""
                if decoder.needs_input and not data:
                    raise self._refused("the compressed data is cut short")
            data = decoder.unused_data or self._stored()

    def _weighed(self, block: bytes) -> bytes:
        self._given += len(block)
        if self._given > max(FREE_PAYLOAD, RATIO_LIMIT * self._verifier.received):
            raise self._refused(f"it expands more than {RATIO_LIMIT}-fold")
        return block


@contextmanager
def open_layer(layer: Layer, blob: BinaryIO, progress: Progress) -> Iterator[LayerStream]:
    """Give the payload of ``layer`` to the block and verify the blob when the block ends.

    A blob that is not what its descriptor says is reported as that (IntegrityError), whatever
    the block made of its bytes. Closes ``blob``.
    """
    stream = LayerStream(layer, blob, progress)
    try:
        try:
            yield stream
        except RefusedError:
            stream.drain()
            raise
        stream.drain()
    finally:
        blob.close()
