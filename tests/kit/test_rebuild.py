"""A tree with its skeletons is its blobs once more: bit for bit, or it says what was changed."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from rolldeck.errors import IntegrityError
from rolldeck.kit import layer_sink
from rolldeck.kit.model import Layer
from rolldeck.kit.rebuild import RebuiltBlob
from rolldeck.kit.skeleton import Skeleton, read_skeleton
from rolldeck.kit.tree import Stamp, Tree, verify_tree
from rolldeck.kit.unpack import Unpacking
from rolldeck.oci import Digest, digest_of
from rolldeck.progress import Progress
from tests.kit.archives import END, Payload, directory, file, kit_of
from tests.kit.golden_kits import GoldenVersion
from tests.kit.one_pass import received, stored_of
from tests.kit.test_layer_sink import HONEST
from tests.kit.test_unpack_golden import UNPACKED

CHANCE = random.Random(5)
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of a kilobyte count as large."""
    monkeypatch.setattr(layer_sink, "SMALL_FILE", 1024)


class Kept:
    """A kit that was unpacked in one pass, with its skeletons beside it."""

    def __init__(self, tmp_path: Path, *payloads: Payload | bytes) -> None:
        kit, _ = kit_of(*payloads)
        self.root = tmp_path / "tree"
        self.skeletons = tmp_path / "skeletons"
        self.skeletons.mkdir()
        self.layers = kit.layers
        blobs = {
            layer.digest: stored_of(payload)
            for layer, payload in zip(kit.layers, payloads, strict=True)
        }
        self.stamps: Mapping[str, Stamp] = {}
        with Unpacking(kit, self.root, Progress(), lambda layer: True) as unpacking:
            received(kit, blobs, unpacking)
            for layer in kit.layers:
                self._keep_prefixes(unpacking, layer, blobs[layer.digest])

            def keep(tree: Tree, stamps: dict[str, Stamp]) -> None:
                unpacking.save_skeletons(self.skeletons)
                self.stamps = stamps

            self.tree = unpacking.finish(keep)

    @staticmethod
    def _keep_prefixes(unpacking: Unpacking, layer: Layer, data: bytes) -> None:
        """As the hash does every 64 MiB, here every 4 KiB."""
        sink = unpacking.sink(layer)
        assert sink is not None
        for size in range(4096, len(data), 4096):
            sink.keep_prefix(size, hashlib.sha256(data[:size]).hexdigest())

    def skeleton(self, digest: Digest) -> Skeleton | None:
        """The skeleton of a layer."""
        return read_skeleton(self.skeletons, digest)

    def rebuilt(self, number: int = 0, step: int = 4096) -> bytes:
        """The blob of a layer, read in pieces."""
        skeleton = self.skeleton(self.layers[number].digest)
        assert skeleton is not None
        data, buffer = bytearray(), memoryview(bytearray(step))
        with RebuiltBlob(self.root, skeleton) as blob:
            while count := blob.readinto(buffer):
                data += buffer[:count]
        return bytes(data)

    def problems(self, *, stamps: bool = False, believe: bool = False) -> list[tuple[str, str]]:
        """What verification says."""
        return verify_tree(
            self.root,
            self.tree,
            Progress(),
            self.stamps if stamps else None,
            believe_stamps=believe,
            skeletons=self.skeleton,
        )


@pytest.mark.parametrize("name", HONEST)
def test_whatever_is_accepted_is_rebuilt_exactly(name: str, tmp_path: Path) -> None:
    """Extension headers, odd padding, long ends, raw layers."""
    kept = Kept(tmp_path, HONEST[name])
    assert kept.rebuilt() == stored_of(HONEST[name])
    assert kept.rebuilt(step=7) == stored_of(HONEST[name])
    assert kept.problems() == []


@pytest.mark.parametrize("number", range(24))
def test_archives_of_another_writer(number: int, tmp_path: Path) -> None:
    """Python's tarfile in three formats, with random names, sizes, modes and times."""
    stream = io.BytesIO()
    form = list(FORMATS.values())[number % 3]
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for index in range(CHANCE.randint(0, 12)):
            letters = "abcäé " if form == tarfile.PAX_FORMAT else "abc "
            name = f"{index}-" + "".join(CHANCE.choices(letters, k=CHANCE.randint(1, 40)))
            member = tarfile.TarInfo("/".join([name.strip()] * CHANCE.randint(1, 3)))
            member.mtime = CHANCE.choice([0, 1.5 if form == tarfile.PAX_FORMAT else 7, 10**9])
            member.mode = CHANCE.choice([0o644, 0o755, 0o600, 0o4777])
            member.uid = CHANCE.choice([0, 1000, 2**20])
            member.size = CHANCE.choice([0, 1, 511, 512, 513, 1024, 1025, 5000])
            archive.addfile(member, io.BytesIO(CHANCE.randbytes(member.size)))
    data = stream.getvalue()
    kept = Kept(tmp_path, data)
    assert kept.rebuilt() == data
    assert kept.problems() == []


@pytest.mark.parametrize("stem", UNPACKED)
def test_golden_layers(stem: str, tmp_path: Path) -> None:
    """Every uncompressed layer that kit and modctl wrote is rebuilt from its files."""
    version = GoldenVersion(stem)
    kit = version.kit()
    skeletons = tmp_path / "skeletons"
    skeletons.mkdir()
    blobs = {layer.digest: version.blob_path(layer.digest).read_bytes() for layer in kit.layers}
    with Unpacking(kit, tmp_path / "tree", Progress(), lambda layer: True) as unpacking:
        received(kit, blobs, unpacking)
        streamed = [layer.digest for layer in unpacking.layers if unpacking.sink(layer)]
        unpacking.save_skeletons(skeletons)
        unpacking.finish()
    plain = [layer.digest for layer in kit.layers if layer.compression == "none"]
    assert set(streamed) == {digest for digest in plain if plain.count(digest) == 1}
    for digest in streamed:
        skeleton = read_skeleton(skeletons, digest)
        assert skeleton is not None
        assert RebuiltBlob(tmp_path / "tree", skeleton).read() == blobs[digest]


