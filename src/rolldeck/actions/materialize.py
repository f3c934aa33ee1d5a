"""Having a version's files in a directory, from wherever its blobs are, each byte written once.

A large uncompressed layer that is not in the library is received in one pass: hashed and written
as files while it arrives, visible only once every digest matched. Small and compressed layers go
through the library. All of that happens at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from rolldeck.actions.damage import require_config, told_as_damage
from rolldeck.actions.fetch import Hold, fetch, hold, in_thread, part_name, rebuild
from rolldeck.actions.kit import load_kit
from rolldeck.actions.lease import adding, reading
from rolldeck.actions.pulling import PulledBlob, all_or_nothing, blobs_of
from rolldeck.actions.selection import load_wanted_chain, require_match
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RefusedError, UsageError
from rolldeck.kit import Unpacking
from rolldeck.oci import SMALL_BLOB, Descriptor, Digest, LayoutRegistry, Place, Reference
from rolldeck.progress import Progress

if TYPE_CHECKING:
    from rolldeck.kit import Filter, Found, Kit, Layer, MergeRules, Stamp, Tree

BeforeVisible = Callable[["Unpacking", Reference, "Tree", "dict[str, Stamp]"], None]
"""Called in a thread with a complete, durable tree, just before it gets its name."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A kit and where it was found; ``is_brought`` where its blobs go into the library."""

    reference: Reference
    kit: Kit
    is_brought: bool


@dataclass(frozen=True, slots=True)
class Materialized:
    """What was written: the resolved reference, its kit, every file, and how the blobs came.

    ``origins`` are the kits that its layers came from, the farthest first and its own last;
    ``merged`` tells of each file how it stood to what was there.
    """

    reference: Reference
    kit: Kit
    tree: Tree
    blobs: tuple[PulledBlob, ...]
    origins: tuple[Origin, ...]
    merged: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Merging:
    """How files get into a directory in use; ``settled`` are the layers that are there already."""

    rules: MergeRules
    settled: frozenset[Digest] = frozenset()

    def left_of(self, origin: Origin) -> Origin:
        """Return an origin without what is there already."""
        layers = tuple(x for x in origin.kit.layers if x.digest not in self.settled)
        return replace(origin, kit=replace(origin.kit, layers=layers))


@asynccontextmanager
async def materialized(
    workspace: Workspace,
    reference: Reference,
    directory: Path,
    progress: Progress,
    *,
    verb: str,
    before_visible: BeforeVisible | None = None,
    everything: bool = False,
    through_library: bool = False,
    filters: tuple[Filter, ...] = (),
    merging: Merging | None = None,
    chain: Sequence[Digest] = (),
) -> AsyncIterator[Materialized]:
    """Write a version's files to ``directory``, new or empty; the leases outlast the block.

    What ``filters`` leave out is neither fetched nor read. With ``merging`` the directory is one
    in use. ``chain`` are the kits that the model is to come from, whatever their tags name.

    The library gets the config and every layer that is small or compressed; with ``everything``
    also those that cannot be unpacked. Of a layout it gets something only with
    ``through_library``. What came in one pass stays for the next time after an
    error or a cancel. Raises the errors of ``kit.Unpacking``, ``load_chain`` and the registry.
    """
    resolved, _ = await workspace.look_up(reference)
    async with AsyncExitStack() as leases:
        origins = await _lease_origins(
            workspace, resolved, leases, verb, through_library, filters, chain
        )
        if merging is not None:
            origins = tuple(merging.left_of(origin) for origin in origins)
        kit = origins[-1].kit
        work = _Materializing(workspace, origins, progress)
        # While the layers come, not when everybody waits for the end.
        workspace.write_soon()
        try:
            await work.hold()
            async with _opened(work.unpacking(directory, merging)) as unpacking:
                is_library = resolved.place is Place.LIBRARY
                with told_as_damage(workspace.library, resolved) if is_library else nullcontext():
                    blobs = await work.bring(unpacking, everything)
                progress.check()
                seen = before_visible and partial(before_visible, unpacking, resolved)
                tree = await in_thread(lambda: unpacking.finish(seen))
        finally:
            work.let_go()
        yield Materialized(resolved, kit, tree, blobs, origins, unpacking.merged)


