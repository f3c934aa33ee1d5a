"""Files of versions that nobody pulled: a real registry behind a proxy that counts."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from rolldeck.actions import (
    VersionFiles,
    Workspace,
    copy_out,
    find_and_look,
    list_files,
    list_layer_files,
    look_at_file,
    pull,
)
from rolldeck.actions.files import nearest
from rolldeck.actions.versions import load_kit
from rolldeck.errors import (
    CancelledError,
    IntegrityError,
    NotFoundError,
    RefusedError,
    RolldeckError,
    UnavailableError,
    UsageError,
)
from rolldeck.oci import SMALL_BLOB, Reference
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.retry import Clocks
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.kit.archives import END, directory, file, header
from tests.made_kits import KIT_LAYER, MadeLayout, tar_of
from tests.servers.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.servers.registry import RunningRegistry

KIB = 1024
BODY = random.Random(3).randbytes(SMALL_BLOB + 4096)
TENSORS = json.dumps(
    {
        f"w{n}": {"dtype": "U8", "shape": [10], "data_offsets": [n * 10, n * 10 + 10]}
        for n in range(900)
    }
).encode()
WEIGHTS = struct.pack("<Q", len(TENSORS)) + TENSORS + BODY

Serve = Callable[..., Reference]


@pytest.fixture
def proxy(docker_registry: RunningRegistry) -> Iterator[FaultProxy]:
    """A counting proxy in front of the open registry."""
    with fault_proxy(docker_registry.host) as running:
        yield running


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A workspace with an empty library."""
    opened = Workspace(Settings(library=tmp_path / "library"))
    yield opened
    await opened.close()


@pytest.fixture
def made(tmp_path: Path) -> MadeLayout:
    """An empty layout."""
    return MadeLayout(tmp_path / "layout")


@pytest.fixture
def serve(
    made: MadeLayout, docker_registry: RunningRegistry, proxy: FaultProxy, tmp_path: Path
) -> Serve:
    """Push one layer as a kit; returns its reference behind the proxy."""

    def push(
        data: bytes, media_type: str = f"{KIT_LAYER}.model.v1.tar", path: str = "m"
    ) -> Reference:
        layer = made.blob(media_type, data, **{"org.cncf.model.filepath": path})
        made.kit("v1", {"manifestVersion": "1.0.0", "model": {"path": path}}, [layer])
        name = f"files/{tmp_path.name.casefold().replace('_', '-').strip('-')}"
        docker_registry.push(made.root, name)
        return Reference.parse(f"{proxy.host}/{name}:v1")

    return push


async def one_layer(workspace: Workspace, reference: Reference) -> Reference:
    """Resolve a version so that only what its layer costs is counted."""
    resolved = await workspace.resolve(reference)
    await load_kit(workspace, resolved)
    return resolved


def without_waiting(workspace: Workspace, reference: Reference) -> None:
    """Let the registry try again at once."""
    registry = workspace.registry(reference)
    assert isinstance(registry, HttpRegistry)
    registry._transport.clocks = Clocks(sleep=lambda seconds: None)


def layer_requests(proxy: FaultProxy) -> list[str | None]:
    """What was asked of the layer: its requests have a Range."""
    return [asked for _, asked in proxy.requests if asked is not None]


def paths(found: VersionFiles) -> list[str]:
    """Return the files of the layers."""
    return [item.path for _, listing in found.layers for item in listing.files]


async def cat(workspace: Workspace, reference: Reference, path: str) -> tuple[bytes, bool]:
    """Return a file's bytes and whether they were verified."""
    out = bytearray()
    copied = await copy_out(workspace, reference, path, out.extend, Progress())
    assert copied.size == len(out)
    return bytes(out), copied.verified


