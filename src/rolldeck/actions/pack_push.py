"""Packing straight into a registry, with nothing of it kept on the disk.

The files are read once to learn the digests, so that what the registry has is not sent, and once
more while they are sent. Of a layer whose files did not change since it was packed, the digest is
known. Where they change in between, the registry's digest check refuses them.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from rolldeck.actions.delivery import Delivered, Delivery, deliver, plan_delivery
from rolldeck.actions.graph import Graph
from rolldeck.actions.pack import KnownLayers, Packed, Packing
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import BusyError, IntegrityError, RolldeckError, UsageError
from rolldeck.kit.compressor import compressed
from rolldeck.kit.pack import PackedKit, pack_layers
from rolldeck.kit.pack_documents import PackForm
from rolldeck.kit.pack_plan import PackPlan, PlannedLayer
from rolldeck.kit.tar_writer import layer_chunks
from rolldeck.oci import Descriptor, Digest, Place, Reference, parse_manifest
from rolldeck.oci.digest import Verifier
from rolldeck.oci.source import BlobReader, BlobSource
from rolldeck.progress import Progress


async def plan_packed_push(
    workspace: Workspace,
    packing: Packing,
    progress: Progress,
    *,
    force: bool = False,
    rehash: bool = False,
) -> tuple[Packed, Delivery]:
    """Learn the digests of what is packed, and plan to put it into the registry it is named after.

    Raises UsageError where the name has no registry, RefusedError as ``plan_delivery``, and what
    packing raises.
    """
    target = Reference.parse(packing.reference.repository)
    if target.place is not Place.REGISTRY:
        raise UsageError(
            f"{packing.reference} does not say which registry it goes to",
            reference=str(packing.reference),
            hint="Write -t HOST/REPOSITORY:TAG",
        )
    started = time.monotonic()

    def learn() -> PackedKit:
        known = KnownLayers(workspace, packing, rehash=rehash)
        kit = pack_layers(packing.plan, packing.form, _Hasher, progress, known.find)
        known.keep(kit)
        return kit

    hashing = asyncio.ensure_future(asyncio.to_thread(learn))
    try:
        kit = await asyncio.shield(hashing)
    except asyncio.CancelledError:
        progress.cancel()
        with suppress(RolldeckError):
            await hashing
        raise
    packed = Packed(packing, kit, time.monotonic() - started)
    manifest = parse_manifest(kit.manifest, None, reference=str(target))
    blobs = {blob.digest: blob for blob in (kit.config, *(item.blob for item in kit.layers))}
    graph = Graph((manifest,), tuple(blobs.values()))
    source = target.at(kit.descriptor.digest)
    tags = [item.tag for item in packing.tags]
    return packed, await plan_delivery(workspace, "push", source, target, tags, graph, force=force)


async def push_packed(
    workspace: Workspace, packed: Packed, delivery: Delivery, progress: Progress
) -> Delivered:
    """Send what was packed; raises as ``deliver``, BusyError for files that changed since."""
    origin = _PackedSource(
        workspace.registry(delivery.target),
        delivery.target.repository,
        packed.packing.plan,
        packed.packing.form,
        packed.kit,
    )
    return await deliver(workspace, delivery, progress, origin)


class _Hasher:
    """A blob that is only hashed."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, chunk: memoryview, /) -> None:
        self._hash.update(chunk)
        self._size += len(chunk)

    def commit(self) -> tuple[Digest, int]:
        return Digest("sha256:" + self._hash.hexdigest()), self._size

    def abort(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _PackedSource(BlobSource):
    """Makes the blobs of a kit again out of the directory that it was packed from."""

    plan: PackPlan
    form: PackForm
    kit: PackedKit

    def reader(self, blob: Descriptor) -> Callable[[], BlobReader]:
        """Return what gives the bytes of a layer, or of the config."""
        layers = zip(self.plan.layers, self.kit.layers, strict=True)
        layer = next((planned for planned, made in layers if made.blob.digest == blob.digest), None)
        if layer is None:
            return lambda: _MadeReader(blob, lambda: _pieces_of(self.kit.config_data))
        found = layer
        return lambda: _MadeReader(blob, lambda: _archive(self.plan, found, self.form))


def _pieces_of(data: bytes) -> Iterator[memoryview]:
    yield memoryview(data)


def _archive(plan: PackPlan, layer: PlannedLayer, form: PackForm) -> Iterator[memoryview]:
    return compressed(form.compression, layer_chunks(plan.context, layer.entries))


class _MadeReader:
    """Gives a blob that is made while it is read; implements ``BlobReader``."""

    def __init__(self, blob: Descriptor, make: Callable[[], Iterator[memoryview]]) -> None:
        self._blob = blob
        self._make = make
        self._begin()

    def _begin(self) -> None:
        self._chunks = self._make()
        self._rest = memoryview(b"")
        self._position = 0

    def pieces(self, start: int, end: int, check: Callable[[], None]) -> Iterator[memoryview]:
        """Yield the bytes from ``start`` up to ``end``; what lies before is made again."""
        if start < self._position:
            self._begin()
        while self._position < end:
            check()
            if not self._rest:
                try:
                    self._rest = next(self._chunks)
                except StopIteration:
                    raise self._changed() from None
            skipped = min(max(start - self._position, 0), len(self._rest))
            piece = self._rest[skipped : end - self._position]
            self._rest = self._rest[skipped + len(piece) :]
            self._position += skipped + len(piece)
            if piece:
                yield piece

    def verify(self, check: Callable[[], None]) -> None:
        """Make the blob once more and raise BusyError where it is another one by now."""
        verifier = Verifier(self._blob.digest, self._blob.size)
        try:
            for chunk in self._make():
                check()
                verifier.update(chunk)
            verifier.finish()
        except IntegrityError:
            raise self._changed() from None

    def _changed(self) -> BusyError:
        return BusyError(
            "Files changed while they were packed",
            reference=self._blob.digest,
            hint="Pack again with --rehash when nothing writes to the directory.",
        )

    def close(self) -> None:
        """Make no more."""
        self._chunks = iter(())
