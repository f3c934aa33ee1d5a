"""Fixtures of the fault tests: a real registry behind a proxy, and a library to fill from it."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from rolldeck.actions.fetch import fetch
from rolldeck.oci import Descriptor
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.retry import Clocks
from rolldeck.progress import Progress
from rolldeck.store import Library
from tests.faults.forked import Forked
from tests.faults.invariants import files_of
from tests.faults.operations import REPOSITORY as KIT
from tests.faults.operations import World, push_versions
from tests.oci.bench import blob_of
from tests.servers.fault_proxy import FaultProxy, fault_proxy
from tests.servers.registry import RunningRegistry, push_blob

REPOSITORY = "faults/x"

Fetch = Callable[..., Awaitable[int]]
"""Fetches one blob into the library, as a new process would; returns the bytes transferred."""


@pytest.fixture
def proxy(docker_registry: RunningRegistry) -> Iterator[FaultProxy]:
    """A proxy without faults in front of the open registry."""
    with fault_proxy(docker_registry.host) as running:
        yield running


@pytest.fixture
def push(docker_registry: RunningRegistry) -> Callable[[int], tuple[Descriptor, bytes]]:
    """Push a blob of that many bytes, always the same for a size."""

    def make(size: int) -> tuple[Descriptor, bytes]:
        data = random.Random(size).randbytes(size)
        blob = blob_of(data)
        push_blob(docker_registry.url, REPOSITORY, blob.digest, data)
        return blob, data

    return make


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    made = Library(tmp_path / "library")
    made.prepare()
    return made


@pytest.fixture
async def fetch_blob(proxy: FaultProxy, library: Library) -> AsyncIterator[Fetch]:
    """Fetch through the proxy; each call opens the registry and the library afresh."""
    opened: list[HttpRegistry] = []

    async def run(blob: Descriptor, progress: Progress | None = None) -> int:
        registry = HttpRegistry(proxy.host, clocks=Clocks(sleep=lambda seconds: None))
        opened.append(registry)
        fresh = Library(library.root)
        return await fetch(fresh, registry, REPOSITORY, blob, progress or Progress())

    yield run
    for registry in opened:
        await registry.close()


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A directory in memory where there is one: thousands of runs would wait for a disk."""
    shared = Path("/dev/shm")
    where = shared if os.access(shared, os.W_OK) else None
    made = Path(tempfile.mkdtemp(prefix="rolldeck-faults-", dir=where))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """A warm interpreter that runs command lines."""
    running = Forked()
    yield running
    running.close()


@pytest.fixture(scope="session")
def versions(
    docker_registry: RunningRegistry, forked: Forked, memory: Path
) -> Callable[[Path], World]:
    """Make worlds in which v1, v2 and v3 of a kit can be pulled."""
    packed = push_versions(docker_registry, memory / "packed")

    def world(root: Path, source: str = docker_registry.host) -> World:
        made = World(root, forked, f"{source}/{KIT}", dict(trees))
        made.clear()
        return made

    trees: dict[str, dict[str, str]] = {}
    for digest, files in packed.items():
        scratch = world(memory / "scratch")
        scratch.must("unpack", f"{scratch.source}@{digest}", "-d", scratch.out)
        trees[digest] = files_of(scratch.out)
        assert files == {path: trees[digest][path] for path in files}
        assert len(trees[digest]) == 10
    return world


@pytest.fixture
def world(versions: Callable[[Path], World], memory: Path) -> World:
    """An empty world."""
    return versions(memory / "world")


def held(library: Library, blob: Descriptor) -> bytes | None:
    """The blob as it lies in the library; None where it does not."""
    path = library.layout.blob_path(blob.digest)
    return path.read_bytes() if path.exists() else None


def leftovers(library: Library) -> list[str]:
    """What lies in the library and is no blob."""
    return sorted(path.name for path in (library.root / "partial").iterdir())
