"""Pushes that are cut, killed or cancelled: the next one sends what is missing, and no more."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from rolldeck.errors import CancelledError, UnavailableError
from rolldeck.oci import LayoutRegistry
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.retry import Clocks
from rolldeck.oci.source import BlobSource
from rolldeck.progress import Progress
from tests.conftest import TORTURE
from tests.faults.test_cancel import until
from tests.oci.bench import blob_of
from tests.servers.push_server import Fault, PushServer, push_server
from tests.servers.registry import RunningRegistry, request

KILLS = 12 * TORTURE
MIB = 1024 * 1024

PushBlob = Callable[..., Awaitable[object]]


@pytest.fixture
def server() -> Iterator[PushServer]:
    """A registry that keeps what came of an upload."""
    with push_server() as running:
        yield running


@pytest.fixture
async def push_blob(server: PushServer, tmp_path: Path) -> AsyncIterator[PushBlob]:
    """Push bytes out of a layout, as a new process would."""
    layout = LayoutRegistry(tmp_path / "layout")
    opened: list[HttpRegistry] = []

    async def run(data: bytes, progress: Progress | None = None) -> object:
        blob = blob_of(data)
        path = layout.blob_path(blob.digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        registry = HttpRegistry(server.host, clocks=Clocks(sleep=lambda seconds: None))
        opened.append(registry)
        source = BlobSource(layout, "")
        return await registry.writer.push_blob("x", blob, source, progress or Progress())

    yield run
    for registry in opened:
        await registry.close()


async def test_fifty_cuts_cost_five_percent_at_most(
    server: PushServer, push_blob: PushBlob
) -> None:
    """Each follows real progress, so none of them counts as the last try."""
    data = random.Random(5).randbytes(60 * MIB)
    server.faults = [Fault(cut=1_100_000)] * 50
    progress = Progress()
    await push_blob(data, progress)
    assert server.blobs["x", blob_of(data).digest] == data
    assert sum(server.received.values()) <= 1.05 * len(data)
    assert progress.done == len(data)


async def test_tries_without_progress_end(server: PushServer, push_blob: PushBlob) -> None:
    """Six failures in a row, each with less than 1 MiB, are enough."""
    server.faults = [Fault(cut=1000)] * 50
    with pytest.raises(UnavailableError):
        await push_blob(random.Random(6).randbytes(3 * MIB))
    assert server.methods()["PUT"] + server.methods()["PATCH"] == 6


@pytest.mark.parametrize("by_task", [False, True])
async def test_a_push_is_cancelled(server: PushServer, push_blob: PushBlob, by_task: bool) -> None:
    """While the registry takes nothing more, on a connection used before; then it works."""
    server.stall = threading.Event()
    data = random.Random(8).randbytes(40 * MIB)
    progress = Progress()
    task = asyncio.ensure_future(push_blob(data, progress))
    await until(lambda: progress.done > 0)
    if by_task:
        task.cancel()
    else:
        progress.cancel()
    with pytest.raises((CancelledError, asyncio.CancelledError)):
        await asyncio.wait_for(task, 5)
    server.stall.set()
    # Nothing goes on sending behind the caller's back.
    await until(lambda: server.torn == 1)
    assert not server.blobs
    await push_blob(data)
    assert server.blobs["x", blob_of(data).digest] == data


def rolldeck(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rolldeck", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def test_a_killed_push_leaves_no_half_version(
    docker_registry: RunningRegistry, golden: Path, tmp_path: Path
) -> None:
    """A tag is there only with all of its blobs; the next push sends only what is missing."""
    shutil.copytree(golden / "layouts" / "wdbc", tmp_path / "layout")
    layout = LayoutRegistry(tmp_path / "layout")
    manifest = layout.read_manifest(layout.find("", "v1.2.0").digest)
    chance, host = random.Random(11), docker_registry.host
    started = time.monotonic()
    with rolldeck("push", f"oci:{layout.root}:v1.2.0", f"{host}/killed/first:v1.2.0") as process:
        assert process.wait(60) == 0
    longest = time.monotonic() - started
    for number in range(KILLS):
        repository = f"killed/{number}"
        words = ["push", f"oci:{layout.root}:v1.2.0", f"{host}/{repository}:v1.2.0"]
        with rolldeck(*words) as process:
            time.sleep(chance.uniform(0.3, 1.0) * longest)
            process.kill()
        root = f"{docker_registry.url}/v2/{repository}"
        there = {
            blob.digest: request("HEAD", f"{root}/blobs/{blob.digest}")[0] == 200
            for blob in manifest.layers
        }
        accept = {"Accept": manifest.media_type}
        status, _, _ = request("HEAD", f"{root}/manifests/v1.2.0", headers=accept)
        assert status == 404 or all(there.values())
        with rolldeck(*words, "--json") as process:
            out, _ = process.communicate(timeout=60)
            assert process.returncode == 0
        sent = {blob["digest"]: blob["status"] for blob in json.loads(out)["blobs"]}
        for digest, was_there in there.items():
            assert sent[digest] == ("present" if was_there else "pushed")
        raw = request("GET", f"{root}/manifests/v1.2.0", headers=accept)[2]
        assert raw == manifest.raw
