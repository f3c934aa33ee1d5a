"""Compressed layers: bombs, damage, and blobs that are not what they claim."""

from __future__ import annotations

import gzip
import os
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from rolldeck.errors import IntegrityError
from rolldeck.kit.unpack import unpack
from rolldeck.progress import Progress
from tests.kit.archives import END, Payload, file, header, kit_of
from tests.kit.unpacking import accept, refuse


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_decompression_bomb(compression: str, tmp_path: Path) -> None:
    size = 400 * 1024 * 1024
    start = time.monotonic()
    stored = _compressed_zeros(header("bomb", size), size, compression)
    tracemalloc.start()
    refuse(tmp_path, Payload(stored, compression=compression))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * 1024 * 1024
    assert time.monotonic() - start < 10


def test_damaged_gzip(tmp_path: Path) -> None:
    good = gzip.compress(file("x", os.urandom(3000)) + END, mtime=0)
    variants = {
        "cut": good[:-9],
        "without trailer": good[:-8],
        "wrong CRC": good[:-8] + bytes([good[-8] ^ 1]) + good[-7:],
        "wrong length": good[:-1] + bytes([good[-1] ^ 1]),
        "garbage after it": good + b"garbage",
        "zeros after it": good + bytes(512),
        "no gzip": b"plain",
        "empty": b"",
    }
    for name, stored in variants.items():
        (tmp_path / name).mkdir()
        refuse(tmp_path / name, Payload(stored, compression="gzip"))


def test_several_gzip_members_are_one_layer(tmp_path: Path) -> None:
    archive = file("x", b"y" * 1000) + END
    stored = gzip.compress(archive[:700]) + gzip.compress(b"") + gzip.compress(archive[700:])
    assert accept(tmp_path, Payload(stored, compression="gzip")) == {"x": b"y" * 1000}


def test_damaged_blob_is_called_damaged_not_hostile(tmp_path: Path) -> None:
    good = file("x", b"y" * 1000) + END
    bad = b"\xff" + good[1:]
    kit, open_blob = kit_of(Payload(bad, claimed=good))
    with pytest.raises(IntegrityError):
        unpack(kit, open_blob, tmp_path / "dest", Progress())
    assert not (tmp_path / "dest").exists()


def _compressed_zeros(start: bytes, size: int, compression: str) -> bytes:
    piece = bytes(1024 * 1024)
    if compression == "gzip":
        inner = zlib.compressobj(6, wbits=31)
        pieces = [inner.compress(start)]
        pieces += [inner.compress(piece) for _ in range(size // len(piece))]
        return b"".join([*pieces, inner.flush()])
    from backports import zstd

    outer = zstd.ZstdCompressor()
    pieces = [outer.compress(start)]
    pieces += [outer.compress(piece) for _ in range(size // len(piece))]
    return b"".join([*pieces, outer.flush()])
