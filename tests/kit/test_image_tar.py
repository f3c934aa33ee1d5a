"""Layers of container images, listed: what real writers make, and what hostile ones do."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
from functools import partial
from pathlib import Path

import pytest

from rolldeck.errors import RefusedError
from rolldeck.kit.layer_access import StoppedError
from rolldeck.kit.layer_file import copy_file, open_file
from rolldeck.kit.listing import LayerFile, LayerListing, list_layer
from rolldeck.kit.model import Compression
from rolldeck.kit.tar_reader import TarLimits
from rolldeck.oci import SMALL_BLOB
from rolldeck.progress import Progress
from tests.kit.archives import (
    END,
    GNU,
    directory,
    file,
    header,
    long_name,
    padded,
    pax,
    record,
)
from tests.kit.sources import Source, layer_of


def listed(data: bytes, compression: Compression = "none", *, ranges: bool = True) -> LayerListing:
    """List an image layer with these stored bytes."""
    layer = layer_of(data, form="image", compression=compression)
    return list_layer(layer, Source(data, ranges=ranges), Progress())


def found(data: bytes) -> dict[str, LayerFile]:
    """Return what a whole image layer holds, by path."""
    listing = listed(data)
    assert listing.stopped == ""
    return {item.path: item for item in listing.files}


def copied(data: bytes, path: str) -> bytes | None:
    """Return a file's bytes, None where it has none."""
    out = bytearray()
    layer = layer_of(data, form="image")
    return bytes(out) if copy_file(layer, Source(data), path, out.extend, Progress()) else None


# What real writers make.


def a_tree(root: Path) -> None:
    """Make files of every kind that need no privilege."""
    (root / "etc").mkdir(parents=True)
    (root / "etc/hosts").write_bytes(b"hosts")
    (root / "etc/mtab").symlink_to("/proc/self/mounts")
    os.link(root / "etc/hosts", root / "etc/same")
    os.mkfifo(root / "pipe")
    (root / "systemd-x\\x2dy.slice").write_bytes(b"unit")
    os.chmod(root / "etc/hosts", 0o640)


KINDS = {
    "etc": "directory",
    "etc/hosts": "file",
    "etc/mtab": "link",
    "etc/same": "hard link",
    "pipe": "fifo",
    "systemd-x\\x2dy.slice": "file",
}


@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "pax"])
def test_what_tar_writes_in_every_format(form: str, tmp_path: Path) -> None:
    """Types, targets and bytes; a long name and a long target where the format has them."""
    tree = tmp_path / "tree"
    a_tree(tree)
    kinds = dict(KINDS)
    long_path, long_target = "d" * 90 + "/" + "e" * 90, "t" * 150
    if form in ("gnu", "pax", "oldgnu"):
        (tree / long_path).parent.mkdir()
        (tree / long_path).write_bytes(b"long")
        (tree / "long-link").symlink_to(long_target)
        kinds |= {"d" * 90: "directory", long_path: "file", "long-link": "link"}
    if form == "v7":
        (tree / "pipe").unlink()
        del kinds["pipe"]
    written = subprocess.run(
        ["tar", "--sort=name", f"--format={form}", "-C", tree, "-cf", "-", "."],
        capture_output=True,
        check=True,
    ).stdout
    files = found(written)
    assert {path: item.type for path, item in files.items()} == kinds
    assert files["etc/mtab"].target == "/proc/self/mounts"
    assert files["etc/same"].target == "./etc/hosts"
    assert files["etc/hosts"].mode_text == "-rw-r-----"
    assert (files["etc/hosts"].size, files["etc/mtab"].size) == (5, None)
    assert copied(written, "etc/hosts") == b"hosts"
    assert copied(written, "etc/mtab") is None
    if "long-link" in kinds:
        assert files["long-link"].target == long_target
        assert copied(written, long_path) == b"long"