async def _lease_origins(
    workspace: Workspace,
    resolved: Reference,
    leases: AsyncExitStack,
    verb: str,
    through_library: bool,
    filters: tuple[Filter, ...],
    chain: Sequence[Digest],
) -> tuple[Origin, ...]:
    """Return a version's kit behind those that its model comes from; all stay where they are."""

    def is_brought(reference: Reference) -> bool:
        is_elsewhere = reference.place in (Place.LAYOUT, Place.KIT)
        return reference.place is Place.REGISTRY or (is_elsewhere and through_library)

    async def lease(reference: Reference) -> None:
        if not is_brought(reference):
            await leases.enter_async_context(reading(workspace, verb, reference))
            return
        manifest = await workspace.manifest(reference)
        digests = [manifest.digest, *(blob.digest for blob in blobs_of(manifest))]
        await leases.enter_async_context(adding(workspace, verb, str(reference), digests))

    await lease(resolved)
    if resolved.place is Place.LIBRARY:
        manifest = await workspace.manifest(resolved)
        with told_as_damage(workspace.library, resolved):
            require_config(workspace.library, manifest)
    kit = await load_kit(workspace, resolved)
    require_kit(kit, resolved)
    found = [Origin(resolved, kit.filtered(filters), is_brought(resolved))]
    for link in await load_wanted_chain(workspace, resolved, kit, filters, chain):
        await lease(link.reference)
        lent = replace(link.kit, layers=link.layers)
        found.append(Origin(link.reference, lent, is_brought(link.reference)))
    require_match([origin.kit for origin in found], resolved, kit)
    return tuple(reversed(found))


@asynccontextmanager
async def _opened(unpacking: Unpacking) -> AsyncIterator[Unpacking]:
    """Open and close it in a thread: it may have much to read, or to remove."""
    is_open = False

    def enter() -> None:
        nonlocal is_open
        unpacking.__enter__()
        is_open = True

    try:
        await in_thread(enter)
        yield unpacking
    except BaseException as error:
        caught = error
        if is_open:
            await in_thread(lambda: unpacking.__exit__(type(caught), caught, None))
        raise
    await in_thread(lambda: unpacking.__exit__(None, None, None))


