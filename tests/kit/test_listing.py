"""The files of a layer, whichever way its bytes come."""

from __future__ import annotations

import gzip
import random

import pytest

from rolldeck.errors import CancelledError, IntegrityError, RefusedError
from rolldeck.kit.layer_access import StoppedError
from rolldeck.kit.layer_file import START_LIMIT, copy_file, open_file
from rolldeck.kit.listing import list_layer
from rolldeck.oci import SMALL_BLOB
from rolldeck.progress import Progress
from tests.kit.archives import END, directory, file
from tests.kit.sources import Source, layer_of
from tests.kit.test_tar_reader_hostile import HOSTILE

BODY = random.Random(1).randbytes(SMALL_BLOB + 5)
LARGE = directory("d") + file("d/small", b"text") + file("big", BODY) + file("last", b"end") + END
"""An archive that is too large to be read whole."""

PATHS = ["d", "d/small", "big", "last"]
ON_DISK = ("a11", "a16")
"""Cases that the reader lets through: unpacking refuses them for what else it writes."""


def test_a_small_layer_is_read_whole_and_verified() -> None:
    """One read, no ranges."""
    data = file("x", b"1") + END
    source = Source(data)
    found = list_layer(layer_of(data), source, Progress())
    assert [item.path for item in found.files] == ["x"]
    assert found.verified
    assert (source.opened, source.parts) == (1, [])


def test_a_small_layer_that_is_not_its_digest_is_no_layer() -> None:
    """Nothing of it is listed."""
    data = file("x", b"1") + END
    with pytest.raises(IntegrityError):
        list_layer(layer_of(data, claimed=b"other"), Source(data), Progress())


def test_of_a_large_layer_only_headers_are_read() -> None:
    """The large body is stepped over, and nothing says that it was verified."""
    source = Source(LARGE)
    progress = Progress()
    found = list_layer(layer_of(LARGE), source, progress)
    assert [item.path for item in found.files] == PATHS
    assert not found.verified
    assert found.stopped == ""
    assert source.opened == 0
    assert source.fetched == progress.done <= 48 * 1024
    assert [item.size for item in found.files] == [0, 4, len(BODY), 3]


def test_without_ranges_a_large_layer_is_streamed() -> None:
    """The same list, verified since all of it went by."""
    found = list_layer(layer_of(LARGE), Source(LARGE, ranges=False), Progress())
    assert [item.path for item in found.files] == PATHS
    assert found.verified


def test_a_large_compressed_layer_is_streamed() -> None:
    """Sizes are those of the files."""
    stored = gzip.compress(LARGE, 0)
    source = Source(stored)
    found = list_layer(layer_of(stored, compression="gzip"), source, Progress())
    assert [item.path for item in found.files] == PATHS
    assert found.verified
    assert source.parts == []


def test_a_stream_ends_at_the_limit_and_says_so() -> None:
    """What was listed until then stays."""
    stored = gzip.compress(LARGE, 0)
    layer = layer_of(stored, compression="gzip")
    found = list_layer(layer, Source(stored), Progress(), limit=1024 * 1024)
    assert [item.path for item in found.files] == PATHS[:3]
    assert found.stopped == "stopped after 1.0 MiB"
    assert not found.verified


def test_zeros_without_end_stop_a_listing() -> None:
    """A registry cannot make a look read gigabytes of padding."""
    data = file("x", BODY) + END + bytes(4 * 1024 * 1024)
    progress = Progress()
    limit = 1024 * 1024
    found = list_layer(layer_of(data), Source(data), progress, limit=limit)
    assert [item.path for item in found.files] == ["x"]
    assert found.stopped == "stopped after 1.0 MiB"
    assert progress.done <= 2 * limit


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(
    "archive",
    [pytest.param(HOSTILE[name], id=name) for name in HOSTILE if not name.startswith(ON_DISK)],
)
def test_hostile_archives_are_refused_by_range_too(archive: bytes, ranges: bool) -> None:
    """The same reader, whichever way the bytes come: behind a large file, by range or not."""
    data = file("first", BODY) + archive + END
    with pytest.raises(RefusedError):
        list_layer(layer_of(data), Source(data, ranges=ranges), Progress())


@pytest.mark.parametrize("cut", [700, 512 + len(BODY), len(LARGE) - 1024, len(LARGE) - 512])
def test_a_layer_that_is_cut_short_is_refused(cut: int) -> None:
    """Also where the cut is inside a body that nobody fetched."""
    data = LARGE[:cut] if cut > SMALL_BLOB else file("x", BODY)[: SMALL_BLOB + cut]
    with pytest.raises(RefusedError, match=r"cut|more than the layer holds"):
        list_layer(layer_of(data), Source(data), Progress())


