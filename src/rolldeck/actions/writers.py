"""What can be written to behind a reference: a registry, a layout, the library."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rolldeck.actions.fetch import fetch
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import UsageError
from rolldeck.oci import (
    BlobStatus,
    Descriptor,
    Digest,
    Expect,
    Manifest,
    Place,
    Reference,
    RegistryWriter,
)
from rolldeck.progress import Progress
from rolldeck.store import LayoutStore

if TYPE_CHECKING:
    from rolldeck.oci.http import HttpRegistry
    from rolldeck.oci.source import BlobSource


def writer_of(workspace: Workspace, reference: Reference) -> RegistryWriter:
    """Return what writes to the place of a reference; raises UsageError for one that is read."""
    if reference.place is Place.LIBRARY:
        return LayoutWriter(workspace.library)
    if reference.place is Place.LAYOUT:
        return LayoutWriter(LayoutStore(Path(reference.root).expanduser()))
    if reference.place is Place.REGISTRY:
        return cast("HttpRegistry", workspace.registry(reference)).writer
    raise UsageError(
        f"{reference.name} can only be read",
        reference=str(reference),
        hint="Name a registry, an OCI layout or a repository of the library.",
    )


class LayoutWriter:
    """Writes to a layout on the disk; implements ``RegistryWriter``."""

    def __init__(self, store: LayoutStore) -> None:
        self._store = store

    async def has_blob(self, repository: str, blob: Descriptor) -> bool:
        """Whether the layout has a blob; its repositories share them."""
        return await asyncio.to_thread(self._store.has, blob)

    async def push_blob(
        self,
        repository: str,
        blob: Descriptor,
        source: BlobSource,
        progress: Progress,
        *,
        mount_from: str | None = None,
        known_missing: bool = False,
    ) -> BlobStatus:
        """Have a blob in the layout; what an earlier try brought is not fetched again."""
        if await self.has_blob(repository, blob):
            progress.advance(blob.size)
            return "present"
        await fetch(self._store, source.registry, source.repository, blob, progress)
        return "pushed"

    async def find_tag(self, repository: str, tag: str) -> Digest | None:
        """Look up a tag in the index."""
        entries = await asyncio.to_thread(self._store.entries)
        return next(
            (e.descriptor.digest for e in entries if (e.repository, e.tag) == (repository, tag)),
            None,
        )

    async def push_manifest(
        self,
        repository: str,
        manifest: Manifest,
        tags: Sequence[str] = (),
        *,
        named_by_index: bool = False,
        expect: Expect | None = None,
    ) -> None:
        """Store a manifest, then list it in the index, unless an image index will name it."""

        def put() -> None:
            self._store.put(manifest.descriptor, manifest.raw)
            if not named_by_index:
                self._store.tag(repository, tags, manifest.descriptor, expect)

        await asyncio.to_thread(put)

    async def enforces_expectations(self, repository: str, tag: str, manifest: Manifest) -> bool:
        """Whether an index is changed under a lock: always."""
        return True

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Take a version out of the index."""
        await asyncio.to_thread(self._store.remove, repository, digest)

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Take a tag out of the index."""
        await asyncio.to_thread(self._store.untag, repository, tag)
