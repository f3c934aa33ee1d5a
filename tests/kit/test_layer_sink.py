"""Layers received in one pass: the same tree as from a blob, and at any byte it can go on."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from rolldeck.errors import RefusedError, StorageError, UsageError
from rolldeck.kit import layer_sink
from rolldeck.kit.layer_sink import LayerSink
from rolldeck.kit.staging_place import JOURNAL, PREFIX, SKELETON, StagingPlace
from rolldeck.kit.unpack import Unpacking, unpack
from rolldeck.oci import StreamSink
from rolldeck.progress import Progress
from tests.conftest import TORTURE
from tests.kit.archives import (
    END,
    GNU,
    Payload,
    directory,
    file,
    header,
    kit_of,
    long_name,
    pax,
    record,
    snapshot,
)
from tests.kit.one_pass import feed, in_one_pass, layer_of, opened, stored_of
from tests.kit.test_tar_reader_hostile import HOSTILE

CHANCE = random.Random(4)
LONG = "/".join(["long" * 10] * 6)
BIG = CHANCE.randbytes(5000)

HONEST: dict[str, Payload | bytes] = {
    "plain": directory("d") + file("d/a", b"1" * 3000) + file("b", b"2") + END,
    "one large file": file("weights", BIG) + END,
    "large files of all paddings": b"".join(
        file(f"f{size}", CHANCE.randbytes(size)) for size in (1023, 1024, 1025, 1535, 1536, 4096)
    )
    + END,
    "empty": END,
    "empty files": file("a", b"") + file("b", b"") + directory("c") + file("d", BIG) + END,
    "root and dots": directory("./") + file("./a/./b", BIG) + END,
    "pax": pax(record("path", "é/ñ.txt"), record("mtime", "1.5")) + file("/.txt", BIG) + END,
    "global pax": pax(record("comment", "x"), kind=b"g") + file("a", BIG) + END,
    "gnu long name": long_name(LONG) + file(LONG[:100], BIG, magic=GNU) + END,
    "ustar prefix": file("x", BIG, prefix=b"a/b") + END,
    "odd padding": header("a", 700) + b"a" * 700 + b"\7" * 324 + file("b", BIG) + END,
    "blocks of twenty": file("a", BIG) + END + bytes(20 * 512 - 7680),
    "a long end": file("a", b"a") + END + bytes(300 * 512),
    "modes and owners": file("a", BIG, mode=0o6777, uid=b"\x80" + b"\xff" * 7) + END,
    "raw": Payload(BIG, path="./models/w.bin", form="raw", mode=0o755),
    "raw empty": Payload(b"", path="w.bin", form="raw"),
    "with a base": Payload(
        directory("llm") + file("llm/c", BIG) + END, path="./models/llm", base="models"
    ),
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of a kilobyte count as large."""
    monkeypatch.setattr(layer_sink, "SMALL_FILE", 1024)


