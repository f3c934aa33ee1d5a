"""A registry in the test's own process, for repositories that are too large to serve in a test."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

from rolldeck.actions import Workspace
from rolldeck.errors import NotFoundError
from rolldeck.oci import (
    Descriptor,
    Digest,
    Listing,
    Manifest,
    Place,
    Sink,
    parse_manifest,
)
from rolldeck.progress import Progress
from tests.servers.repository import MadeUp


class InMemoryRegistry:
    """Answers from a made-up repository and counts what it was asked."""

    def __init__(self, found: MadeUp, complete: bool = True) -> None:
        self.found = found
        self.complete = complete
        self.asked: Counter[str] = Counter()
        self.order: list[str] = []
        """Tags in the order in which they were asked for."""
        self.free = asyncio.Event()
        """While it is not set, manifests of tags after the first ``at_once`` are held back."""
        self.free.set()
        self.at_once = 0

    async def _answer(self, what: str) -> None:
        self.asked[what] += 1
        await asyncio.sleep(0)

    async def tags(self, repository: str) -> Listing:
        """All tags at once."""
        await self._answer("tags")
        return Listing(tuple(self.found.tags), self.complete)

    async def resolve(self, repository: str, name: str) -> Descriptor:
        """What a tag or digest names."""
        await self._answer("resolve")
        digest = self.found.tags.get(name, name)
        return parse_manifest(self.found.manifests[digest], None, reference=digest).descriptor

    async def tagged_digest(self, repository: str, tag: str) -> Digest:
        """What a tag names."""
        await self._answer("digest")
        return Digest(self.found.tags[tag])

    async def tagged_manifest(self, repository: str, tag: str) -> Manifest:
        """The manifest that a tag names."""
        self.order.append(tag)
        if len(self.order) > self.at_once:
            await self.free.wait()
        return await self.manifest(repository, Digest(self.found.tags[tag]))

    async def manifest(self, repository: str, digest: Digest) -> Manifest:
        """A manifest by digest."""
        await self._answer("manifest")
        return parse_manifest(self.found.manifests[digest], None, reference=digest)

    async def referrers(
        self, repository: str, digest: Digest, artifact_type: str | None = None
    ) -> tuple[Descriptor, ...] | None:
        """No referrers API."""
        return None

    async def read_blob(self, repository: str, blob: Descriptor) -> bytes:
        """A config; no layer is here."""
        data: Mapping[str, bytes] = self.found.blobs
        await self._answer("blob" if blob.digest in data else "layer")
        if blob.digest not in data:
            raise NotFoundError(f"No blob {blob.digest}")
        return data[blob.digest]

    @property
    def address(self) -> str:
        """Where it seems to be."""
        return "many.example"

    async def repositories(self) -> Listing:
        """The only one."""
        return Listing(("many",))

    async def fetch_blob(
        self, repository: str, blob: Descriptor, sink: Sink, progress: Progress
    ) -> None:
        """No layer is here."""
        raise NotFoundError(f"No blob {blob.digest}")

    async def close(self) -> None:
        """Nothing is open."""


def put_in(workspace: Workspace, host: str, registry: InMemoryRegistry) -> None:
    """Let a workspace find a registry at a host."""
    workspace._registries[Place.REGISTRY, host] = registry
