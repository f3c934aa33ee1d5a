"""What every action works on: the settings, the library, and the registries opened so far."""

from __future__ import annotations

from pathlib import Path

from rolldeck.actions.library_registry import LibraryRegistry
from rolldeck.errors import NotFoundError, RefusedError, UnavailableError
from rolldeck.oci import (
    Descriptor,
    Digest,
    LayoutRegistry,
    Manifest,
    Place,
    Reference,
    Registry,
)
from rolldeck.settings import Settings
from rolldeck.store import Library

_CACHED_BLOBS = 32 * 1024 * 1024
"""Most bytes of small blobs kept in memory; a digest never changes, so none goes stale."""


class Workspace:
    """Opens registries on demand and remembers what is immutable; closed by whoever made it."""

    def __init__(self, settings: Settings, *, read_only: bool = False) -> None:
        self.settings = settings
        self.library = Library(settings.library)
        self.read_only = read_only or settings.read_only
        self._registries: dict[tuple[Place, str], Registry] = {}
        self._manifests: dict[Digest, Manifest] = {}
        self._blobs: dict[Digest, bytes] = {}
        self._blob_bytes = 0

    def registry(self, reference: Reference) -> Registry:
        """Return the registry that a reference points into."""
        key = (reference.place, reference.root)
        if key not in self._registries:
            self._registries[key] = self._open(reference)
        return self._registries[key]

    def _open(self, reference: Reference) -> Registry:
        if reference.place is Place.LIBRARY:
            return LibraryRegistry(self.library.root)
        if reference.place is Place.LAYOUT:
            return LayoutRegistry(Path(reference.root).expanduser())
        # Imported late: the network stack costs 80 ms that no local verb should pay.
        from rolldeck.oci.http import HttpRegistry

        host = self.settings.registry(reference.root)
        return HttpRegistry(
            reference.root,
            plain_http=host.plain_http,
            ca_file=host.ca_file,
            token_hosts=host.token_hosts,
        )

    async def resolve(self, reference: Reference) -> Reference:
        """Return the reference with its digest, asking where it points.

        Without tag and digest ``latest`` is meant. Raises NotFoundError that names what there is,
        and for a tag and a digest together one that says where the tag points now.
        """
        if reference.place is Place.LIBRARY and not self.library.exists:
            raise NotFoundError(
                f"The library is empty, so there is no {reference}",
                reference=str(reference),
                hint="rolldeck demo fills a library to play with; rolldeck pull fetches a version.",
            )
        name = reference.digest or reference.tag or "latest"
        try:
            found = await self.registry(reference).resolve(reference.repository, name)
        except NotFoundError as error:
            if reference.tag or reference.digest:
                raise
            raise await self._without_latest(reference, error) from None
        return reference.at(found.digest)

    async def _without_latest(self, reference: Reference, error: NotFoundError) -> NotFoundError:
        from rolldeck.facts import order_tags

        try:
            listing = await self.registry(reference).tags(reference.repository)
        except (NotFoundError, UnavailableError):
            return error
        newest = ", ".join(order_tags(listing.names)[:5])
        return NotFoundError(
            f"{reference} has no tag latest",
            reference=str(reference),
            hint=f"Name a version; the newest are: {newest}" if newest else None,
        )

    async def manifest(self, reference: Reference) -> Manifest:
        """Return the manifest of a resolved reference, fetched once."""
        if reference.digest is None:
            reference = await self.resolve(reference)
        digest = reference.digest
        assert digest is not None
        if digest not in self._manifests:
            registry = self.registry(reference)
            self._manifests[digest] = await registry.manifest(reference.repository, digest)
        return self._manifests[digest]

    async def small_blob(self, reference: Reference, blob: Descriptor) -> bytes:
        """Return a small blob of a version, fetched once."""
        if blob.digest in self._blobs:
            return self._blobs[blob.digest]
        if self.library.has(blob):
            data = await self.library.layout.read_blob(reference.repository, blob)
        else:
            data = await self.registry(reference).read_blob(reference.repository, blob)
        if self._blob_bytes + len(data) <= _CACHED_BLOBS:
            self._blobs[blob.digest] = data
            self._blob_bytes += len(data)
        return data

    def require_writable(self, verb: str) -> None:
        """Raise RefusedError where changing verbs were taken away."""
        if self.read_only:
            raise RefusedError(
                f"{verb} is not available: rolldeck runs read-only",
                hint="Start it without --read-only, and without read_only in the settings.",
            )

    async def close(self) -> None:
        """Close every registry that was opened."""
        for registry in self._registries.values():
            await registry.close()
        self._registries.clear()
