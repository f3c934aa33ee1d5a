"""Connections that end too early: the transfer goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck.actions import Workspace, pull
from rolldeck.errors import UnavailableError
from rolldeck.oci import Descriptor, Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from rolldeck.store import Library
from tests.faults.conftest import Fetch, held, leftovers
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.registry import RunningRegistry

Push = Callable[[int], tuple[Descriptor, bytes]]

SIZE = 3 * 1024 * 1024 + 7
OFFSETS = [0, 1, 2, 4095, 4096, 8191, 65_536, 1_048_575, 1_048_576, SIZE // 2, SIZE - 2, SIZE - 1]


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("offset", OFFSETS)
async def test_a_cut_anywhere_costs_nothing(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch, offset: int, reset: bool
) -> None:
    """Every byte is fetched once (after a reset, what was under way may come again)."""
    blob, data = push(SIZE)
    proxy.faults = [Fault(cut=offset, reset=reset)]
    progress = Progress()
    await fetch_blob(blob, progress)
    assert held(library, blob) == data
    assert progress.done == SIZE
    assert leftovers(library) == []
    assert len(proxy.requests) == 2
    assert proxy.requests[0][1] is None
    if not reset:
        assert proxy.requests[1][1] == (f"bytes={offset}-" if offset else None)
        assert proxy.blob_bytes == SIZE


async def test_fifty_cuts_cost_five_percent_at_most(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """Each cut follows real progress, so none of them counts as the last try."""
    size = 60 * 1024 * 1024
    blob, data = push(size)
    proxy.faults = [Fault(cut=1_100_000, reset=number % 2 == 0) for number in range(50)]
    await fetch_blob(blob)
    assert held(library, blob) == data
    assert len(proxy.requests) == 51
    assert proxy.blob_bytes <= 1.05 * size


async def test_what_came_stays_when_the_tries_are_spent(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """The next command fetches only the rest, even of a blob too small for a journal."""
    blob, data = push(SIZE)
    proxy.faults = [Fault(cut=SIZE // 3), *[Fault(cut=0)] * 6]
    with pytest.raises(UnavailableError):
        await fetch_blob(blob)
    assert held(library, blob) is None
    assert leftovers(library) == [blob.digest.replace(":", "-")]
    proxy.faults = []
    assert await fetch_blob(blob) == SIZE - SIZE // 3
    assert held(library, blob) == data
    assert proxy.blob_bytes == SIZE


async def test_tries_without_progress_end(proxy: FaultProxy, push: Push, fetch_blob: Fetch) -> None:
    """Six failures in a row, each with less than 1 MiB, are enough."""
    blob, _ = push(SIZE)
    proxy.faults = [Fault(cut=1000)] * 20
    with pytest.raises(UnavailableError):
        await fetch_blob(blob)
    assert len(proxy.requests) == 6


async def test_an_empty_blob(library: Library, push: Push, fetch_blob: Fetch) -> None:
    """No byte, but a digest."""
    blob, data = push(0)
    await fetch_blob(blob)
    assert held(library, blob) == data


async def test_a_pull_says_what_it_resumed(
    proxy: FaultProxy, docker_registry: RunningRegistry, golden: Path, tmp_path: Path
) -> None:
    """A blob whose beginning was here is resumed, the others are fetched, later all are present."""
    docker_registry.push(golden / "layouts" / "wdbc", "resumed/wdbc", "v1.2.0")
    workspace = Workspace(Settings(library=tmp_path / "library"))
    reference = Reference.parse(f"{proxy.host}/resumed/wdbc:v1.2.0")
    try:
        manifest = await workspace.manifest(await workspace.resolve(reference))
        largest = max(manifest.layers, key=lambda blob: blob.size)
        data = docker_registry.blob_file(largest.digest).read_bytes()
        partial = workspace.library.claim(largest)
        assert partial is not None
        partial.write(memoryview(data[: largest.size // 2]))
        partial.close()
        first = await pull(workspace, reference, Progress())
        again = await pull(workspace, reference, Progress())
    finally:
        await workspace.close()
    assert {blob.digest for blob in first.blobs if blob.status == "resumed"} == {largest.digest}
    assert first.bytes_transferred == first.bytes_total - largest.size // 2
    assert {blob.status for blob in again.blobs} == {"present"}
