"""Unpacking that must be refused, and unpacking that must work."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.errors import RefusedError
from rolldeck.kit.unpack import unpack
from rolldeck.progress import Progress
from tests.kit.archives import Payload, kit_of, snapshot


def refuse(tmp_path: Path, *payloads: Payload | bytes) -> RefusedError:
    """Unpack, see it refused with exit code 8, and see that nothing else changed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    (tmp_path / "work").mkdir()
    before = snapshot(tmp_path)
    kit, open_blob = kit_of(*payloads, kitfile={"manifestVersion": "1.0.0"})
    with pytest.raises(RefusedError) as caught:
        unpack(kit, open_blob, tmp_path / "work" / "dest", Progress())
    assert caught.value.code == 8
    assert snapshot(tmp_path) == before
    assert caught.value.message.isprintable()
    return caught.value


def accept(tmp_path: Path, *payloads: Payload | bytes) -> dict[str, bytes | None]:
    """Unpack and return the content by path, None for directories."""
    kit, open_blob = kit_of(*payloads)
    unpack(kit, open_blob, tmp_path / "dest", Progress())
    root = tmp_path / "dest"
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
    }