@pytest.mark.parametrize("form", ["oldgnu", "gnu", "pax"])
def test_sparse_files_are_passed_over(form: str, tmp_path: Path) -> None:
    """Also those whose map takes more than one block; what follows is read."""
    step = 64 * 1024
    with open(tmp_path / "holes", "wb") as holes:
        for number in range(40):
            holes.seek(number * step)
            holes.write(b"x")
        holes.truncate(41 * step)
    (tmp_path / "last").write_bytes(b"last")
    written = subprocess.run(
        ["tar", "-S", f"--format={form}", "-C", tmp_path, "-cf", "-", "holes", "last"],
        capture_output=True,
        check=True,
    ).stdout
    files = found(written)
    if files["holes"].type == "file":
        pytest.skip("this file system has no holes")
    assert (files["holes"].type, files["holes"].size) == ("sparse", None)
    assert copied(written, "last") == b"last"
    assert copied(written, "holes") is None


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_devices_and_whiteouts(form: int) -> None:
    """As an image's builder writes them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, kind in (
            ("dev/null", tarfile.CHRTYPE),
            ("dev/sda", tarfile.BLKTYPE),
            ("etc/.wh.passwd", tarfile.REGTYPE),
            ("opt/.wh..wh..opq", tarfile.REGTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type = kind
            archive.addfile(info)
    files = found(out.getvalue())
    assert [item.type for item in files.values()] == [
        "character device",
        "block device",
        "whiteout",
        "whiteout",
    ]
    assert [item.mode_text[0] for item in files.values()] == ["c", "b", "w", "w"]
    assert "removes passwd from" in files["etc/.wh.passwd"].special_words
    assert "removes all there from" in files["opt/.wh..wh..opq"].special_words


def test_sizes_beyond_the_octal_field_are_read() -> None:
    """GNU's base 256, as for files of 8 GiB."""
    size = b"\x80" + (7).to_bytes(11, "big")
    data = header("a", size_field=size, magic=GNU) + padded(b"content") + file("b") + END
    assert (copied(data, "a"), copied(data, "b")) == (b"content", b"payload")


def test_extended_attributes_and_owners_are_passed_over() -> None:
    """Capabilities are binary."""
    data = pax(record("SCHILY.xattr.security.capability", b"\1\0\0\2\xff")) + file("ping") + END
    assert found(data)["ping"].type == "file"


@pytest.mark.parametrize("end", [b"", bytes(512), END, END + b"rest" * 128])
def test_every_end_that_engines_take(end: bytes) -> None:
    """None, one block, two, and something behind."""
    assert list(found(file("a") + end)) == ["a"]


# The ways to its bytes are those of other layers.

BODY = bytes(SMALL_BLOB + 5)
LARGE = header("l", kind=b"2", link=b"big") + file("big", BODY) + file("last", b"end") + END


def test_of_a_large_layer_only_headers_are_fetched() -> None:
    """By range, where it is not compressed."""
    source = Source(LARGE)
    listing = list_layer(layer_of(LARGE, form="image"), source, Progress())
    assert [item.path for item in listing.files] == ["l", "big", "last"]
    assert source.opened == 0
    assert source.fetched <= 48 * 1024
    assert not listing.verified


def test_a_compressed_layer_is_streamed_to_the_limit() -> None:
    """What was listed until then stays; without a limit it is verified."""
    stored = gzip.compress(LARGE, 0)
    layer = layer_of(stored, form="image", compression="gzip")
    cut = list_layer(layer, Source(stored), Progress(), limit=1024 * 1024)
    assert cut.stopped == "stopped after 1.0 MiB"
    whole = list_layer(layer, Source(stored), Progress())
    assert (len(whole.files), whole.verified) == (3, True)