async def test_a_layer_of_one_file_is_listed_by_its_headers(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """At most five requests and 64 KiB, whatever the size of the file."""
    reference = serve(directory("m") + file("m/weights.safetensors", WEIGHTS) + END)
    await one_layer(workspace, reference)
    proxy.sent.clear()
    found = await list_files(workspace, reference, Progress())
    assert paths(found) == ["m", "m/weights.safetensors"]
    assert len(layer_requests(proxy)) <= 5
    assert proxy.blob_bytes <= 64 * KIB
    assert not found.layers[0][1].verified


async def test_a_tensor_header_costs_itself(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """At most five requests and 64 KiB beside the header."""
    reference = serve(directory("m") + file("m/weights.safetensors", WEIGHTS) + END)
    await one_layer(workspace, reference)
    proxy.sent.clear()
    _, view = await find_and_look(workspace, reference, "m/weights.safetensors", Progress())
    assert view.header is not None
    assert view.header.parameters == 9000
    assert view.type == "safetensors weights"
    assert not view.verified
    assert len(layer_requests(proxy)) <= 5
    assert proxy.blob_bytes <= 64 * KIB + len(TENSORS)


async def test_a_file_costs_itself(workspace: Workspace, serve: Serve, proxy: FaultProxy) -> None:
    """Of a layer with others beside it, by range; nothing of those is fetched."""
    reference = serve(
        file("m/a", BODY) + file("m/b.json", b"{}" * 50_000) + file("m/c", BODY) + END
    )
    await one_layer(workspace, reference)
    proxy.sent.clear()
    assert await cat(workspace, reference, "m/b.json") == (b"{}" * 50_000, False)
    assert len(layer_requests(proxy)) <= 5
    assert proxy.blob_bytes <= 64 * KIB + 100_000


async def test_a_file_that_is_the_layer_comes_at_once_and_verified(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """One request for its header, one for everything."""
    reference = serve(file("m", WEIGHTS) + END)
    await one_layer(workspace, reference)
    proxy.sent.clear()
    proxy.requests.clear()
    assert await cat(workspace, reference, "m") == (WEIGHTS, True)
    assert len(proxy.requests) == 2
    assert proxy.blob_bytes <= len(WEIGHTS) + 64 * KIB


async def test_thousands_of_small_files_take_few_requests(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """Their bodies come along, once."""
    files = {f"m/{n:04}.json": random.Random(n).randbytes(4500) for n in range(2000)}
    data = tar_of(files)
    reference = serve(data)
    await one_layer(workspace, reference)
    proxy.sent.clear()
    found = await list_files(workspace, reference, Progress())
    assert len(paths(found)) == 2001
    assert len(layer_requests(proxy)) <= 20
    assert proxy.blob_bytes <= len(data)


async def test_a_small_layer_is_fetched_once(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """Whole and verified; then nothing more is asked."""
    reference = serve(tar_of({"m/a.txt": b"text", "m/b.txt": b"more"}))
    found = await list_files(workspace, reference, Progress())
    asked = len(proxy.requests)
    assert paths(found) == ["m", "m/a.txt", "m/b.txt"]
    assert found.complete
    assert found.layers[0][1].verified
    assert await cat(workspace, reference, "m/b.txt") == (b"more", True)
    assert (await find_and_look(workspace, reference, "m/a.txt", Progress()))[1].text == b"text"
    assert len(proxy.requests) == asked


async def test_a_registry_without_ranges_is_streamed(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """After one answer that shows it; the list is the same, and verified."""
    reference = serve(file("m/a", BODY) + file("m/b.txt", b"text") + END)
    proxy.faults = [Fault(ignore_range=True)] * 99
    found = await list_files(workspace, reference, Progress())
    assert paths(found) == ["m/a", "m/b.txt"]
    assert found.layers[0][1].verified
    assert await cat(workspace, reference, "m/b.txt") == (b"text", True)
    assert await cat(workspace, reference, "m/a") == (BODY, True)


async def test_a_registry_that_lies_about_ranges_is_streamed(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """No byte is taken from an answer that is not said to be the part."""
    reference = serve(file("m/a", BODY) + file("m/b.txt", b"text") + END)
    await one_layer(workspace, reference)
    lie = Fault(headers={"Content-Range": "bytes 7-99/100"})
    proxy.faults = [Fault()] * len(proxy.requests) + [lie] * 2
    without_waiting(workspace, reference)
    found = await list_files(workspace, reference, Progress())
    assert paths(found) == ["m/a", "m/b.txt"]
    assert found.layers[0][1].verified


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
async def test_a_compressed_layer_is_streamed(
    workspace: Workspace, serve: Serve, proxy: FaultProxy, packing: str
) -> None:
    """Files and weights in it can be read, none by range."""
    data = file("m/x.safetensors", WEIGHTS) + file("m/b.txt", b"text") + END
    if packing == "gzip":
        stored = gzip.compress(data, 1)
    else:
        from backports import zstd

        stored = zstd.compress(data)
    reference = serve(stored, f"{KIT_LAYER}.model.v1.tar+{packing}")
    found = await list_files(workspace, reference, Progress())
    assert paths(found) == ["m/x.safetensors", "m/b.txt"]
    assert found.layers[0][1].verified
    assert await cat(workspace, reference, "m/b.txt") == (b"text", True)
    _, view = await find_and_look(workspace, reference, "m/x.safetensors", Progress())
    assert view.header is not None
    assert view.header.parameters == 9000
    assert layer_requests(proxy) == []


async def test_a_stream_that_breaks_goes_on(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """What was read before the cut is left out of the second try."""
    stored = gzip.compress(file("m/a", BODY) + file("m/b.txt", b"text") + END, 1)
    reference = serve(stored, f"{KIT_LAYER}.model.v1.tar+gzip")
    await one_layer(workspace, reference)
    without_waiting(workspace, reference)
    proxy.faults = [Fault()] * len(proxy.requests) + [Fault(cut=3_000_000)]
    assert await cat(workspace, reference, "m/a") == (BODY, True)


async def test_wrong_bytes_of_a_stream_are_found_out(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """Exit code 6, also though they were printed already."""
    reference = serve(file("m", WEIGHTS) + END)
    await one_layer(workspace, reference)
    flip = Fault(change=lambda at, piece: bytes([piece[0] ^ 1]) + piece[1:] if at > 9**7 else piece)
    proxy.faults = [Fault()] * (len(proxy.requests) + 1) + [flip] * 4
    with pytest.raises(IntegrityError):
        await cat(workspace, reference, "m")


async def test_a_layer_that_ends_early_is_an_error(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """A part that never comes is not taken for the end of the archive."""
    reference = serve(file("m/a", BODY) + file("m/b.txt", b"text") + END)
    await one_layer(workspace, reference)
    without_waiting(workspace, reference)
    proxy.faults = [Fault()] * (len(proxy.requests) + 1) + [Fault(cut=100)] * 9
    with pytest.raises(UnavailableError):
        await list_files(workspace, reference, Progress())


HOSTILE: Mapping[str, bytes] = {
    "leads outside": file("../evil"),
    "link": header("m/link", kind=b"2", link=b"/etc"),
    "device": header("m/dev", kind=b"3"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_archive_is_refused_unfetched(
    workspace: Workspace, serve: Serve, proxy: FaultProxy, name: str
) -> None:
    """As unpacking would, by two requests."""
    reference = serve(file("m/a", BODY) + HOSTILE[name] + END)
    with pytest.raises(RefusedError):
        await list_files(workspace, reference, Progress())
    assert len(layer_requests(proxy)) == 2


async def test_a_reading_stops_when_it_is_cancelled(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """Though the registry never answers."""
    stored = gzip.compress(file("m/a", BODY) + END, 1)
    reference = serve(stored, f"{KIT_LAYER}.model.v1.tar+gzip")
    await one_layer(workspace, reference)
    proxy.faults = [Fault()] * len(proxy.requests) + [Fault(stall=4_000_000)]
    progress, begun = Progress(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def write(chunk: bytes | memoryview) -> None:
        loop.call_soon_threadsafe(begun.set)

    reading = asyncio.ensure_future(copy_out(workspace, reference, "m/a", write, progress))
    await begun.wait()
    progress.cancel()
    with pytest.raises(CancelledError):
        await reading
    assert not proxy.release.is_set()


# Places.


async def test_library_layout_and_kit_are_read_without_a_registry(
    workspace: Workspace, made: MadeLayout
) -> None:
    """Large layers by their headers, in a layout as in the library."""
    layer = made.blob(f"{KIT_LAYER}.model.v1.tar", file("m/a", BODY) + file("m/b", b"b") + END)
    made.kit("v1", {"manifestVersion": "1.0.0", "model": {"path": "m"}}, [layer])
    layout = Reference.parse(f"oci:{made.root}:v1")
    assert await cat(workspace, layout, "m/b") == (b"b", False)
    copy = (await pull(workspace, layout, Progress())).reference
    assert await cat(workspace, copy, "m/b") == (b"b", False)
    progress = Progress()
    found = await list_files(workspace, copy, progress)
    assert paths(found) == ["m/a", "m/b"]
    assert progress.done <= 64 * KIB


async def test_what_is_in_the_library_is_not_fetched(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """Of a version in a registry, too."""
    reference = serve(file("m/a", BODY) + file("m/b", b"b") + END)
    await pull(workspace, reference, Progress())
    proxy.sent.clear()
    assert await cat(workspace, reference, "m/b") == (b"b", False)
    assert proxy.blob_bytes == 0


async def test_files_of_a_chain_are_read_where_they_are(
    workspace: Workspace, made: MadeLayout
) -> None:
    """A lent layer is listed with its kit, and its files open."""
    made.model("base:v1", {"model.bin": b"weights"})
    made.child("child:v1", "base:v1", {"run.py": b"run"})
    child = Reference.parse(f"oci:{made.root}//child:v1")
    found = await list_files(workspace, child, Progress())
    assert [(layer.origin, [f.path for f in listing.files]) for layer, listing in found.layers] == [
        ("base:v1", ["model.bin"]),
        (None, ["run.py"]),
    ]
    assert await cat(workspace, child, "model.bin") == (b"weights", True)


async def test_one_layer_alone(workspace: Workspace, golden: Path) -> None:
    """What the deck asks for: one layer, then one file of it."""
    reference = await workspace.resolve(Reference.parse(f"oci:{golden}/layouts/facts-tensors:v1"))
    layer = (await load_kit(workspace, reference)).layers[0]
    progress = Progress()
    listing = await list_layer_files(workspace, reference, layer, progress)
    assert [item.path for item in listing.files] == ["model.onnx"]
    assert progress.done == layer.size
    view = await look_at_file(workspace, reference, layer, "model.onnx", Progress())
    assert view.header is not None
    assert view.verified
    with pytest.raises(NotFoundError):
        await look_at_file(workspace, reference, layer, "nothing", Progress())


# Paths.


@pytest.fixture
def wdbc(golden: Path) -> Reference:
    """A golden kit of several elements."""
    return Reference.parse(f"oci:{golden}/layouts/wdbc:v1.0.0")


async def test_a_missing_path_names_what_is_near(workspace: Workspace, wdbc: Reference) -> None:
    """By its last part, or by how alike it is."""
    for path in ("train.py", "src/trains.py"):
        with pytest.raises(NotFoundError) as caught:
            await cat(workspace, wdbc, path)
        assert "src/train.py" in str(caught.value.hint)


async def test_a_directory_is_told_from_a_file(workspace: Workspace, wdbc: Reference) -> None:
    """It names what is in it."""
    with pytest.raises(UsageError, match=r"src is a directory with src/predict.py, src/train.py"):
        await cat(workspace, wdbc, "./src/")


async def test_the_kitfile_is_a_file(workspace: Workspace, wdbc: Reference) -> None:
    """As unpacking writes it."""
    data, verified = await cat(workspace, wdbc, "Kitfile")
    assert data.startswith(b"manifestVersion: 1.0.0\n")
    assert verified


async def test_every_golden_file_is_as_unpacked(workspace: Workspace, golden: Path) -> None:
    """Paths, sizes, modes and bytes equal those of the real unpack."""
    for stem in ("wdbc_v1.0.0", "era_v0.2.5-gzip", "era_v1.11-modelpack", "odd-names_v1"):
        expected = json.loads((golden / "expected" / f"{stem}.json").read_bytes())
        repository, _, tag = stem.partition("_")
        reference = Reference.parse(f"oci:{golden}/layouts/{repository}:{tag}")
        found = await list_files(workspace, reference, Progress())
        sizes = {
            f.path: f.size for _, listing in found.layers for f in listing.files if not f.is_dir
        }
        if found.kitfile is not None:
            sizes["Kitfile"] = len(found.kitfile)
        files = [item for item in expected["kit_unpack"] if item["type"] == "file"]
        assert sizes == {item["path"]: item["size"] for item in files}
        for item in files:
            data, verified = await cat(workspace, reference, item["path"])
            assert sha256(data).hexdigest() == item["sha256"]
            assert verified


async def test_an_index_has_no_files(workspace: Workspace, golden: Path) -> None:
    """It names versions that have."""
    with pytest.raises(UsageError, match="image index"):
        await list_files(
            workspace, Reference.parse(f"oci:{golden}/layouts/other:index"), Progress()
        )


async def test_files_of_other_artifacts_are_layers(workspace: Workspace, golden: Path) -> None:
    """By their titles; layers without one are told of."""
    files = Reference.parse(f"oci:{golden}/layouts/other:files")
    assert paths(await list_files(workspace, files, Progress())) == ["hello.txt", "c.json"]
    image = await list_files(
        workspace, Reference.parse(f"oci:{golden}/layouts/other:image-amd64"), Progress()
    )
    assert not image.complete
    assert image.layers[0][1].stopped.startswith("unknown type")


async def test_a_chain_that_cannot_be_read_is_told(workspace: Workspace, made: MadeLayout) -> None:
    """The version's own files are listed."""
    made.child("child:v1", "gone:v1", {"run.py": b"run"})
    child = Reference.parse(f"oci:{made.root}//child:v1")
    found = await list_files(workspace, child, Progress())
    assert paths(found) == ["run.py"]
    assert not found.complete
    with pytest.raises(RolldeckError) as caught:
        await cat(workspace, child, "model.bin")
    assert "gone:v1" in str(caught.value.hint)


def test_nearest_names() -> None:
    """The same last part first; where nothing is alike, what there is."""
    names = ["src/train.py", "docs/train.md", "src/test.py"]
    assert nearest("train.py", names)[0] == "src/train.py"
    assert nearest("zzzz", names) == sorted(names)
