"""A large layer that is unpacked from its blob leaves its skeleton, too, and is rebuilt from it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rolldeck import fsops
from rolldeck.errors import RefusedError
from rolldeck.kit import skeleton, unpack
from rolldeck.kit.model import Kit, Layer
from rolldeck.kit.rebuild import RebuiltBlob
from rolldeck.kit.skeleton import read_skeleton
from rolldeck.kit.unpack import Unpacking
from rolldeck.progress import Progress
from tests.kit.archives import END, Payload, file, kit_of, pax, record
from tests.kit.one_pass import stored_of
from tests.kit.test_layer_sink import HONEST


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "SMALL_BLOB", -1)


def unpacked(tmp_path: Path, kit: Kit, data: bytes) -> Path:
    """Unpack a kit of one blob; returns where its skeletons are."""
    blob, kept = tmp_path / "blob", tmp_path / "skeletons"
    blob.write_bytes(data)
    kept.mkdir()
    with Unpacking(kit, tmp_path / "tree", Progress()) as unpacking:
        for layer in unpacking.layers:
            unpacking.add(layer, blob.open("rb"))
        unpacking.save_skeletons(kept)
        unpacking.finish()
    return kept


def rebuilt(tmp_path: Path, kept: Path, layer: Layer) -> bytes | None:
    """The blob of a layer; None where it left no skeleton."""
    found = read_skeleton(kept, layer.digest)
    if found is None:
        return None
    data, buffer = bytearray(), memoryview(bytearray(4096))
    with RebuiltBlob(tmp_path / "tree", found) as blob:
        while count := blob.readinto(buffer):
            data += buffer[:count]
    return bytes(data)


@pytest.mark.parametrize("name", HONEST)
def test_whatever_is_unpacked_is_rebuilt_exactly(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Extension headers, odd padding, long ends, raw layers."""
    monkeypatch.setattr(fsops, "clone", lambda source, descriptor: False)
    payload = HONEST[name]
    kit, _ = kit_of(payload)
    kept = unpacked(tmp_path, kit, stored_of(payload))
    assert rebuilt(tmp_path, kept, kit.layers[0]) == stored_of(payload)


def test_a_small_layer_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its blob stays in the library."""
    data = file("a", b"a") + END
    monkeypatch.setattr(unpack, "SMALL_BLOB", len(data))
    kit, _ = kit_of(data)
    assert rebuilt(tmp_path, unpacked(tmp_path, kit, data), kit.layers[0]) is None


def test_a_file_that_shares_its_blocks_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removing the blob would free nothing."""

    def clone(source: int, descriptor: int) -> bool:
        fsops.write(descriptor, b"content")
        return True

    monkeypatch.setattr(fsops, "clone", clone)
    kit, _ = kit_of(Payload(b"content", "a.bin", "raw"))
    kept = unpacked(tmp_path, kit, b"content")
    assert (tmp_path / "tree/a.bin").read_bytes() == b"content"
    assert rebuilt(tmp_path, kept, kit.layers[0]) is None


def test_a_layer_that_is_there_twice_leaves_none(tmp_path: Path) -> None:
    """Two layers of one digest would share their skeleton."""
    data = b"content"
    kit, _ = kit_of(Payload(data, "a.bin", "raw"), Payload(data, "b.bin", "raw"))
    assert list(unpacked(tmp_path, kit, data).iterdir()) == []


def test_too_large_a_skeleton_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands between the files is kept in memory; the files come all the same."""
    monkeypatch.setattr(skeleton, "_RECORD_LIMIT", 100)
    chance = random.Random(1)
    headers = [pax(record("comment", chance.randbytes(2000).hex())) for _ in range(200)]
    data = b"".join(head + file(f"f{n}", b"x") for n, head in enumerate(headers)) + END
    kit, _ = kit_of(data)
    kept = unpacked(tmp_path, kit, data)
    assert len(list((tmp_path / "tree").iterdir())) == 200
    assert rebuilt(tmp_path, kept, kit.layers[0]) is None


def test_a_refused_layer_leaves_nothing(tmp_path: Path) -> None:
    """As without a record."""
    data = file("a", b"a") + file("../b", b"b") + END
    kit, _ = kit_of(data)
    with pytest.raises(RefusedError):
        unpacked(tmp_path, kit, data)
    assert not (tmp_path / "tree").exists()
    assert list((tmp_path / "skeletons").iterdir()) == []
