"""What every action works on: settings, library, kit's storage, the registries opened so far."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rolldeck.actions.damage import told_as_damage
from rolldeck.actions.library_registry import LibraryRegistry
from rolldeck.errors import IntegrityError, NotFoundError, RefusedError, UnavailableError
from rolldeck.oci import (
    Descriptor,
    Digest,
    KitStorage,
    LayoutRegistry,
    Manifest,
    Place,
    Reference,
    Registry,
    kit_home,
    parse_manifest,
)
from rolldeck.settings import Settings, cache_home
from rolldeck.store import Cache, Library

if TYPE_CHECKING:
    from rolldeck.oci.http import HttpRegistry
    from rolldeck.oci.secret import CredentialSource

_LARGEST_KEPT = 1024 * 1024
"""Largest part of a blob that the cache keeps, in bytes: whatever is larger is read to have it."""

_CACHED_BLOBS = 32 * 1024 * 1024
"""Most bytes of small blobs kept in memory; a digest never changes, so none goes stale."""


class Workspace:
    """Opens registries on demand and remembers what is immutable; closed by whoever made it."""

    def __init__(self, settings: Settings, *, read_only: bool = False) -> None:
        self.settings = settings
        self.library = Library(settings.library)
        self.kit_storage = KitStorage(kit_home())
        self.cache = Cache(cache_home() / "registries.sqlite3")
        self.read_only = read_only or settings.read_only
        self._registries: dict[tuple[Place, str], Registry] = {}
        self._manifests: dict[Digest, Manifest] = {}
        self._blobs: dict[Digest, bytes] = {}
        self._blob_bytes = 0
        self._asking: dict[Digest, asyncio.Lock] = {}
        self._writing: asyncio.Task[None] | None = None

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
        if reference.place is Place.KIT:
            return self.kit_storage
        return self.open_registry(reference.root)

    def open_registry(
        self,
        root: str,
        credentials: CredentialSource | None = None,
        token_hosts: Collection[str] = (),
    ) -> HttpRegistry:
        """Open the registry ``host[:port]`` as the settings say; the caller closes it.

        ``credentials`` None means the user's own; ``token_hosts`` may get them, too.
        """
        # Imported late: the network stack costs 80 ms that no local verb should pay.
        from rolldeck.oci.http import HttpRegistry
        from rolldeck.oci.proxy import proxies_for
        from rolldeck.oci.token_hosts import TokenHosts

        host = self.settings.registry(root)
        return HttpRegistry(
            root,
            plain_http=host.plain_http,
            ca_file=host.ca_file,
            client_cert=host.client_cert,
            client_key=host.client_key,
            proxies=proxies_for(root, self.settings),
            credentials=credentials,
            token_hosts=TokenHosts(root, (*host.token_hosts, *token_hosts)),
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
        named = _named(reference)
        name = named.digest or named.tag or ""
        try:
            found = await self.registry(reference).resolve(reference.repository, name)
        except NotFoundError as error:
            if named is reference:
                raise
            raise await self._without_latest(reference, error) from None
        return named.at(found.digest)

    async def look_up(self, reference: Reference) -> tuple[Reference, Manifest]:
        """Return the reference with its digest, and the manifest; raises as ``resolve``.

        What a tag of a registry names comes with one request, where ``resolve`` and ``manifest``
        take two.
        """
        named = _named(reference)
        if named.place is Place.REGISTRY and named.digest is None and named.tag is not None:
            # Of a tag that is not there, resolve says what there is instead.
            with suppress(NotFoundError):
                registry = self.registry(reference)
                found = await registry.tagged_manifest(reference.repository, named.tag)
                self._manifests[found.digest] = found
                return named.at(found.digest), found
        resolved = await self.resolve(reference)
        return resolved, await self.manifest(resolved)

    def has_seen(self, reference: Reference) -> bool:
        """Whether this is a digest in a registry whose manifest was read in this session."""
        is_remote = reference.place is Place.REGISTRY
        return is_remote and reference.digest in self._manifests

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

    async def manifest(self, reference: Reference, *, may_be_cached: bool = False) -> Manifest:
        """Return the manifest of a resolved reference, fetched once.

        Where it is only looked at it ``may_be_cached``, and no registry is asked for it.
        """
        if reference.digest is None:
            reference = await self.resolve(reference)
        digest = reference.digest
        assert digest is not None
        if digest not in self._manifests:
            found = await self._cached_manifest(reference, digest) if may_be_cached else None
            if found is None:
                registry = self.registry(reference)
                with self._damage_told(reference):
                    found = await registry.manifest(reference.repository, digest)
                if may_be_cached:
                    self.keep(reference, digest, found.raw)
            self._manifests[digest] = found
        return self._manifests[digest]

    async def _cached_manifest(self, reference: Reference, digest: Digest) -> Manifest | None:
        raw = await self._cached(reference, digest)
        if raw is not None:
            with suppress(IntegrityError):
                return _parse(raw, digest)
        return None

    async def small_blob(
        self, reference: Reference, blob: Descriptor, *, is_new: bool = False
    ) -> bytes:
        """Return a small blob of a version, fetched once.

        The cache is not asked for one that ``is_new``, which would cost more than it saves.
        """
        if blob.digest in self._blobs:
            return self._blobs[blob.digest]
        # Whoever asks for what another asks for waits, and finds it at hand.
        asking = self._asking.setdefault(blob.digest, asyncio.Lock())
        try:
            async with asking:
                if blob.digest in self._blobs:
                    return self._blobs[blob.digest]
                return await self._fetch_small(reference, blob, is_new)
        finally:
            if not asking.locked():
                self._asking.pop(blob.digest, None)

    async def _fetch_small(self, reference: Reference, blob: Descriptor, is_new: bool) -> bytes:
        data = await self._local_blob(reference, blob)
        if data is None and not is_new:
            data = await self._cached(reference, blob.digest)
        if data is None:
            data = await self.registry(reference).read_blob(reference.repository, blob)
            self.keep(reference, blob.digest, data)
        if self._blob_bytes + len(data) <= _CACHED_BLOBS:
            self._blobs[blob.digest] = data
            self._blob_bytes += len(data)
        return data

    async def part(self, reference: Reference, blob: Descriptor, start: int, size: int) -> bytes:
        """Return a part of a registry's blob, at most ``SMALL_BLOB``; not verified.

        What begins and ends with a block is fetched once. Raises as ``read_range``.
        """
        # Imported here: whoever only lists versions needs nothing of kits.
        from rolldeck.kit.range_file import BLOCK_SIZE

        registry = self.registry(reference)
        end = start + size
        aligned = start % BLOCK_SIZE == 0 and (end % BLOCK_SIZE == 0 or end == blob.size)
        if reference.place is not Place.REGISTRY or not aligned or size > _LARGEST_KEPT:
            return await registry.read_range(reference.repository, blob, start, size)
        place = f"{reference.root}/{reference.repository}@{blob.digest}"
        starts = range(start, end, BLOCK_SIZE)
        known = await asyncio.to_thread(self.cache.parts, place, starts)
        missing = [
            at for at in starts if len(known.get(at, b"")) != min(BLOCK_SIZE, blob.size - at)
        ]
        if missing:
            until = min(missing[-1] + BLOCK_SIZE, blob.size)
            data = await registry.read_range(
                reference.repository, blob, missing[0], until - missing[0]
            )
            fresh = {
                at: data[at - missing[0] : at - missing[0] + BLOCK_SIZE]
                for at in range(missing[0], until, BLOCK_SIZE)
            }
            known |= fresh
            self.cache.keep_parts(place, fresh)
            if self.cache.is_full:
                self.write_soon()
        return b"".join(known[at] for at in starts)

    async def _local_blob(self, reference: Reference, blob: Descriptor) -> bytes | None:
        """Return a blob from the library; None where another place has to be asked."""
        if not self.library.has(blob):
            return None
        try:
            with self._damage_told(reference):
                return await self.library.layout.read_blob(reference.repository, blob)
        except (IntegrityError, NotFoundError):
            if reference.place is Place.LIBRARY:
                raise
            return None  # rotted, or collected meanwhile: the version itself is elsewhere

    def _damage_told(self, reference: Reference) -> AbstractContextManager[None]:
        if reference.place is Place.LIBRARY:
            return told_as_damage(self.library, reference)
        return nullcontext()

    def recall(self, digests: Iterable[Digest]) -> list[tuple[Manifest, bytes | None]]:
        """Return those of these manifests that the cache holds, each with its config where held.

        Blocks; meant for a thread.
        """
        manifests = []
        for digest, raw in self.cache.read(digests).items():
            with suppress(IntegrityError):
                manifests.append(_parse(raw, digest))
        blobs = [item.config.digest for item in manifests if item.config is not None]
        configs = self.cache.read(dict.fromkeys(blobs))
        return [
            (item, configs.get(item.config.digest) if item.config is not None else None)
            for item in manifests
        ]

    async def _cached(self, reference: Reference, digest: Digest) -> bytes | None:
        """Return what the cache has of a registry; what is on this disk anyway is not in it."""
        if reference.place is not Place.REGISTRY:
            return None
        return (await asyncio.to_thread(self.cache.read, [digest])).get(digest)

    def keep(self, reference: Reference, digest: Digest, data: bytes) -> None:
        """Let the cache keep a verified manifest or small blob, where it came from a registry."""
        if reference.place is not Place.REGISTRY:
            return
        self.cache.keep(digest, data)
        if self.cache.is_full:
            self.write_soon()

    def write_soon(self) -> None:
        """Begin to write what the cache was given, so that other processes know of it, too."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(asyncio.to_thread(self.cache.flush))

    def require_writable(self, verb: str) -> None:
        """Raise RefusedError where changing verbs were taken away."""
        if self.read_only:
            raise RefusedError(
                f"{verb} is not available: rolldeck runs read-only",
                hint="Start it without --read-only, and without read_only in the settings.",
            )

    async def close(self) -> None:
        """Close every registry that was opened, and write what the cache was given."""
        for registry in self._registries.values():
            await registry.close()
        self._registries.clear()
        if self._writing is not None:
            await self._writing
        await asyncio.to_thread(self.cache.close)


def _named(reference: Reference) -> Reference:
    return reference if reference.tag or reference.digest else reference.tagged("latest")


def _parse(raw: bytes, digest: Digest) -> Manifest:
    """Return the manifest that the cache keeps under a digest, which may not be its sha256."""
    return replace(parse_manifest(raw, None, reference=digest), digest=digest)
