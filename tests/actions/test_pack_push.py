"""Blobs that are made again while they are sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.actions.pack_push import _MadeReader
from rolldeck.errors import BusyError
from rolldeck.kit.pack_plan import plan_layers
from rolldeck.kit.tar_writer import layer_chunks
from rolldeck.oci import Descriptor, digest_of


def test_any_range_comes_again(tmp_path: Path) -> None:
    """Forwards, backwards and past what was left out; a changed file is told."""
    for number in range(40):
        (tmp_path / f"{number}").write_bytes(bytes([number]) * 70_000)
    layer = plan_layers(tmp_path, {"code": [{"path": "."}]}).layers[0]
    whole = b"".join(map(bytes, layer_chunks(tmp_path, layer.entries)))
    blob = Descriptor("x", digest_of(whole), len(whole))
    reader = _MadeReader(blob, lambda: layer_chunks(tmp_path, layer.entries))
    for start, end in ((0, 10), (10, 1_500_000), (5, 7), (2_000_000, len(whole)), (0, len(whole))):
        pieces = (bytes(piece) for piece in reader.pieces(start, end, lambda: None))
        assert b"".join(pieces) == whole[start:end]
    reader.verify(lambda: None)
    (tmp_path / "7").write_bytes(b"x" * 70_000)
    with pytest.raises(BusyError, match="changed while"):
        reader.verify(lambda: None)
