"""Files of versions that nobody pulled: a real registry behind a proxy that counts."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import Mapping

import pytest

from rolldeck.actions import (
    Workspace,
    copy_out,
    find_and_look,
    list_files,
)
from rolldeck.errors import (
    CancelledError,
    IntegrityError,
    RefusedError,
    UnavailableError,
)
from rolldeck.progress import Progress
from tests.actions.looking import (
    BODY,
    KIB,
    TENSORS,
    WEIGHTS,
    Serve,
    cat,
    layer_requests,
    one_layer,
    paths,
    without_waiting,
)
from tests.kit.archives import END, directory, file, header
from tests.made_kits import KIT_LAYER, tar_of
from tests.servers.fault_proxy import Fault, FaultProxy


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
