"""Layers whose bytes are at hand, counted as they are asked for."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from rolldeck.kit.model import Compression, Form, Layer
from rolldeck.oci import Descriptor, RangesIgnoredError, digest_of


class Source:
    """The stored bytes of one layer; implements ``LayerSource``."""

    def __init__(self, data: bytes, *, ranges: bool = True) -> None:
        self.data = data
        self.ranges = ranges
        self.parts: list[tuple[int, int]] = []
        """What was asked for by range."""
        self.opened = 0

    def read_at(self, offset: int, size: int) -> bytes:
        if not self.ranges and offset:
            raise RangesIgnoredError("whole blobs only")
        assert 0 <= offset < offset + size <= len(self.data)
        self.parts.append((offset, size))
        return self.data[offset : offset + size]

    def open(self) -> BinaryIO:
        self.opened += 1
        return BytesIO(self.data)

    @property
    def fetched(self) -> int:
        """Bytes that came by range."""
        return sum(size for _, size in self.parts)


def layer_of(
    data: bytes,
    *,
    form: Form = "tar",
    compression: Compression = "none",
    path: str | None = None,
    base: str = "",
    claimed: bytes | None = None,
) -> Layer:
    """Return the layer that has these stored bytes, or claims to have others."""
    blob = Descriptor("application/x", digest_of(data if claimed is None else claimed), len(data))
    return Layer(blob, "code", form, compression, path=path, base=base)
