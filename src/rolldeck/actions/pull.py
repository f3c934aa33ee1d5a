"""Pull: a version from any place into the library, every byte verified before it is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from rolldeck.actions.fetch import fetch
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import UsageError
from rolldeck.oci import Descriptor, Digest, Manifest, Place, Reference
from rolldeck.progress import Progress

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PulledBlob:
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

    ``directory`` is where the version was unpacked on the way. ``kept`` is False where the library
    has no copy of all its layers: ``reference`` then names where they came from.
    """

    reference: Reference
    digest: Digest
    bytes_total: int
    bytes_transferred: int
    blobs: tuple[PulledBlob, ...]
    seconds: float
    directory: Path | None = None
    kept: bool = True


async def pull(workspace: Workspace, reference: Reference, progress: Progress) -> Pulled:
    """Fetch a version into the library under its own name; what is there already is not fetched.

    A pull that was cut short, here or in another process, goes on where it was. Raises
    IntegrityError for bytes that are not what the manifest names (nothing of them stays),
    StorageError, CancelledError, and the errors of the registry.
    """
    workspace.require_writable("pull")
    started = time.monotonic()
    resolved = await workspace.resolve(reference)
    manifest = await workspace.manifest(resolved)
    if manifest.is_index:
        raise UsageError(
            f"{reference} is an image index that names {len(manifest.manifests)} manifests",
            reference=str(reference),
            hint="Pull one of them by digest; rolldeck show lists them.",
        )
    await asyncio.to_thread(workspace.library.prepare)
    blobs = await _fetch_all(workspace, resolved, manifest, progress)
    await asyncio.to_thread(publish, workspace, resolved, manifest)
    copy = Reference(Place.LIBRARY, "", resolved.library_name, resolved.tag, manifest.digest)
    return Pulled(
        reference=copy,
        digest=manifest.digest,
        bytes_total=sum(blob.size for blob in blobs),
        bytes_transferred=sum(blob.transferred for blob in blobs),
        blobs=blobs,
        seconds=time.monotonic() - started,
    )


async def _fetch_all(
    workspace: Workspace, reference: Reference, manifest: Manifest, progress: Progress
) -> tuple[PulledBlob, ...]:
    """Fetch what is missing, small blobs first, a few at once; the first failure stops all."""
    found = [manifest.config] if manifest.config else []
    wanted = list({blob.digest: blob for blob in [*found, *manifest.layers]}.values())
    missing = [blob for blob in wanted if not workspace.library.has(blob)]
    progress.expect(sum(blob.size for blob in missing))
    gate = asyncio.Semaphore(workspace.settings.concurrency)
    registry = workspace.registry(reference)

    async def fetch_one(blob: Descriptor) -> tuple[Digest, int]:
        async with gate:
            progress.check()
            return blob.digest, await fetch(
                workspace.library, registry, reference.repository, blob, progress
            )

    fetched = dict(
        await all_or_nothing(
            [fetch_one(blob) for blob in sorted(missing, key=lambda blob: blob.size)], progress
        )
    )
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


def publish(workspace: Workspace, reference: Reference, manifest: Manifest) -> None:
    """Store the manifest, then give it its name: nothing is named before it is complete."""
    library = workspace.library
    library.put(manifest.descriptor, manifest.raw)
    tags = [reference.tag] if reference.tag else []
    library.tag(reference.library_name, tags, manifest.descriptor)