def tree_of(root: Path) -> dict[str, tuple[int, bytes | None]]:
    """Mode and content by path."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else None,
        )
        for path in root.rglob("*")
    }


def read_back(sink: LayerSink, size: int, step: int) -> bytes:
    """Read what a sink holds, as the hash does."""
    data = bytearray()
    while len(data) < size:
        with sink.view(len(data), min(step, size - len(data))) as found:
            assert found
            data += found
    sink.close_view()
    return bytes(data)


@pytest.mark.parametrize("step", [1, 7, 512, 4096, 1 << 20])
@pytest.mark.parametrize("name", HONEST)
def test_one_pass_writes_what_unpacking_a_blob_writes(name: str, step: int, tmp_path: Path) -> None:
    """However the bytes are cut: the same files, modes and records."""
    kit, open_blob = kit_of(HONEST[name])
    from_blob = unpack(kit, open_blob, tmp_path / "two", Progress())
    in_one_pass(tmp_path / "one", HONEST[name], step=step)
    assert tree_of(tmp_path / "one") == tree_of(tmp_path / "two")
    assert from_blob.files == sum(path.is_file() for path in (tmp_path / "one").rglob("*"))
    assert not list(tmp_path.glob(f"{PREFIX}*"))


@pytest.mark.parametrize("name", HONEST)
def test_what_it_holds_can_be_read_back(name: str, tmp_path: Path) -> None:
    """From memory, from the files and from the skeleton: the blob."""
    stored = stored_of(HONEST[name])
    with opened(layer_of(HONEST[name]), tmp_path / "dest") as sink:
        assert isinstance(sink, StreamSink)
        feed(sink, stored, 700)
        assert read_back(sink, len(stored), 333) == stored
        assert read_back(sink, len(stored), 5000) == stored
    with opened(layer_of(HONEST[name]), tmp_path / "dest") as sink:
        assert sink.offset == sink.resumed == len(stored)
        assert read_back(sink, len(stored), 411) == stored


@pytest.mark.parametrize("name", HONEST)
def test_it_goes_on_at_any_byte(name: str, tmp_path: Path) -> None:
    """A run that ends after n bytes leaves n bytes, and the next one needs only the rest."""
    stored, layer = stored_of(HONEST[name]), layer_of(HONEST[name])
    kit, open_blob = kit_of(HONEST[name])
    unpack(kit, open_blob, tmp_path / "wanted", Progress())
    ends = {0, len(stored), *range(0, len(stored), max(1, len(stored) // 25))}
    ends |= {min(end, len(stored)) for end in (1, 511, 512, 513, 1023, 1024, 1025)}
    for end in sorted(ends):
        destination = tmp_path / f"dest-{end}"
        with opened(layer, destination) as sink:
            feed(sink, stored[:end], 100)
        with opened(layer, destination) as sink:
            assert sink.offset == end
            assert read_back(sink, end, 600) == stored[:end]
            feed(sink, stored, 4096)
        with Unpacking(kit, destination, Progress(), lambda layer: True) as unpacking:
            sink_of = unpacking.sink(kit.layers[0])
            assert sink_of is not None
            sink_of.commit()
            unpacking.finish()
        assert tree_of(destination) == tree_of(tmp_path / "wanted")


@pytest.mark.parametrize("name", HONEST)
def test_it_goes_back_to_any_byte(name: str, tmp_path: Path) -> None:
    """What came after is gone, in the files too, and the rest may come again."""
    stored = stored_of(HONEST[name])
    kit, open_blob = kit_of(HONEST[name])
    wanted = unpack(kit, open_blob, tmp_path / "wanted", Progress())
    with Unpacking(kit, tmp_path / "dest", Progress(), lambda layer: True) as unpacking:
        sink = unpacking.sink(kit.layers[0])
        assert sink is not None
        for _ in range(25):
            feed(sink, stored[: CHANCE.randint(sink.offset, len(stored))], 900)
            size = CHANCE.randint(0, sink.offset)
            sink.rewind(size)
            assert sink.offset == size
            assert read_back(sink, size, 512) == stored[:size]
        feed(sink, stored, 900)
        assert read_back(sink, len(stored), 512) == stored
        sink.commit()
        tree = unpacking.finish()
    assert tree_of(tmp_path / "dest") == tree_of(tmp_path / "wanted")
    assert [(entry.path, entry.mode) for entry in tree.entries] == [
        (entry.path, entry.mode) for entry in wanted.entries
    ]


def test_going_back_leaves_nothing_of_a_wrong_name(tmp_path: Path) -> None:
    """A header that was damaged on its way made another file and directory."""
    good, wrong = (directory(n) + file(f"{n}/x", BIG) + END for n in ("good", "wrong"))
    kit, _ = kit_of(good)
    with Unpacking(kit, tmp_path / "dest", Progress(), lambda layer: True) as unpacking:
        sink = unpacking.sink(kit.layers[0])
        assert sink is not None
        feed(sink, wrong, 1000)
        sink.rewind(0)
        feed(sink, good, 1000)
        sink.commit()
        tree = unpacking.finish()
    assert [entry.path for entry in tree.entries] == ["good", "good/x"]
    assert sorted(tree_of(tmp_path / "dest")) == ["good", "good/x"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(name: str, tmp_path: Path) -> None:
    """At the latest when the layer is committed; nothing else changes and nothing stays."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/victim").write_text("untouched")
    (tmp_path / "work").mkdir()
    before = snapshot(tmp_path)
    with pytest.raises(RefusedError):
        in_one_pass(tmp_path / "work/dest", HOSTILE[name] + END)
    assert snapshot(tmp_path) == before