def large(*names: str) -> bytes:
    """An archive with a file of 9 KB for each name, and a small one."""
    contents = [file(name, random.Random(name).randbytes(9000)) for name in names]
    return directory("d") + file("d/small", b"s" * 100) + b"".join(contents) + END


def flip(path: Path, place: int | None = None) -> None:
    """Change one byte, that in the middle unless another is named."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if place is None else place] ^= 1
    path.write_bytes(data)


def test_large_files_have_no_hash_of_their_own(tmp_path: Path) -> None:
    """They are not hashed twice; the layer's digest speaks for them. A raw file is its layer."""
    raw = Payload(CHANCE.randbytes(5000), path="raw", form="raw")
    kept = Kept(tmp_path, large("a"), raw)
    found = {entry.path: entry for entry in kept.tree.entries}
    assert (found["a"].sha256, found["a"].layer) == (None, kept.layers[0].digest)
    assert found["d/small"].sha256 == hashlib.sha256(b"s" * 100).hexdigest()
    assert found["raw"].sha256 == hashlib.sha256(raw.stored).hexdigest()
    assert Tree.from_json(kept.tree.to_json()) == kept.tree


@pytest.mark.parametrize("stamps", [False, True])
@pytest.mark.parametrize("changed", ["a", "b", "c", "d/small"])
def test_the_changed_file_is_named(changed: str, stamps: bool, tmp_path: Path) -> None:
    """By its own hash, or by where its layer begins to differ."""
    kept = Kept(tmp_path, large("a", "b", "c"))
    flip(kept.root / changed)
    assert kept.problems(stamps=stamps) == [(changed, "content changed")]
    assert kept.problems(stamps=True, believe=True) == [(changed, "content changed")]
    assert digest_of(kept.rebuilt()) != kept.layers[0].digest


def test_where_it_cannot_be_told_all_in_question_are_named(tmp_path: Path) -> None:
    """Without stamps, between two prefixes, two files may be the one."""
    kept = Kept(tmp_path, file("a", b"1" * 1500) + file("b", b"2" * 1500) + END)
    flip(kept.root / "b")
    assert kept.problems() == [("a", "content changed here or in b")]
    assert kept.problems(stamps=True) == [("b", "content changed")]


def test_missing_and_cut_files(tmp_path: Path) -> None:
    """They are named, and no other file of the layer is accused."""
    kept = Kept(tmp_path, large("a", "b"))
    (kept.root / "a").write_bytes(b"short")
    assert kept.problems(stamps=True) == [("a", "has 5 bytes instead of 9000")]
    with pytest.raises(IntegrityError, match="a: has 5 bytes"):
        kept.rebuilt()
    (kept.root / "a").unlink()
    assert kept.problems(stamps=True) == [("a", "missing")]
    with pytest.raises(IntegrityError, match="a: No such file"):
        kept.rebuilt()
    (kept.root / "a").symlink_to("b")
    with pytest.raises(IntegrityError, match="a: "):
        kept.rebuilt()


def test_a_small_change_does_not_hide_a_large_one(tmp_path: Path) -> None:
    """Both are touched; the layer cannot clear the second, so it is told too."""
    kept = Kept(tmp_path, large("a", "b"))
    flip(kept.root / "d/small")
    flip(kept.root / "b")
    assert [path for path, _ in kept.problems(stamps=True)] == ["b", "d/small"]


def test_a_touched_file_with_the_same_content_is_fine(tmp_path: Path) -> None:
    """Its stamp says that it must be looked at, its layer that nothing was changed."""
    kept = Kept(tmp_path, large("a", "b"))
    content = (kept.root / "a").read_bytes()
    (kept.root / "a").write_bytes(content)
    assert kept.problems(stamps=True, believe=True) == []


def test_without_its_skeleton_a_layer_cannot_be_checked(tmp_path: Path) -> None:
    """That is a problem, not a pass."""
    kept = Kept(tmp_path, large("a"))
    next(kept.skeletons.iterdir()).unlink()
    assert kept.problems() == [("a", "cannot be checked: its skeleton is missing")]
    assert kept.problems(stamps=True, believe=True) == []


@pytest.mark.parametrize("place", [0, 20, -30, -1])
def test_a_damaged_skeleton_is_found(place: int, tmp_path: Path) -> None:
    """It cannot be read, or what is rebuilt has another digest."""
    kept = Kept(tmp_path, large("a", "b"))
    path = next(kept.skeletons.iterdir())
    header, line, packed = path.read_bytes().partition(b"\n")
    path.write_bytes(packed)
    flip(path, place)
    path.write_bytes(header + line + path.read_bytes())
    digest = None
    with suppress(IntegrityError):
        digest = digest_of(kept.rebuilt())
    assert digest != kept.layers[0].digest


def test_a_skeleton_of_another_layer_is_damaged(tmp_path: Path) -> None:
    """It is asked for by digest and says whose it is."""
    kept = Kept(tmp_path, large("a"))
    other = digest_of(b"other")
    next(kept.skeletons.iterdir()).rename(kept.skeletons / other.replace(":", "-"))
    with pytest.raises(IntegrityError, match="damaged"):
        read_skeleton(kept.skeletons, other)
    assert read_skeleton(kept.skeletons, kept.layers[0].digest) is None