def test_data_behind_the_end_is_refused() -> None:
    """As where it is unpacked."""
    data = LARGE + bytes(512) + b"x" * 512
    with pytest.raises(RefusedError, match="after the end"):
        list_layer(layer_of(data), Source(data), Progress())


def test_a_listing_can_be_cancelled() -> None:
    """Before the next part is asked for."""
    progress = Progress()
    source = Source(LARGE)
    progress.cancel()
    with pytest.raises(CancelledError):
        list_layer(layer_of(LARGE), source, progress)
    assert source.parts == []


def test_raw_and_unknown_layers_are_one_file_or_none() -> None:
    """By their annotation, without reading them."""
    source = Source(b"x")
    raw = list_layer(layer_of(b"x", form="raw", path="a/b"), source, Progress())
    assert [(item.path, item.size) for item in raw.files] == [("a/b", 1)]
    gzipped = layer_of(b"x", form="raw", path="a", compression="gzip")
    assert list_layer(gzipped, source, Progress()).files[0].size is None
    nothing = list_layer(layer_of(b"x", form="unknown"), source, Progress())
    assert (nothing.files, nothing.stopped) == ((), "unknown type application/x")
    assert (source.opened, source.parts) == (0, [])


def test_the_directory_of_old_kits_stands_before_the_names() -> None:
    """As unpacking places them."""
    data = file("x", b"1") + END
    found = list_layer(layer_of(data, base="src/lib"), Source(data), Progress())
    assert found.files[0].path == "src/lib/x"


# One file.


def copied(source: Source, path: str, **layer: object) -> tuple[bytes | None, bool]:
    """Return a file's bytes, and whether they were verified."""
    out = bytearray()
    found = copy_file(layer_of(source.data, **layer), source, path, out.extend, Progress())  # type: ignore[arg-type]
    return (None, False) if found is None else (bytes(out), found.verified)


def test_a_file_costs_its_bytes_and_its_header() -> None:
    """Of a large layer with many files."""
    data = file("a", BODY) + file("b", BODY) + file("c", BODY) + END
    source = Source(data)
    assert copied(source, "b") == (BODY, False)
    assert source.fetched <= len(BODY) + 48 * 1024
    assert source.opened == 0


def test_a_file_that_is_nearly_the_layer_is_verified() -> None:
    """It is streamed, since that costs hardly more than its own bytes."""
    source = Source(LARGE)
    assert copied(source, "big") == (BODY, True)
    assert source.opened == 1


@pytest.mark.parametrize("path", ["d/small", "big", "last"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_every_way_gives_the_same_bytes(path: str, compression: str) -> None:
    """By range, streamed, compressed."""
    want = {"d/small": b"text", "big": BODY, "last": b"end"}[path]
    stored = gzip.compress(LARGE, 0) if compression == "gzip" else LARGE
    for ranges in (True, False):
        source = Source(stored, ranges=ranges)
        assert copied(source, path, compression=compression)[0] == want


def test_wrong_bytes_are_found_out_behind_the_file() -> None:
    """Of a streamed layer that is read to its end."""
    with pytest.raises(IntegrityError):
        copied(Source(LARGE), "big", claimed=b"other")


def test_a_directory_and_what_is_missing_are_no_file() -> None:
    """Both are told apart by who asked."""
    seen: list[str] = []
    source = Source(LARGE)
    layer = layer_of(LARGE)
    with open_file(
        layer, source, "d", Progress(), seen=lambda item: seen.append(item.path)
    ) as found:
        assert found is None
    assert seen == PATHS


@pytest.mark.parametrize("ranges", [True, False])
def test_parts_of_a_file_in_any_order(ranges: bool) -> None:
    """Streamed only near its start."""
    source = Source(LARGE, ranges=ranges)
    with open_file(layer_of(LARGE), source, "big", Progress(), ranges=ranges) as found:
        assert found is not None
        for offset, size in ((0, 8), (5000, 3000), (100, 9), (4, 0)):
            assert found.read_at(offset, size) == BODY[offset : offset + size]
        if ranges:
            assert found.read_at(len(BODY) - 3, 10) == BODY[-3:]
        else:
            with pytest.raises(StoppedError):
                found.read_at(START_LIMIT, 1)


def test_a_limit_is_for_the_search_only() -> None:
    """A file that was found is read to its end; one that is too far is not found."""
    stored = gzip.compress(file("a", b"x") + file("b", BODY) + file("c", BODY) + END, 0)
    layer = layer_of(stored, compression="gzip")
    out = bytearray()
    limit = 1024 * 1024
    assert copy_file(layer, Source(stored), "b", out.extend, Progress(), limit=limit)
    assert out == BODY
    with pytest.raises(StoppedError):
        copy_file(layer, Source(stored), "c", out.extend, Progress(), limit=limit)
