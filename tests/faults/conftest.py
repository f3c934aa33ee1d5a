"""Fixtures of the fault tests: a real registry behind a proxy, and a library to fill from it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from rolldeck.actions.fetch import fetch
from rolldeck.oci import Descriptor
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.retry import Clocks
from rolldeck.progress import Progress
from rolldeck.store import Library
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


def held(library: Library, blob: Descriptor) -> bytes | None:
    """The blob as it lies in the library; None where it does not."""
    path = library.layout.blob_path(blob.digest)
    return path.read_bytes() if path.exists() else None


def leftovers(library: Library) -> list[str]:
    """What lies in the library and is no blob."""
    return sorted(path.name for path in (library.root / "partial").iterdir())