def test_a_layer_of_very_many_entries_is_listed_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Honest layers may have that many: it is said, not refused."""
    few = partial(TarLimits, entries=1000)
    monkeypatch.setattr("rolldeck.kit.layer_access.TarLimits", few)
    data = directory("d") * 1001 + END
    listing = listed(gzip.compress(data), "gzip")
    assert len(listing.files) == 1000
    assert listing.stopped == "stopped after 1,000 entries"
    layer = layer_of(data, form="image")
    with pytest.raises(StoppedError), open_file(layer, Source(data), "x", Progress()):
        pass


# Hostile archives.


def test_names_and_targets_are_told_as_stored() -> None:
    """Nothing is resolved; what is shown is clean."""
    escape = "\x1b[2J\u202etarget"
    data = (
        file("/etc/passwd")
        + file("../../evil")
        + file(b"latin-\xe9")
        + header("l", kind=b"2", link=escape.encode())
        + header("h", kind=b"1", link=b"../../../etc/shadow")
        + END
    )
    files = found(data)
    assert list(files) == ["etc/passwd", "../../evil", "latin-\\xe9", "l", "h"]
    assert files["l"].target == escape
    assert "\x1b" not in files["l"].special_words
    assert "\\x1b[2J\\u202etarget" in files["l"].special_words
    assert files["h"].target == "../../../etc/shadow"


def test_a_link_has_no_content_whatever_it_says() -> None:
    """As container engines read it: the next block is a header."""
    for kind in b"123456":
        data = header("x", size=512, kind=bytes((kind,))) + file("next") + END
        assert list(found(data)) == ["x", "next"]


def test_a_map_goes_on_in_headers_of_gnu_only() -> None:
    """Elsewhere a name stands at its place."""
    data = header("a", kind=b"S", prefix=b"p" * 150) + file("next") + END
    assert list(found(data)) == ["p" * 150 + "/a", "next"]


def test_a_type_that_is_not_known_is_passed_over() -> None:
    """With its content."""
    files = found(file("label", b"x" * 700, kind=b"V") + file("next") + END)
    assert [item.type for item in files.values()] == ["unknown", "file"]
    assert files["label"].mode_text[0] == "?"


HOSTILE = {
    "bad checksum": file("a", checksum=b"000001\0 "),
    "cut header": file("a") + b"x" * 100,
    "cut content": header("a", size=5000),
    "larger than the layer": header("a", size=2**33 - 1) + END,
    "negative size": header("a", size_field=b"\xff" * 12) + END,
    "huge size": header("a", size_field=b"\x80" + b"\xff" * 11) + END,
    "no number": header("a", size_field=b"0x7        \0") + END,
    "no name": file("") + END,
    "only dots": file("././.") + END,
    "pax size twice": pax(record("size", "1"), record("size", "2")) + file("a") + END,
    "pax size no number": pax(record("size", "-1")) + file("a") + END,
    "pax size too large": pax(record("size", "9" * 19)) + file("a") + END,
    "malformed pax": pax(b"99 path=x\n") + file("a") + END,
    "large pax": file("x", record("comment", "x" * 70_000), kind=b"x") + file("a") + END,
    "global path": pax(record("path", "x"), kind=b"g") + file("a") + END,
    "many extensions": long_name("x") * 9 + file("a") + END,
    "extension and nothing": long_name("x") + END,
    "long name": long_name("x" * 5000) + file("a") + END,
    "long pax name": pax(record("path", "x" * 5000)) + file("a") + END,
    "long pax target": pax(record("linkpath", "x" * 5000)) + header("a", kind=b"2") + END,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_safely_is_refused(name: str) -> None:
    """Whichever way the bytes come, alone or behind a large file."""
    for data in (HOSTILE[name], file("first", BODY) + HOSTILE[name]):
        for ranges in (True, False):
            with pytest.raises(RefusedError):
                listed(data, ranges=ranges)


def test_a_sparse_map_without_end_is_refused() -> None:
    """After 64 KiB, long before the layer ends."""
    first = bytearray(header("a", kind=b"S", magic=GNU))
    first[482] = 1
    first[148:156] = b" " * 8
    first[148:156] = b"%06o\0 " % sum(first)
    data = bytes(first) + b"\1" * 512 * 1024
    with pytest.raises(RefusedError, match="sparse map"):
        listed(data)


def test_a_bomb_is_refused() -> None:
    """The bound on what a compressed layer may expand to is that of every layer."""
    stored = gzip.compress(file("zeros", bytes(80 * 1024 * 1024)) + END, 1)
    with pytest.raises(RefusedError, match="more than the layer holds"):
        listed(stored, "gzip")
