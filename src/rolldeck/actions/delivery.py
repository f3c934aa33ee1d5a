"""Delivering a version to a repository: what push, copy and tag have in common.

First planned, so that tags that would move can be shown, then carried out: blobs, manifests, tags.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Literal

from rolldeck.actions.fetch import part_name
from rolldeck.actions.graph import Graph
from rolldeck.actions.lease import adding, reading
from rolldeck.actions.workspace import Workspace
from rolldeck.actions.writers import writer_of
from rolldeck.errors import BusyError, RefusedError, UsageError
from rolldeck.oci import (
    BlobStatus,
    BlobsUnknownError,
    Descriptor,
    Digest,
    Place,
    Reference,
    RegistryWriter,
)
from rolldeck.oci.source import BlobSource
from rolldeck.progress import Progress
from rolldeck.units import short_digest

DeliveryVerb = Literal["push", "copy", "tag"]

_STREAMS = 7
"""Most blobs on their way from registry to registry: each takes two of a registry's threads."""


@dataclass(frozen=True, slots=True)
class TagChange:
    """A tag that a delivery sets, and the digest that it names before; None where it is new."""

    tag: str
    before: Digest | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A plan: a version, the repository that it goes to, and the tags that it gets there.

    ``mounts`` tells by digest which repository of the target's registry may have a blob.
    """

    verb: DeliveryVerb
    source: Reference
    target: Reference
    graph: Graph
    tags: tuple[TagChange, ...]
    mounts: Mapping[Digest, str]

    @property
    def digest(self) -> Digest:
        """The digest of the version."""
        return self.graph.root.digest

    @property
    def moved(self) -> tuple[TagChange, ...]:
        """The tags that name another version before."""
        return tuple(item for item in self.tags if item.before not in (None, self.digest))

    @property
    def reference(self) -> Reference:
        """The version as it is called at the target, by the first of its tags."""
        tag = self.tags[0].tag if self.tags else None
        return replace(self.target, tag=tag, digest=self.digest)


@dataclass(frozen=True, slots=True)
class DeliveredBlob:
    """One blob of a delivered version; its size is in bytes."""

    digest: Digest
    size: int
    status: BlobStatus


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery did; sizes in bytes."""

    delivery: Delivery
    blobs: tuple[DeliveredBlob, ...]
    seconds: float

    @property
    def bytes_transferred(self) -> int:
        """Bytes of the blobs that were sent."""
        return sum(blob.size for blob in self.blobs if blob.status == "pushed")


async def plan_delivery(
    workspace: Workspace,
    verb: DeliveryVerb,
    source: Reference,
    target: Reference,
    tags: Iterable[str],
    graph: Graph,
    *,
    force: bool = False,
    mounts: Mapping[Digest, str] | None = None,
) -> Delivery:
    """Plan to have a resolved version in a repository, under some tags.

    Raises RefusedError where a tag that looks like a version names another one, unless ``force``.
    """
    workspace.require_writable(verb)
    target = replace(target, tag=None, digest=None)
    writer = writer_of(workspace, target)
    names = list(dict.fromkeys(tags))
    found = await asyncio.gather(*(writer.find_tag(target.repository, tag) for tag in names))
    changes = tuple(TagChange(tag, before) for tag, before in zip(names, found, strict=True))
    delivery = Delivery(verb, source, target, graph, changes, mounts or {})
    if delivery.moved and not force:
        _require_no_version(delivery.moved, target)
    return delivery


def _require_no_version(moved: Iterable[TagChange], target: Reference) -> None:
    # Imported here: where no tag moves, a push need not wait for what tells versions.
    from rolldeck.facts import is_version_tag

    fixed = [item for item in moved if is_version_tag(item.tag)]
    if fixed:
        tag = target.tagged(fixed[0].tag)
        raise RefusedError(
            f"{tag} is {short_digest(fixed[0].before or '')}; a version's tag is never moved",
            reference=str(tag),
            hint="Choose another tag; --force moves it all the same.",
        )


async def missing_blobs(workspace: Workspace, delivery: Delivery) -> frozenset[Digest]:
    """Return the blobs that the target does not have, by asking for each."""
    writer = writer_of(workspace, delivery.target)
    gate = asyncio.Semaphore(workspace.settings.concurrency)

    async def ask(blob: Descriptor) -> bool:
        async with gate:
            return await writer.has_blob(delivery.target.repository, blob)

    found = await asyncio.gather(*(ask(blob) for blob in delivery.graph.blobs))
    pairs = zip(delivery.graph.blobs, found, strict=True)
    return frozenset(blob.digest for blob, there in pairs if not there)


