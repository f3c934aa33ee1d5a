"""Pull: a version from any place into the library, every byte verified before it is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from rolldeck.actions.fetch import fetch, part_name
from rolldeck.actions.lease import adding
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import UsageError
from rolldeck.oci import Descriptor, Digest, Manifest, Place, Reference
from rolldeck.progress import Progress

if TYPE_CHECKING:
    from rolldeck.kit import Link

_T = TypeVar("_T")


class PulledBlob(NamedTuple):
    """One blob of a pulled version, sizes in bytes; a part may have been here before."""

    digest: Digest
    size: int
    transferred: int

    @property
    def status(self) -> Literal["fetched", "present", "resumed"]:
        """Whether all of it was fetched, none of it, or the rest of an earlier pull."""
        if self.transferred == 0:
            return "present"
        return "fetched" if self.transferred == self.size else "resumed"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did: ``reference`` names the copy in the library; sizes in bytes.

    ``chain`` names the copies of the kits that the model comes from, nearest first; sizes and
    blobs include theirs. ``warning`` is what its user should know of the library.
    ``directory`` is where the version was unpacked on the way. ``kept`` is False where the library
    has no copy of all its layers: ``reference`` then names where they came from.
    """

    reference: Reference
    digest: Digest
    bytes_total: int
    bytes_transferred: int
    blobs: tuple[PulledBlob, ...]
    seconds: float
    chain: tuple[Reference, ...] = ()
    warning: str | None = None
    directory: Path | None = None
    kept: bool = True


class PullPlan(NamedTuple):
    """What a pull would fetch, sizes in bytes; ``missing`` are the blobs that are not here.

    ``chain`` are the kits that the model comes from, nearest first; sizes include theirs.
    """

    reference: Reference
    digest: Digest
    bytes_total: int
    bytes_to_fetch: int
    missing: tuple[Descriptor, ...]
    chain: tuple[Reference, ...] = ()


async def plan_pull(workspace: Workspace, reference: Reference) -> PullPlan:
    """Say what ``pull`` would fetch; only manifests and configs are read. Raises as that does."""
    workspace.require_writable("pull")
    resolved, manifest = await _resolve(workspace, reference)
    chain = await _chain(workspace, resolved, manifest)
    manifests = [manifest, *(link.kit.manifest for link in chain)]
    wanted = {blob.digest: blob for found in manifests for blob in blobs_of(found)}.values()
    has = workspace.library.has
    missing = await asyncio.to_thread(lambda: tuple(blob for blob in wanted if not has(blob)))
    return PullPlan(
        reference=in_library(resolved),
        digest=manifest.digest,
        bytes_total=sum(blob.size for blob in wanted),
        bytes_to_fetch=sum(blob.size for blob in missing),
        missing=missing,
        chain=tuple(in_library(link.reference) for link in chain),
    )


async def _resolve(workspace: Workspace, reference: Reference) -> tuple[Reference, Manifest]:
    resolved, manifest = await workspace.look_up(reference)
    if manifest.is_index:
        raise UsageError(
            f"{reference} is an image index that names {len(manifest.manifests)} manifests",
            reference=str(reference),
            hint="Pull one of them by digest; rolldeck show lists them.",
        )
    return resolved, manifest


async def pull(workspace: Workspace, reference: Reference, progress: Progress) -> Pulled:
    """Fetch a version into the library under its own name; what is there already is not fetched.

    The kits that its model comes from come along, each under its own name, and none of them is
    named before all of them are here. A pull that was cut short, here or in another process, goes
    on where it was. Raises IntegrityError for bytes that are not what the manifest names (nothing
    of them stays), StorageError, CancelledError, the errors of the registry, and those of
    ``load_chain``.
    """
    workspace.require_writable("pull")
    started = time.monotonic()
    resolved, manifest = await _resolve(workspace, reference)
    async with AsyncExitStack() as leases:
        blobs = await _fetch_leased(workspace, resolved, manifest, leases, progress)
        chain = await _chain(workspace, resolved, manifest)
        for link in chain:
            blobs += await _fetch_leased(
                workspace, link.reference, link.kit.manifest, leases, progress
            )
        found = [(link.reference, link.kit.manifest) for link in reversed(chain)]
        found.append((resolved, manifest))
        await to_the_end(asyncio.to_thread(publish, workspace, found))
    return Pulled(
        reference=in_library(resolved),
        digest=manifest.digest,
        bytes_total=sum(blob.size for blob in blobs),
        bytes_transferred=sum(blob.transferred for blob in blobs),
        blobs=blobs,
        seconds=time.monotonic() - started,
        chain=tuple(in_library(link.reference) for link in chain),
        warning=workspace.library.warning,
    )


