"""Blobs over a network that breaks, and cancelling."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from rolldeck.errors import (
    CancelledError,
    IntegrityError,
    RolldeckError,
    UnavailableError,
)
from rolldeck.oci.call import Timeouts
from rolldeck.oci.digest import digest_of
from rolldeck.oci.model import Descriptor
from rolldeck.oci.registry import SMALL_BLOB
from rolldeck.oci.retry import RetryPolicy
from rolldeck.progress import Progress
from tests.oci.bench import (
    Jar,
    Open,
    blob_of,
)
from tests.servers.scripted import Scripted, ScriptedServer


async def test_truncated_blob_is_fetched_again(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = bytes(range(256)) * 8192
    short = Scripted(body=data, cut=1000)
    closed = Scripted(body=data, length=-1, cut=70_000)
    scripted.on("GET", ".*", short, closed, Scripted(503), Scripted(body=data))
    jar, progress = Jar(), Progress()
    await open_registry(scripted).fetch_blob("x", blob_of(data), jar, progress)
    assert jar.rewinds == 2
    assert bytes(jar.data) == data
    assert progress.done == len(data)
    assert progress.note == ""


async def test_connection_that_always_breaks(open_registry: Open, scripted: ScriptedServer) -> None:
    data = bytes(10_000)
    scripted.on("GET", ".*", Scripted(body=data, cut=5000))
    jar, progress = Jar(), Progress()
    with pytest.raises(UnavailableError):
        await open_registry(scripted).fetch_blob("x", blob_of(data), jar, progress)
    assert jar.rewinds == 6
    assert progress.done == 0


async def test_wrong_bytes_are_fetched_once_more(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = b"right" * 1000
    scripted.on("GET", ".*", Scripted(body=b"wrong" * 1000), Scripted(body=data))
    jar = Jar()
    await open_registry(scripted).fetch_blob("x", blob_of(data), jar, Progress())
    assert jar.rewinds == 1
    assert bytes(jar.data) == data
    assert len(scripted.asked) == 2


@pytest.mark.parametrize("length", [0, 9, 11, 50_000_000])
async def test_announced_size_differs(
    open_registry: Open, scripted: ScriptedServer, length: int
) -> None:
    scripted.on("GET", ".*", Scripted(body=bytes(length)))
    jar = Jar()
    with pytest.raises(IntegrityError, match="announces"):
        await open_registry(scripted).fetch_blob("x", blob_of(bytes(10)), jar, Progress())
    assert jar.rewinds == 0
    assert not jar.data
    assert len(scripted.asked) == 2


async def test_more_bytes_than_announced(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(body=bytes(50_000_000), length=-1))
    jar = Jar()
    registry = open_registry(scripted)
    with pytest.raises(IntegrityError, match="More bytes"):
        await registry.fetch_blob("x", blob_of(bytes(10)), jar, Progress())
    assert jar.rewinds == 2
    assert not jar.data
    with pytest.raises(IntegrityError):
        await registry.read_blob("x", blob_of(bytes(10)))
    assert scripted.sent < 150_000_000


async def test_blob_too_large_for_memory(open_registry: Open, scripted: ScriptedServer) -> None:
    blob = Descriptor("a/b", digest_of(b""), SMALL_BLOB + 1)
    with pytest.raises(IntegrityError, match="too large"):
        await open_registry(scripted).read_blob("x", blob)
    assert scripted.asked == []


async def test_stalled_blob_times_out_and_is_fetched_again(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = bytes(100_000)
    scripted.on("GET", ".*", Scripted(body=data, stall=50_000), Scripted(body=data))
    registry = open_registry(scripted, timeouts=Timeouts(read=0.2))
    jar = Jar()
    await registry.fetch_blob("x", blob_of(data), jar, Progress())
    assert jar.rewinds == 1
    assert bytes(jar.data) == data


async def test_dripping_blob_loses_its_connection(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = bytes(100_000)
    scripted.on("GET", ".*", Scripted(body=data, drip=0.02), Scripted(body=data))
    registry = open_registry(scripted, timeouts=Timeouts(stall=0.2))
    jar = Jar()
    await registry.fetch_blob("x", blob_of(data), jar, Progress())
    assert jar.rewinds == 1
    assert bytes(jar.data) == data


async def test_dripping_manifest_is_given_up(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(body=bytes(100_000), drip=0.02))
    registry = open_registry(scripted, timeouts=Timeouts(stall=0.1), retry=RetryPolicy(tries=2))
    with pytest.raises(UnavailableError, match="stopped answering"):
        await registry.manifest("x", digest_of(b""))
    assert len(scripted.asked) == 2


async def test_too_many_requests_for_ever(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(429, headers={"Retry-After": "1"}))
    with pytest.raises(UnavailableError) as raised:
        await open_registry(scripted).fetch_blob("x", blob_of(b"d"), Jar(), Progress())
    assert raised.value.code == 5
    assert len(scripted.asked) == 6


async def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("sent", [0, 50_000])
async def test_cancel_ends_a_stalled_body(
    open_registry: Open, scripted: ScriptedServer, sent: int
) -> None:
    data = bytes(100_000)
    scripted.on("GET", ".*", Scripted(body=data, stall=sent))
    jar, progress = Jar(), Progress()
    task = asyncio.create_task(
        open_registry(scripted).fetch_blob("x", blob_of(data), jar, progress)
    )
    await _until(lambda: scripted.asked)
    await asyncio.sleep(0.1)
    start = time.monotonic()
    progress.cancel()
    with pytest.raises(CancelledError):
        await task
    assert time.monotonic() - start < 5
    assert not jar.data
    assert progress.done == 0
    assert len(scripted.asked) == 1


async def test_cancelled_task_leaves_the_sink_alone(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = bytes(100_000)
    scripted.on("GET", ".*", Scripted(body=data, stall=50_000))
    jar = Jar()
    task = asyncio.create_task(
        open_registry(scripted).fetch_blob("x", blob_of(data), jar, Progress())
    )
    await _until(lambda: scripted.asked)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert jar.rewinds == 1
    assert not jar.data


async def test_cancelled_before_it_begins(open_registry: Open, scripted: ScriptedServer) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(CancelledError):
        await open_registry(scripted).fetch_blob("x", blob_of(b"d"), Jar(), progress)
    assert scripted.asked == []


async def test_close_ends_what_runs(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(body=bytes(1000), stall=10))
    registry = open_registry(scripted)
    task = asyncio.create_task(registry.tags("x"))
    await _until(lambda: scripted.asked)
    await registry.close()
    with pytest.raises((RolldeckError, asyncio.CancelledError)):
        await task


def test_importing_the_room_loads_no_http_client() -> None:
    code = "import sys, rolldeck.oci; print(sorted({'urllib3', 'requests'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