def test_cut_archives_are_refused(tmp_path: Path) -> None:
    """The blob is what was asked for, but it is no whole archive."""
    whole = directory("d") + file("d/a", BIG) + END
    for end in (100, 512, 700, 1024, len(whole) - 1024, len(whole) - 512, len(whole) - 100):
        with pytest.raises(RefusedError):
            in_one_pass(tmp_path / "dest", whole[:end])
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "garbage"])
def test_a_damaged_skeleton_is_no_trap(damage: str, tmp_path: Path) -> None:
    """What it says is either what was there (the hash will tell) or nothing at all."""
    archive = directory("d") + file("d/a", BIG) + file("d/b", BIG) + END
    layer = layer_of(archive)
    with opened(layer, tmp_path / "dest") as sink:
        feed(sink, archive[:9000], 1000)
    path = next(tmp_path.glob(f"{PREFIX}*/*{SKELETON}"))
    data = path.read_bytes()
    changed = {
        "flip": bytes([data[0] ^ 1]) + data[1:],
        "cut": data[:600],
        "empty": b"",
        "garbage": CHANCE.randbytes(len(data)),
    }[damage]
    path.write_bytes(changed)
    with opened(layer, tmp_path / "dest") as sink:
        assert read_back(sink, sink.offset, 512) == archive[: sink.offset]
        feed(sink, archive, 4096)
        assert read_back(sink, len(archive), 512) == archive


def test_after_another_boot_only_prefixes_are_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that were never synced may be lost."""
    archive = file("a", BIG) + file("b", BIG) + END
    layer = layer_of(archive)
    with opened(layer, tmp_path / "dest") as sink:
        feed(sink, archive[:8000], 1000)
        sink.keep_prefix(3000, "0" * 64)
    monkeypatch.setattr("rolldeck.store.journal.boot_id", lambda: "another")
    with opened(layer, tmp_path / "dest") as sink:
        assert sink.offset == 3000
        assert sink.prefixes == {3000: "0" * 64}


def test_files_that_nobody_speaks_of_are_removed(tmp_path: Path) -> None:
    """What a killed process left of other layers is made again."""
    archive = directory("d") + file("d/a", BIG) + END
    layer = layer_of(archive)
    with opened(layer, tmp_path / "dest") as sink:
        feed(sink, archive[:3000], 1000)
    tree = next(tmp_path.glob(f"{PREFIX}*/tree"))
    (tree / "d/stray").write_text("x")
    (tree / "other").mkdir()
    (tree / "other/stray").symlink_to("/etc/passwd")
    in_one_pass(tmp_path / "dest", archive)
    assert sorted(tree_of(tmp_path / "dest")) == ["d", "d/a"]


def test_layers_decide_by_their_order_not_by_who_comes_first(tmp_path: Path) -> None:
    """Two layers give one directory different modes: the first layer's counts."""
    first = directory("d", 0o700) + file("d/a", BIG) + END
    second = directory("d", 0o755) + directory("d/e", 0o711) + file("d/b", BIG) + END
    for number, turned in enumerate((False, True)):
        kit, _ = kit_of(first, second)
        blobs = [first, second]
        destination = tmp_path / str(number)
        with Unpacking(kit, destination, Progress(), lambda layer: True) as unpacking:
            for index in (1, 0) if turned else (0, 1):
                sink = unpacking.sink(kit.layers[index])
                assert sink is not None
                feed(sink, blobs[index], 1000)
                sink.commit()
            unpacking.finish()
        assert (destination / "d").stat().st_mode & 0o777 == 0o700
        assert (destination / "d/e").stat().st_mode & 0o777 == 0o711


def test_two_layers_with_one_file_are_refused(tmp_path: Path) -> None:
    """As from blobs."""
    archives = [file("a", BIG) + file(name, BIG) + END for name in ("b", "c")]
    with pytest.raises(RefusedError, match="twice"):
        in_one_pass(tmp_path / "dest", *archives)
    assert not list(tmp_path.glob(".*"))


def test_two_layers_of_one_digest_come_as_blobs(tmp_path: Path) -> None:
    """Two names for the same bytes."""
    raw = [Payload(BIG, path=name, form="raw") for name in ("a", "b")]
    unpacking = in_one_pass(tmp_path / "dest", *raw)
    assert unpacking.sink(unpacking.layers[0]) is None
    assert (tmp_path / "dest/a").read_bytes() == (tmp_path / "dest/b").read_bytes() == BIG


def test_a_place_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    """The name can be foreseen, so somebody may have made it, or a link, before."""
    archive = file("a", BIG) + END
    kit, _ = kit_of(archive)
    place = StagingPlace(tmp_path / "dest", kit.digest)
    (tmp_path / "victim").mkdir()
    place.path.symlink_to(tmp_path / "victim")
    before = snapshot(tmp_path)
    with pytest.raises(StorageError):
        in_one_pass(tmp_path / "dest", archive)
    assert snapshot(tmp_path) == before
    place.path.unlink()
    place.path.mkdir(mode=0o777)
    place.path.chmod(0o777)
    with pytest.raises(StorageError, match="others"):
        in_one_pass(tmp_path / "dest", archive)