async def _chain(
    workspace: Workspace, reference: Reference, manifest: Manifest
) -> tuple[Link, ...]:
    """Return the kits to be pulled along with one whose config is in the library already."""
    # Imported here: a version that refers to no other is pulled without these rooms.
    from rolldeck.kit.read import kind_of, read_kit

    if kind_of(manifest) not in ("modelkit", "modelpack") or manifest.config is None:
        return ()
    kit = read_kit(manifest, await workspace.small_blob(reference, manifest.config))
    if kit.model_reference is None:
        return ()
    from rolldeck.actions.chain import load_chain

    return await load_chain(workspace, reference, kit)


def in_library(resolved: Reference) -> Reference:
    """Return the name in the library of the copy of a version."""
    return Reference(Place.LIBRARY, "", resolved.library_name, resolved.tag, resolved.digest)


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for ``work``, also when cancelled meanwhile: its lease must outlast it."""
    running = asyncio.ensure_future(work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def blobs_of(manifest: Manifest) -> list[Descriptor]:
    """Return the config and the layers that a manifest names, each once."""
    found = [manifest.config] if manifest.config else []
    return list({blob.digest: blob for blob in [*found, *manifest.layers]}.values())


async def _fetch_leased(
    workspace: Workspace,
    reference: Reference,
    manifest: Manifest,
    leases: AsyncExitStack,
    progress: Progress,
) -> tuple[PulledBlob, ...]:
    """Fetch the blobs of one version; they stay until ``leases`` end."""
    wanted = blobs_of(manifest)
    digests = [manifest.digest, *(blob.digest for blob in wanted)]
    await leases.enter_async_context(adding(workspace, "pull", str(reference), digests))
    return await _fetch_all(workspace, reference, wanted, progress)


async def _fetch_all(
    workspace: Workspace, reference: Reference, wanted: list[Descriptor], progress: Progress
) -> tuple[PulledBlob, ...]:
    """Fetch what is missing, small blobs first, a few at once; the first failure stops all."""
    missing = [blob for blob in wanted if not workspace.library.has(blob)]
    await asyncio.to_thread(workspace.library.require_room, missing)
    missing.sort(key=lambda blob: blob.size)
    parts = [progress.part(part_name(blob), blob.size) for blob in missing]
    gate = asyncio.Semaphore(workspace.settings.concurrency)
    registry = workspace.registry(reference)

    async def fetch_one(blob: Descriptor, part: Progress) -> tuple[Digest, int]:
        async with gate:
            part.check()
            return blob.digest, await fetch(
                workspace.library, registry, reference.repository, blob, part
            )

    pairs = zip(missing, parts, strict=True)
    fetched = dict(await all_or_nothing([fetch_one(*pair) for pair in pairs], progress))
    return tuple(PulledBlob(blob.digest, blob.size, fetched.get(blob.digest, 0)) for blob in wanted)


async def all_or_nothing(works: Iterable[Coroutine[Any, Any, _T]], progress: Progress) -> list[_T]:
    """Do all at once; the first failure cancels the others, and is raised when they have ended."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        progress.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def publish(workspace: Workspace, found: list[tuple[Reference, Manifest]]) -> None:
    """Store each manifest, then give it its name: nothing is named before it is complete."""
    library = workspace.library
    for reference, manifest in found:
        library.put(manifest.descriptor, manifest.raw)
        tags = [reference.tag] if reference.tag else []
        came_from = reference.library_name if reference.place is Place.REGISTRY else None
        library.tag(reference.library_name, tags, manifest.descriptor, came_from=came_from)
