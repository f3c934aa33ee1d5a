"""Packing again: the files of a layer that did not change are not read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rolldeck.kit import layer_listing, layer_record, tar_writer
from rolldeck.kit.layer_listing import LayerEntry
from rolldeck.settings import cache_home, load_settings
from tests.cli.conftest import Run
from tests.servers.registry import RunningRegistry

KITFILE = """\
manifestVersion: 1.0.0
model:
  path: model
code:
  - path: src
docs:
  - path: README.md
"""

FILES = {"model/a.bin": "weights", "model/b.bin": "more", "src/train.py": "1", "README.md": "read"}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A directory with three layers in four files."""
    root = tmp_path / "context"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "Kitfile").write_text(KITFILE)
    return root


@pytest.fixture
def old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file count as written long ago."""
    monkeypatch.setattr(layer_record, "TICK", -(10**18))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of all files that were read to pack them."""
    found: list[str] = []
    content = tar_writer._content

    def noted(context: Path, entry: LayerEntry, chunks: Any) -> Iterator[memoryview]:
        found.append(entry.path)
        return content(context, entry, chunks)

    monkeypatch.setattr(tar_writer, "_content", noted)
    return found


Pack = Callable[..., dict[str, Any]]


@pytest.fixture
def pack(rolldeck: Run, context: Path, reads: list[str]) -> Pack:
    """Pack and return the document; ``reads`` holds what was read for that alone."""

    def run(*words: object, tag: str = "packed:live") -> dict[str, Any]:
        reads.clear()
        ran = rolldeck("pack", context, "-t", tag, "--json", *words)
        assert ran.code == 0, ran.err
        document: dict[str, Any] = ran.document
        return document

    return run


