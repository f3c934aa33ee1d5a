"""Fixtures of the fault tests: a real registry behind a proxy, and a library to fill from it."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rolldeck.actions import Workspace, pull
from rolldeck.actions.fetch import fetch
from rolldeck.actions.pulling import Pulled
from rolldeck.oci import MANIFEST, Descriptor, Reference, Registry
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.model import parse_manifest
from rolldeck.oci.retry import Clocks
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from rolldeck.store import Library
from tests.faults.forked import Forked
from tests.faults.invariants import broken_library, files_of, names_of
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
    """Make worlds in which v1 and v2 of a kit can be pulled."""
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


class Puller:
    """Pulls versions of the kit into one library, each time as a new process would.

    Pauses between tries are noted, not slept: ``slept`` has their seconds, ``notes`` what the user
    saw meanwhile. ``pause`` is called instead of each.
    """

    def __init__(self, library: Path) -> None:
        self.library = library
        self.slept: list[float] = []
        self.notes: list[str] = []
        self.clock = 0.0
        self.pause: Callable[[], None] = lambda: None
        self.settings: dict[str, Any] = {}
        self.concurrency = 5

    async def __call__(self, reference: str) -> Pulled:
        """Pull; raises as the action does."""
        progress = Progress()

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.notes += progress.events[-1:]
            self.clock += seconds
            self.pause()

        clocks = Clocks(sleep=sleep, monotonic=lambda: self.clock, chance=lambda: 0.5)
        settings = Settings(library=self.library, concurrency=self.concurrency)
        workspace = _Injected(settings, {"clocks": clocks} | self.settings)
        try:
            return await pull(workspace, Reference.parse(reference), progress)
        finally:
            await workspace.close()


class _Injected(Workspace):
    """A workspace whose registries have a test's clocks and timeouts."""

    def __init__(self, settings: Settings, injected: dict[str, Any]) -> None:
        super().__init__(settings)
        self._injected = injected

    def _open(self, reference: Reference) -> Registry:
        return HttpRegistry(reference.root, **self._injected)


@pytest.fixture
def puller(tmp_path: Path) -> Puller:
    """Pulls into an empty library."""
    return Puller(tmp_path / "library")


@dataclass(frozen=True)
class KitVersion:
    """v1 of the kit behind the proxy; ``layer`` is its largest."""

    reference: str
    digest: str
    layer: Descriptor
    others: tuple[Descriptor, ...]

    @property
    def size(self) -> int:
        """Bytes of all blobs but the manifest."""
        return self.layer.size + sum(blob.size for blob in self.others)


@pytest.fixture
def kit(
    proxy: FaultProxy,
    versions: Callable[[Path], World],
    docker_registry: RunningRegistry,
    memory: Path,
) -> KitVersion:
    """v1 behind the proxy, whose faults meet its largest layer."""
    digest = next(iter(versions(memory / "world").trees))
    manifest = parse_manifest(
        docker_registry.blob_file(digest).read_bytes(), MANIFEST, reference="kit"
    )
    layer = max(manifest.layers, key=lambda blob: blob.size)
    proxy.only = f"/blobs/{layer.digest}"
    found = [manifest.config] if manifest.config else []
    others = tuple(blob for blob in (*found, *manifest.layers) if blob != layer)
    return KitVersion(f"{proxy.host}/{KIT}:v1", digest, layer, others)


def whole(library: Path, kit: KitVersion) -> bool:
    """Whether the kit is in the library under its name, with all its blobs, and nothing else is."""
    problems = broken_library(library)
    here = [blob for blob in (kit.layer, *kit.others) if Library(library).has(blob)]
    named = names_of(library) == {kit.reference: kit.digest}
    return not problems and named and len(here) == 1 + len(kit.others) and not parts(library)


def part(blob: Descriptor) -> str:
    """The name of a half-fetched blob."""
    return blob.digest.replace(":", "-")


def parts(library: Path) -> list[str]:
    """What lies half-fetched in a library."""
    return sorted(path.name for path in (library / "partial").glob("*"))


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
