"""Connections that end too early: the transfer goes on where it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rolldeck.errors import UnavailableError
from rolldeck.oci import Descriptor
from rolldeck.progress import Progress
from rolldeck.store import Library
from tests.faults.conftest import Fetch, held, leftovers
from tests.servers.fault_proxy import Fault, FaultProxy

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
