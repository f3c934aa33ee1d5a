"""Cancelling a transfer: it ends soon, and what came stays for the next one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from rolldeck.errors import CancelledError
from rolldeck.oci import Descriptor
from rolldeck.progress import Progress
from rolldeck.store import Library
from tests.faults.conftest import Fetch, held, leftovers
from tests.servers.fault_proxy import Fault, FaultProxy

Push = Callable[[int], tuple[Descriptor, bytes]]

SIZE = 8 * 1024 * 1024 + 3
HALF = SIZE // 2


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("by_task", [False, True])
async def test_a_cancelled_transfer_keeps_what_came(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch, by_task: bool
) -> None:
    """The button in the deck and a signal cancel differently, with the same effect."""
    blob, data = push(SIZE)
    proxy.faults = [Fault(stall=HALF)]
    progress = Progress()
    task = asyncio.ensure_future(fetch_blob(blob, progress))
    await until(lambda: progress.done == HALF)
    if by_task:
        task.cancel()
    else:
        progress.cancel()
    with pytest.raises((CancelledError, asyncio.CancelledError)):
        await asyncio.wait_for(task, 5)
    assert leftovers(library) == [blob.digest.replace(":", "-")]
    assert await fetch_blob(blob) == SIZE - HALF
    assert held(library, blob) == data
    assert proxy.blob_bytes == SIZE


async def test_whoever_waits_for_another_can_be_cancelled(
    library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """Waiting for a lock is no reason to hang."""
    blob, _ = push(SIZE)
    holder = library.claim(blob)
    assert holder is not None
    progress = Progress()
    task = asyncio.ensure_future(fetch_blob(blob, progress))
    await until(lambda: "waiting" in progress.note)
    progress.cancel()
    with pytest.raises(CancelledError):
        await asyncio.wait_for(task, 5)
    holder.close()


async def test_two_in_one_process_fetch_once(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """Two jobs of the deck that want the same."""
    blob, data = push(SIZE)
    counts = await asyncio.gather(fetch_blob(blob), fetch_blob(blob), fetch_blob(blob))
    assert sorted(counts) == [0, 0, SIZE]
    assert held(library, blob) == data
    assert proxy.blob_bytes == SIZE