class _Materializing:
    """Brings the blobs of one version to where they are unpacked."""

    def __init__(
        self, workspace: Workspace, origins: tuple[Origin, ...], progress: Progress
    ) -> None:
        self._workspace = workspace
        self._library = workspace.library
        self._origins = origins
        self._progress = progress
        layers = tuple(layer for origin in origins for layer in origin.kit.layers)
        self._kit = replace(origins[-1].kit, layers=layers)
        self._from = {layer.digest: item for item in origins for layer in item.kit.layers}
        self._gate = asyncio.Semaphore(workspace.settings.concurrency)
        self._holds: dict[Digest, Hold] = {}
        self._one_pass: set[Digest] = set()

    async def hold(self) -> None:
        """Become the only one who receives the large layers that are not in the library.

        What a release stands in for is not received, only rebuilt.
        """
        wanted = {layer.digest: layer.blob for layer in self._kit.layers if _fits_one_pass(layer)}
        # In one order for all processes: none waits for a digest that waits for it.
        for digest, blob in sorted(wanted.items()):
            origin = self._from[digest]
            if origin.is_brought:
                held = await hold(self._library, blob, self._progress)
                if held is not None:
                    self._holds[digest] = held
                    self._one_pass.add(digest)
            elif origin.reference.place is Place.LIBRARY and not self._library.has(blob):
                self._one_pass.add(digest)

    def let_go(self) -> None:
        """Let other processes have the layers."""
        for held in self._holds.values():
            held.close()
        self._holds.clear()

    def unpacking(self, directory: Path, merging: Merging | None) -> Unpacking:
        """Return what the layers are unpacked with."""
        return Unpacking(
            self._kit,
            directory,
            self._progress,
            lambda layer: layer.digest in self._one_pass,
            None if merging is None else merging.rules,
        )

    async def bring(self, unpacking: Unpacking, everything: bool) -> tuple[PulledBlob, ...]:
        """Receive, fetch and unpack all, small blobs first."""
        layers: dict[Digest, list[Layer]] = {}
        for layer in unpacking.layers:
            layers.setdefault(layer.digest, []).append(layer)
        blobs: dict[Digest, tuple[Origin, Descriptor]] = {}
        for origin in self._origins:
            config = origin.kit.manifest.config
            for blob in blobs_of(origin.kit.manifest):
                if blob is config or blob.digest in layers or everything:
                    blobs[blob.digest] = (self._from.get(blob.digest, origin), blob)
        await self._require_room(blobs.values())
        transferred: dict[Digest, int] = {}

        async def bring_one(origin: Origin, blob: Descriptor) -> None:
            layers_of_it = layers.get(blob.digest, [])
            transferred[blob.digest] = await self._bring_one(unpacking, origin, blob, layers_of_it)

        smallest_first = sorted(blobs.values(), key=lambda item: item[1].size)
        works = [bring_one(*item) for item in smallest_first]
        await all_or_nothing([*works, in_thread(unpacking.add_kitfile)], self._progress)
        return tuple(
            PulledBlob(digest, blob.size, transferred[digest])
            for digest, (_, blob) in blobs.items()
        )

    async def _require_room(self, blobs: Iterable[tuple[Origin, Descriptor]]) -> None:
        """Raise StorageError where what goes through the library does not fit there."""
        missing = [
            blob
            for origin, blob in blobs
            if origin.is_brought and blob.digest not in self._holds and not self._library.has(blob)
        ]
        if missing:
            await asyncio.to_thread(self._library.require_room, missing)

    async def _bring_one(
        self, unpacking: Unpacking, origin: Origin, blob: Descriptor, layers: list[Layer]
    ) -> int:
        async with self._gate:
            self._progress.check()
            transferred = await self._receive(unpacking, origin, layers[0]) if layers else None
            if transferred is None:
                transferred = await self._fetch(origin, blob)
                for layer in layers:
                    await in_thread(partial(self._add, unpacking, origin, layer))
            return transferred

    async def _receive(self, unpacking: Unpacking, origin: Origin, layer: Layer) -> int | None:
        """Receive a layer in one pass; None where it has to be fetched as a blob."""
        sink = unpacking.sink(layer)
        if sink is None:
            return None
        part = self._progress.part(part_name(layer.blob), layer.size)
        part.state = "receiving"
        remote = origin.is_brought
        source = self._workspace.registry(origin.reference)
        try:
            if sink.offset and isinstance(source, LayoutRegistry):
                await in_thread(lambda: sink.rewind(0))  # a layout is read from its start
            rebuilt = (
                remote and not sink.offset and await rebuild(self._library, layer.blob, sink, part)
            )
            if not rebuilt:
                await source.fetch_blob(origin.reference.repository, layer.blob, sink, part)
        except RefusedError:
            # Hostile or damaged on its way: only the whole blob can tell, which no file is made of.
            part.expect(-layer.size)
            part.advance(-part.done)
            await in_thread(partial(unpacking.forgo, layer))
            if held := self._holds.pop(layer.digest, None):
                held.close()
            return None
        await in_thread(sink.commit)
        part.state = "done"
        return layer.size - sink.resumed if remote and not rebuilt else 0

    async def _fetch(self, origin: Origin, blob: Descriptor) -> int:
        """Have a blob where ``_add`` finds it; returns the bytes transferred."""
        if not origin.is_brought or self._library.has(blob):
            return 0
        part = self._progress.part(part_name(blob), blob.size)
        source = self._workspace.registry(origin.reference)
        return await fetch(self._library, source, origin.reference.repository, blob, part)

    def _add(self, unpacking: Unpacking, origin: Origin, layer: Layer) -> None:
        if not origin.is_brought:
            source = cast(LayoutRegistry, self._workspace.registry(origin.reference))
            unpacking.add(layer, cast(BinaryIO, source.open_blob(layer.digest)))
            return
        with told_as_damage(self._library, origin.reference):
            blob = self._library.layout.open_blob(layer.digest)
            unpacking.add(layer, cast(BinaryIO, blob))


def to_move(
    workspace: Workspace, kit: Kit, kits: Iterable[tuple[Reference, Kit]]
) -> tuple[int, int]:
    """Return the bytes to fetch for ``materialized``, and those to write. Blocks for milliseconds.

    ``kits`` are the version's own, without what others lend it, and those that lend. What comes in
    one pass, or from a release that stands in for it, is written once.
    """
    # Imported here: who fetches needs nothing of it where nothing was ever pinned.
    from rolldeck.release.stand_in import has_stand_in

    lacking: dict[Digest, Layer] = {}
    for reference, item in kits:
        if reference.place is not Place.REGISTRY:
            continue
        lacking |= {x.digest: x for x in item.own_layers if not workspace.library.has(x.blob)}
    unpacked = {layer.digest for layer in kit.layers if _fits_one_pass(layer)}
    fetched = [layer.size for layer in lacking.values() if not has_stand_in(layer.digest)]
    twice = [layer.size for digest, layer in lacking.items() if digest not in unpacked]
    return sum(fetched), kit.whole_size + sum(twice)


def _fits_one_pass(layer: Layer) -> bool:
    return layer.form in ("tar", "raw") and layer.compression == "none" and layer.size > SMALL_BLOB


def require_kit(kit: Kit, reference: Reference) -> None:
    """Raise UsageError for what cannot be unpacked."""
    if not kit.unpackable:
        raise UsageError(
            f"{reference} is no ModelKit or ModelPack but an {kit.kind}",
            reference=str(reference),
            hint="rolldeck show tells what it holds.",
        )