def unchanged(document: dict[str, Any]) -> set[str]:
    """The paths of the layers that were not read."""
    return {layer["path"] for layer in document["layers"] if layer["unchanged"]}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two packings made the same version."""
    return bool(one["digest"] == other["digest"] and one["config"] == other["config"])


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_nothing_is_read_twice(
    rolldeck: Run, pack: Pack, reads: list[str], old_files: None, compression: str
) -> None:
    """The version is the same, its diffIds included, and whole."""
    first = pack("--compression", compression)
    assert sorted(reads) == sorted(FILES)
    assert unchanged(first) == set()
    second = pack("--compression", compression)
    assert reads == []
    assert unchanged(second) == {"model", "src", "README.md"}
    assert same(first, second)
    assert [layer["diff_id"] for layer in first["layers"]] == [
        layer["diff_id"] for layer in second["layers"]
    ]
    assert rolldeck("verify", "packed:live").code == 0


def test_it_is_told(rolldeck: Run, pack: Pack, context: Path, old_files: None) -> None:
    """How many layers were not read."""
    pack()
    assert "in 3 layers, 3 of them unchanged" in rolldeck("pack", context, "-t", "packed:live").out


def test_rehash_reads_all(pack: Pack, reads: list[str], old_files: None) -> None:
    """And finds the same."""
    first = pack()
    again = pack("--rehash")
    assert sorted(reads) == sorted(FILES)
    assert unchanged(again) == set()
    assert same(first, again)


def replace_keeping_times(path: Path) -> None:
    """Put another file of the same size and time in the place of one."""
    found = path.stat()
    new = path.with_name("new")
    new.write_text("0" * found.st_size)
    os.utime(new, ns=(found.st_atime_ns, found.st_mtime_ns))
    new.replace(path)


def rewrite_keeping_times(path: Path) -> None:
    """Write other bytes into a file and set its time back."""
    found = path.stat()
    path.write_text("0" * found.st_size)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "longer": lambda path: path.write_text("longer"),
    "rewritten": lambda path: path.write_text("2"),
    "times set back": rewrite_keeping_times,
    "replaced": replace_keeping_times,
    "mode": lambda path: path.chmod(0o755),
    "touched": lambda path: os.utime(path),
    "another beside it": lambda path: path.with_name("more.py").write_text("x"),
    "renamed": lambda path: path.rename(path.with_name("other.py")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_read(
    pack: Pack, context: Path, reads: list[str], old_files: None, change: str
) -> None:
    """That layer alone, and what comes out is what reading everything gives."""
    pack()
    CHANGES[change](context / "src" / "train.py")
    changed = pack()
    assert reads
    assert all(path.startswith("src/") for path in reads)
    assert unchanged(changed) == {"model", "README.md"}
    assert same(changed, pack("--rehash"))


def test_the_same_elsewhere_and_of_another_kind(
    pack: Pack, context: Path, reads: list[str], old_files: None
) -> None:
    """What the layer is for stands in its descriptor, not in its bytes."""
    pack()
    text = KITFILE.replace("docs:\n", "datasets:\n").replace("path: README.md", "path: ./README.md")
    (context / "Kitfile").write_text(text)
    found = pack()
    assert reads == []
    assert same(found, pack("--rehash"))
    model_pack = pack("--model-pack")
    assert reads == []
    assert same(model_pack, pack("--model-pack", "--rehash"))


def test_a_blob_that_is_gone_is_packed_again(
    rolldeck: Run, pack: Pack, reads: list[str], old_files: None
) -> None:
    """So is one that was cut."""
    layers = {layer["path"]: layer["digest"] for layer in pack()["layers"]}
    library = load_settings(None).library
    (library / "blobs" / layers["model"].replace(":", "/")).unlink()
    cut = library / "blobs" / layers["src"].replace(":", "/")
    cut.chmod(0o600)
    cut.write_bytes(b"")
    assert unchanged(pack()) == {"README.md"}
    assert sorted(reads) == ["model/a.bin", "model/b.bin", "src/train.py"]
    assert rolldeck("verify", "packed:live").code == 0


def test_another_library_gets_its_own(
    rolldeck: Run, pack: Pack, reads: list[str], old_files: None, tmp_path: Path
) -> None:
    """The record is no promise that the blobs are there."""
    pack()
    other = ("--library", tmp_path / "other")
    assert unchanged(pack(*other)) == set()
    assert sorted(reads) == sorted(FILES)
    assert rolldeck("verify", "packed:live", *other).code == 0


def test_compressions_do_not_mix(pack: Pack, reads: list[str], old_files: None) -> None:
    """Other bytes, another layer."""
    pack()
    assert unchanged(pack("--compression", "gzip")) == set()
    assert unchanged(pack()) == {"model", "src", "README.md"}


def test_a_damaged_record_is_dropped(pack: Pack, reads: list[str], old_files: None) -> None:
    """All is read, and it is whole afterwards."""
    first = pack()
    record = cache_home() / "packed-layers.json"
    record.write_bytes(record.read_bytes().replace(b"sha256", b"sha512", 1))
    second = pack()
    assert sorted(reads) == sorted(FILES)
    assert same(first, second)
    assert len(unchanged(pack())) == 3


def test_where_nothing_can_be_remembered(pack: Pack, reads: list[str], old_files: None) -> None:
    """It is packed all the same."""
    cache_home().parent.mkdir(parents=True, exist_ok=True)
    cache_home().write_text("in the way")
    assert same(pack(), pack())
    assert sorted(reads) == sorted(FILES)


def test_a_young_file_is_read_again(pack: Pack, reads: list[str]) -> None:
    """Files that were just written may change once more before the clock ticks."""
    first = pack()
    assert same(first, pack())
    assert sorted(reads) == sorted(FILES)


@pytest.mark.parametrize("careful", [True, False])
def test_a_change_within_one_tick_of_the_clock(
    pack: Pack, context: Path, monkeypatch: pytest.MonkeyPatch, careful: bool
) -> None:
    """Of a file system whose clock stands still meanwhile: without care it would be missed."""

    def coarse(*fields: Any) -> LayerEntry:
        entry = LayerEntry(*fields)
        device, inode, *_ = entry.stamp
        return replace(entry, stamp=(device, inode, tick, tick))

    tick = time.time_ns()
    monkeypatch.setattr(layer_listing, "LayerEntry", coarse)
    if not careful:
        monkeypatch.setattr(layer_record, "TICK", -(10**18))
    pack()
    (context / "src" / "train.py").write_text("2")
    found = pack()
    assert same(found, pack("--rehash")) is careful


def test_a_push_reads_nothing_that_the_registry_has(
    pack: Pack, context: Path, reads: list[str], old_files: None, docker_registry: RunningRegistry
) -> None:
    """Neither to learn the digests nor to send; what changed is read for both."""
    name = f"{docker_registry.host}/unchanged/kit:live"
    words = ("--push", "--plain-http", "--yes")
    first = pack(*words, tag=name)
    assert {blob["status"] for blob in first["blobs"]} == {"pushed"}
    second = pack(*words, tag=name)
    assert reads == []
    assert same(first, second)
    (context / "README.md").write_text("changed")
    pack(*words, tag=name)
    assert set(reads) == {"README.md"}