async def deliver(
    workspace: Workspace,
    delivery: Delivery,
    progress: Progress,
    origin: BlobSource | None = None,
) -> Delivered:
    """Carry out a delivery as it was planned: blobs, then manifests, then tags.

    ``origin`` has the blobs where the delivery's source has not.

    Raises BusyError where a tag moved since, IntegrityError for a blob that is not what its digest
    says (it does not become one of the target's), CancelledError, StorageError, and the errors of
    the registries. What was delivered until then is not sent again.
    """
    workspace.require_writable(delivery.verb)
    started = time.monotonic()
    writer = writer_of(workspace, delivery.target)
    blobs = delivery.graph.blobs
    async with AsyncExitStack() as leases:
        await _take_leases(workspace, delivery, leases)
        status = await _push_blobs(workspace, writer, delivery, blobs, progress, origin)
        try:
            await _push_manifests(writer, delivery)
        except BlobsUnknownError as error:
            wrong = [blob for blob in blobs if blob.digest in error.digests] or list(blobs)
            status |= await _push_blobs(
                workspace, writer, delivery, wrong, progress, origin, again=True
            )
            await _push_manifests(writer, delivery)
    delivered = tuple(DeliveredBlob(blob.digest, blob.size, status[blob.digest]) for blob in blobs)
    return Delivered(delivery, delivered, time.monotonic() - started)


async def _take_leases(workspace: Workspace, delivery: Delivery, leases: AsyncExitStack) -> None:
    """Keep what is read from a library, and what is brought into it, until ``leases`` end."""
    if delivery.source.place in (Place.LIBRARY, Place.LAYOUT):
        source = delivery.source.at(delivery.digest)
        await leases.enter_async_context(reading(workspace, delivery.verb, source))
    if delivery.target.place is Place.LIBRARY:
        found = [item.digest for item in delivery.graph.manifests]
        found += [item.digest for item in delivery.graph.blobs]
        name = str(delivery.reference)
        await leases.enter_async_context(adding(workspace, delivery.verb, name, found))


async def _push_blobs(
    workspace: Workspace,
    writer: RegistryWriter,
    delivery: Delivery,
    blobs: Iterable[Descriptor],
    progress: Progress,
    origin: BlobSource | None,
    *,
    again: bool = False,
) -> dict[Digest, BlobStatus]:
    """Push blobs, a few at once, the largest first; the first failure stops all."""
    most = workspace.settings.concurrency
    if delivery.source.place is Place.REGISTRY:
        most = min(most, _STREAMS)
    gate = asyncio.Semaphore(most)
    if origin is None:
        origin = BlobSource(workspace.registry(delivery.source), delivery.source.repository)
    local = BlobSource(workspace.library.layout, "")

    async def push(blob: Descriptor, part: Progress) -> tuple[Digest, BlobStatus]:
        async with gate:
            part.check()
            part.state = "sending"
            here = await asyncio.to_thread(workspace.library.has, blob)
            status = await writer.push_blob(
                delivery.target.repository,
                blob,
                local if here else origin,
                part,
                mount_from=delivery.mounts.get(blob.digest),
                known_missing=again,
            )
            part.state = "done"
            return blob.digest, status

    ordered = sorted(blobs, key=lambda blob: -blob.size)
    parts = [progress.part(part_name(blob), blob.size) for blob in ordered]
    tasks = [asyncio.create_task(push(*pair)) for pair in zip(ordered, parts, strict=True)]
    try:
        return dict(await asyncio.gather(*tasks))
    except BaseException:
        progress.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _push_manifests(writer: RegistryWriter, delivery: Delivery) -> None:
    repository = delivery.target.repository
    for manifest in delivery.graph.manifests[:-1]:
        await writer.push_manifest(repository, manifest, named_by_index=True)
    for item in delivery.tags:
        now = await writer.find_tag(repository, item.tag)
        if now not in (item.before, delivery.digest):
            tag = delivery.target.tagged(item.tag)
            raise BusyError(
                f"{tag} moved meanwhile: it is {short_digest(now) if now else 'gone'}",
                reference=str(tag),
                hint="No tag was changed. Look at it, then run the same command again.",
            )
    await writer.push_manifest(repository, delivery.graph.root, [i.tag for i in delivery.tags])


def agreed_digest(reference: Reference, digest: Digest) -> None:
    """Raise UsageError where a destination names another digest than what goes there."""
    if reference.digest not in (None, digest):
        raise UsageError(
            f"{reference} names another version than the one that would go there: {digest}",
            reference=str(reference),
            hint="Leave the digest of the destination out.",
        )