def test_whoever_swaps_the_destination_gains_nothing(tmp_path: Path) -> None:
    """A link to a directory of a victim comes and goes at the destination all the time."""
    archive = directory("d") + file("d/a", BIG) + END
    victim, destination = tmp_path / "victim", tmp_path / "dest"
    victim.mkdir()
    (victim / "d").write_text("untouched")
    before = snapshot(victim)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            with contextlib.suppress(OSError):
                destination.symlink_to(victim)
            with contextlib.suppress(OSError):
                destination.unlink()

    attacker = threading.Thread(target=swap)
    attacker.start()
    try:
        unpacked = 0
        while unpacked < 10 * TORTURE:
            with contextlib.suppress(UsageError, StorageError):
                in_one_pass(destination, archive)
                assert tree_of(destination).keys() == {"d", "d/a"}
                shutil.rmtree(destination)
                unpacked += 1
    finally:
        done.set()
        attacker.join()
    assert snapshot(victim) == before


def test_another_version_for_the_same_destination_sweeps_the_first(tmp_path: Path) -> None:
    """Its staging place is of no use any more; that of another destination stays."""
    archive = file("a", BIG) + END
    layer = layer_of(archive)
    for name in ("dest", "dest2"):
        with opened(layer, tmp_path / name) as sink:
            feed(sink, archive[:2000], 1000)
    first, other = (next(tmp_path.glob(f"{PREFIX}{name}-*")) for name in ("dest", "dest2"))
    newer = first.with_name(first.name[:-12] + "0" * 12)
    first.rename(newer)
    in_one_pass(tmp_path / "dest", archive)
    assert not newer.exists()
    assert other.exists()


def test_the_same_version_is_unpacked_once_at_a_time(tmp_path: Path) -> None:
    """Into one destination; the second is told."""
    from rolldeck.errors import BusyError

    archive = file("a", BIG) + END
    with opened(layer_of(archive), tmp_path / "dest"), pytest.raises(BusyError):
        in_one_pass(tmp_path / "dest", archive)


def test_headers_without_end_come_as_a_blob(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A skeleton has a limit; whoever brings the layer then brings its blob."""
    monkeypatch.setattr(layer_sink, "_SKELETON_LIMIT", 10_000)
    archive = file("a", b"a") + END + bytes(20_000 // 512 * 512)
    with pytest.raises(RefusedError, match="headers"):
        in_one_pass(tmp_path / "dest", archive)
    kit, open_blob = kit_of(archive)
    with Unpacking(kit, tmp_path / "dest", Progress(), lambda layer: True) as unpacking:
        sink = unpacking.sink(kit.layers[0])
        assert sink is not None
        with pytest.raises(RefusedError):
            feed(sink, archive, 4096)
        unpacking.forgo(kit.layers[0])
        unpacking.add(kit.layers[0], open_blob(kit.layers[0].blob))
        unpacking.finish()
    assert tree_of(tmp_path / "dest").keys() == {"a"}


def test_names_too_long_for_a_hidden_one(tmp_path: Path) -> None:
    """A destination's name may be as long as the file system allows."""
    in_one_pass(tmp_path / ("x" * 255), file("a", BIG) + END)
    assert (tmp_path / ("x" * 255) / "a").read_bytes() == BIG


def test_what_is_kept_after_an_error(tmp_path: Path) -> None:
    """What came in one pass; nothing after a refusal, and nothing where nothing came."""
    archive = file("a", BIG) + END

    def fail(error: Exception, come: int) -> None:
        kit, _ = kit_of(archive)
        with Unpacking(kit, tmp_path / "new/dest", Progress(), lambda layer: True) as unpacking:
            sink: Any = unpacking.sink(kit.layers[0])
            feed(sink, archive[:come], 1000)
            raise error

    def broken(error: Exception, *, come: int) -> list[str]:
        with pytest.raises(type(error)):
            fail(error, come)
        return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())

    assert broken(StorageError("full"), come=0) == []
    assert not (tmp_path / "new").exists()
    stem = layer_of(archive).digest.replace(":", "-")
    assert broken(StorageError("full"), come=600) == ["a", stem + JOURNAL, stem + SKELETON]
    assert broken(RefusedError("evil"), come=700) == []
    assert sorted(os.listdir(tmp_path / "new")) == []
