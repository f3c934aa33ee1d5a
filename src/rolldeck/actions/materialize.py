"""Having a version's files in a directory, from wherever its blobs are, each byte written once.

A large uncompressed layer that is not in the library is received in one pass: hashed and written
as files while it arrives, visible only once every digest matched. Small and compressed layers go
through the library. All of that happens at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from rolldeck.actions.fetch import Hold, fetch, hold, in_thread, rebuild
from rolldeck.actions.pull import PulledBlob, all_or_nothing
from rolldeck.actions.versions import load_kit
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RefusedError, UsageError
from rolldeck.kit import Unpacking
from rolldeck.oci import SMALL_BLOB, Descriptor, Digest, LayoutRegistry, Place, Reference
from rolldeck.progress import Progress
from rolldeck.release.stand_in import has_stand_in

if TYPE_CHECKING:
    from rolldeck.kit import Kit, Layer, Stamp, Tree

BeforeVisible = Callable[["Unpacking", Reference, "Tree", "dict[str, Stamp]"], None]
"""Called in a thread with a complete, durable tree, just before it gets its name."""


@dataclass(frozen=True, slots=True)
class Materialized:
    """What was written: the resolved reference, its kit, every file, and how the blobs came."""

    reference: Reference
    kit: Kit
    tree: Tree
    blobs: tuple[PulledBlob, ...]


async def materialize(
    workspace: Workspace,
    reference: Reference,
    directory: Path,
    progress: Progress,
    *,
    before_visible: BeforeVisible = lambda unpacking, reference, tree, stamps: None,
    everything: bool = False,
    through_library: bool = False,
) -> Materialized:
    """Write a version's files to ``directory``, which must be new or empty.

    The library gets the config and every layer that is small or compressed; with ``everything``
    also those that cannot be unpacked. Of a layout it gets something only with
    ``through_library``. What came in one pass stays for the next time after an
    error or a cancel. Raises the errors of ``kit.Unpacking`` and of the registry.
    """
    resolved = await workspace.resolve(reference)
    kit = await load_kit(workspace, resolved)
    require_kit(kit, resolved)
    direct = resolved.place is Place.LAYOUT and not through_library
    if not direct:
        await asyncio.to_thread(workspace.library.prepare)
    work = _Materializing(workspace, resolved, kit, progress, direct)
    try:
        await work.hold()
        async with _opened(work.unpacking(directory)) as unpacking:
            blobs = await work.bring(unpacking, everything)
            progress.check()
            tree = await in_thread(
                lambda: unpacking.finish(
                    lambda tree, stamps: before_visible(unpacking, resolved, tree, stamps)
                )
            )
    finally:
        work.let_go()
    return Materialized(resolved, kit, tree, blobs)


@asynccontextmanager
async def _opened(unpacking: Unpacking) -> AsyncIterator[Unpacking]:
    """Open and close it in a thread: it may have much to read, or to remove."""
    await in_thread(unpacking.__enter__)
    try:
        yield unpacking
    except BaseException as error:
        caught = error
        await in_thread(lambda: unpacking.__exit__(type(caught), caught, None))
        raise
    await in_thread(lambda: unpacking.__exit__(None, None, None))


class _Materializing:
    """Brings the blobs of one version to where they are unpacked."""

    def __init__(
        self,
        workspace: Workspace,
        reference: Reference,
        kit: Kit,
        progress: Progress,
        direct: bool,
    ) -> None:
        """``direct`` unpacks from the blobs where they lie, past the library."""
        self._direct = direct
        self._library = workspace.library
        self._reference = reference
        self._kit = kit
        self._progress = progress
        self._source = workspace.registry(reference)
        self._gate = asyncio.Semaphore(workspace.settings.concurrency)
        self._holds: dict[Digest, Hold] = {}

    async def hold(self) -> None:
        """Become the only one who receives the large layers that are not in the library."""
        if self._direct:
            return
        wanted = {layer.digest: layer.blob for layer in self._kit.layers if _fits_one_pass(layer)}
        # In one order for all processes: none waits for a digest that waits for it.
        for digest, blob in sorted(wanted.items()):
            held = await hold(self._library, blob, self._progress)
            if held is not None:
                self._holds[digest] = held

    def let_go(self) -> None:
        """Let other processes have the layers."""
        for held in self._holds.values():
            held.close()
        self._holds.clear()

    def unpacking(self, directory: Path) -> Unpacking:
        """Return what the layers are unpacked with."""
        return Unpacking(
            self._kit, directory, self._progress, lambda layer: layer.digest in self._holds
        )

    async def bring(self, unpacking: Unpacking, everything: bool) -> tuple[PulledBlob, ...]:
        """Receive, fetch and unpack all, small blobs first."""
        layers: dict[Digest, list[Layer]] = {}
        for layer in unpacking.layers:
            layers.setdefault(layer.digest, []).append(layer)
        config = self._kit.manifest.config
        blobs = {
            blob.digest: blob
            for blob in [*([config] if config else []), *self._kit.manifest.layers]
            if blob is config or blob.digest in layers or everything
        }
        found = await all_or_nothing(
            [
                self._bring_one(unpacking, blob, layers.get(blob.digest, []))
                for blob in sorted(blobs.values(), key=lambda blob: blob.size)
            ],
            self._progress,
        )
        transferred = dict(found)
        return tuple(
            PulledBlob(blob.digest, blob.size, transferred[blob.digest]) for blob in blobs.values()
        )

    async def _bring_one(
        self, unpacking: Unpacking, blob: Descriptor, layers: list[Layer]
    ) -> tuple[Digest, int]:
        async with self._gate:
            self._progress.check()
            transferred = await self._receive(unpacking, layers[0]) if layers else None
            if transferred is None:
                transferred = await self._fetch(blob)
                for layer in layers:
                    await in_thread(partial(self._add, unpacking, layer))
            return blob.digest, transferred

    async def _receive(self, unpacking: Unpacking, layer: Layer) -> int | None:
        """Receive a layer in one pass; None where it has to be fetched as a blob."""
        sink = unpacking.sink(layer)
        if sink is None:
            return None
        progress = self._progress
        progress.expect(layer.size)
        remote = self._reference.place is not Place.LIBRARY
        try:
            if (
                not remote
                or sink.offset
                or not await rebuild(self._library, layer.blob, sink, progress)
            ):
                await self._source.fetch_blob(
                    self._reference.repository, layer.blob, sink, progress
                )
                transferred = layer.size - sink.resumed if remote else 0
            else:
                transferred = 0
        except RefusedError:
            # Hostile or damaged on its way: only the whole blob can tell, which no file is made of.
            await in_thread(partial(unpacking.forgo, layer))
            self._holds.pop(layer.digest).close()
            return None
        await in_thread(sink.commit)
        return transferred

    async def _fetch(self, blob: Descriptor) -> int:
        """Have a blob where ``_add`` finds it; returns the bytes transferred."""
        if self._direct or self._library.has(blob):
            return 0
        self._progress.expect(blob.size)
        repository = self._reference.repository
        return await fetch(self._library, self._source, repository, blob, self._progress)

    def _add(self, unpacking: Unpacking, layer: Layer) -> None:
        source = self._library.layout
        if self._direct and isinstance(self._source, LayoutRegistry):
            source = self._source
        unpacking.add(layer, cast(BinaryIO, source.open_blob(layer.digest)))


def to_move(workspace: Workspace, kit: Kit, reference: Reference) -> tuple[int, int]:
    """Return the bytes to fetch for ``materialize``, and those to write. Blocks for milliseconds.

    What comes in one pass, or from a release that stands in for it, is written once.
    """
    lacking = [layer for layer in kit.layers if not workspace.library.has(layer.blob)]
    if reference.place is not Place.REGISTRY:
        lacking = []
    fetched = [layer.size for layer in lacking if not has_stand_in(layer.digest)]
    twice = [layer.size for layer in lacking if not _fits_one_pass(layer)]
    return sum(fetched), kit.size + sum(twice)


def _fits_one_pass(layer: Layer) -> bool:
    return layer.form != "unknown" and layer.compression == "none" and layer.size > SMALL_BLOB


def require_kit(kit: Kit, reference: Reference) -> None:
    """Raise UsageError for what cannot be unpacked."""
    if not kit.unpackable:
        raise UsageError(
            f"{reference} is no ModelKit or ModelPack but an {kit.kind}",
            reference=str(reference),
            hint="rolldeck show tells what it holds.",
        )
    if kit.model_reference:
        raise UsageError(
            f"{reference} takes its model from another kit, {kit.model_reference}",
            reference=str(reference),
            hint="Unpacking kits that refer to others is not possible yet; unpack that kit.",
        )
