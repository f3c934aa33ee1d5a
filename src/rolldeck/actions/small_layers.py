"""What a version's layers hold without fetching what is large: small ones whole, others by header.

A version in a registry costs at most ``VERSION_LIMIT`` bytes, so that comparing two moves less than
a megabyte, however large they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from rolldeck.actions.layer_bytes import LayerBytes, in_thread
from rolldeck.actions.layer_heads import read_layer_heads
from rolldeck.actions.pickle_process import read_pickle
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RefusedError, RolldeckError
from rolldeck.facts.collect import is_wanted
from rolldeck.facts.pickles import Pickle, is_pickle
from rolldeck.facts.tensors import TensorHeader
from rolldeck.kit import Kit, Layer, Link, read_file_digests, read_layer_files
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line

SMALL_LAYER = 128 * 1024
"""Largest layer that is read whole, in bytes."""

LOCAL_TEXT_LAYER = 1024 * 1024
"""Largest code, docs or prompt layer on this disk that is read whole, in bytes."""

VERSION_LIMIT = 480 * 1024
"""Most bytes that are read of one version in a registry: manifest, config, layers and headers."""

TEXT_KINDS = ("code", "docs", "prompt")
_ORDER = ("code", "docs", "prompt", "modelpart", "model", "dataset", "mcpb", "other")
"""Kinds of layers in the order in which they are read."""
_HEADED = ("modelpart", "model", *TEXT_KINDS)
"""Kinds of layers that are looked through where they are large, in the order of doing so."""
_MOST_PICKLES = 8


@dataclass(frozen=True, slots=True)
class SmallLayers:
    """``texts`` are the files of code, docs and prompt layers by path, ``files`` those of all
    layers that were read, ``members`` the sha256 of every file by path, by layer digest.

    ``unread`` are the layers that were not read whole, ``looked`` those of them whose files are
    known by name and size. ``heads`` are the headers of weights in them, ``listed`` by path the
    size of files of code, docs and prompt layers that were not read, and their layer. ``remarks``
    say in words what could not be looked through.
    """

    texts: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    members: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unread: tuple[Layer, ...] = ()
    looked: frozenset[Digest] = frozenset()
    heads: Mapping[str, TensorHeader] = field(default_factory=dict)
    pickles: tuple[Pickle, ...] = ()
    listed: Mapping[str, tuple[int | None, Digest]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


async def read_small_layers(
    workspace: Workspace,
    reference: Reference,
    kit: Kit,
    *,
    heads: bool = False,
    chain: Sequence[Link] = (),
) -> SmallLayers:
    """Read a version's small layers, each once; with ``heads`` also look through the large ones.

    ``chain`` are the kits that lend ``kit`` layers, which are read where those were found. Raises
    RefusedError for a code, docs or prompt layer that unpacking would refuse; another such layer,
    and a lent one that cannot be had, counts as not looked into.
    """
    if not kit.unpackable:
        return SmallLayers(unread=kit.layers)
    places = _Places(
        reference, {item.digest: link.reference for link in chain for item in link.layers}
    )
    left = VERSION_LIMIT
    for manifest in (kit.manifest, *(link.kit.manifest for link in chain)):
        left -= len(manifest.raw) + (manifest.config.size if manifest.config else 0)
    wanted, left = _chosen(workspace, places, kit, left)
    found = await asyncio.gather(*(_contents(workspace, places, layer) for layer in wanted))
    read = [(layer, inside) for layer, inside in zip(wanted, found, strict=True) if inside]
    known = {layer.digest for layer, _ in read}
    small = SmallLayers(
        texts=_joined(inside.files for layer, inside in read if layer.kind in TEXT_KINDS),
        files=_joined(inside.files for _, inside in read),
        members={layer.digest: inside.members for layer, inside in read},
        unread=tuple(layer for layer in kit.layers if layer.digest not in known),
    )
    return await _with_heads(workspace, places, kit, small, left) if heads else small


@dataclass(frozen=True, slots=True)
class _Places:
    """Where each layer of a version is: with it, or with the kit that lends it."""

    own: Reference
    lenders: Mapping[Digest, Reference]

    def of(self, layer: Layer) -> Reference:
        return self.lenders.get(layer.digest, self.own) if layer.origin else self.own


def _chosen(workspace: Workspace, places: _Places, kit: Kit, left: int) -> tuple[list[Layer], int]:
    """Return the layers to read whole, and how many bytes of a registry that leaves."""
    chosen = []
    counted: set[Digest] = set()
    for layer in sorted(kit.layers, key=lambda item: (_ORDER.index(item.kind), item.size)):
        if layer.form == "unknown":
            continue
        if _bytes_of(workspace, places, layer).is_local:
            most = LOCAL_TEXT_LAYER if layer.kind in TEXT_KINDS else SMALL_LAYER
            if layer.size <= most:
                chosen.append(layer)
        elif layer.size <= SMALL_LAYER and (layer.digest in counted or layer.size <= left):
            chosen.append(layer)
            left -= 0 if layer.digest in counted else layer.size
            counted.add(layer.digest)
    order = {id(layer): place for place, layer in enumerate(kit.layers)}
    return sorted(chosen, key=lambda layer: order[id(layer)]), left


def _bytes_of(workspace: Workspace, places: _Places, layer: Layer) -> LayerBytes:
    return LayerBytes(workspace, places.of(layer), layer.blob, Progress())


@dataclass(frozen=True, slots=True)
class _Inside:
    files: Mapping[str, bytes]
    members: Mapping[str, str]


async def _contents(workspace: Workspace, places: _Places, layer: Layer) -> _Inside | None:
    try:
        data = await workspace.small_blob(places.of(layer), layer.blob)
    except RolldeckError:
        if layer.origin:
            return None
        raise
    try:
        return await asyncio.to_thread(_look_inside, layer, data)
    except RefusedError:
        if layer.kind in TEXT_KINDS:
            raise
        return None


def _look_inside(layer: Layer, data: bytes) -> _Inside:
    return _Inside(read_layer_files(layer, data), read_file_digests(layer, data))


def _joined(parts: Iterable[Mapping[str, bytes]]) -> Mapping[str, bytes]:
    return MappingProxyType({path: data for part in parts for path, data in part.items()})


async def _with_heads(
    workspace: Workspace, places: _Places, kit: Kit, small: SmallLayers, left: int
) -> SmallLayers:
    """Add what the large layers tell, one after the other, and pickles in small ones."""
    progress = Progress()
    sources = {
        layer.digest: LayerBytes(workspace, places.of(layer), layer.blob, progress)
        for layer in small.unread
    }
    wanted = is_wanted(kit)

    def work() -> SmallLayers:
        return _look_through(small, sources, wanted, left, progress)

    return await in_thread(work, progress)


def _look_through(
    small: SmallLayers,
    sources: Mapping[Digest, LayerBytes],
    wanted: Callable[[str], bool],
    left: int,
    progress: Progress,
) -> SmallLayers:
    texts, files = dict(small.texts), dict(small.files)
    heads: dict[str, TensorHeader] = {}
    listed: dict[str, tuple[int | None, Digest]] = {}
    looked: set[Digest] = set()
    remarks = []
    names = [path for path in small.files if is_pickle(path)][:_MOST_PICKLES]
    pickles = [read_pickle(path, len(files[path]), [files[path]], progress) for path in names]
    for layer in _headed(small.unread):
        # Half of what is left: one layer of many files leaves something for the others.
        most = max(left // 2, 0)
        found = read_layer_heads(layer, sources[layer.digest], wanted, progress, most)
        left -= found.spent
        heads |= found.headers
        pickles += found.pickles
        files = {**found.files, **files}
        if layer.kind in TEXT_KINDS:
            texts = {**found.files, **texts}
        if found.stopped:
            name = clean_line(layer.path or layer.digest, 200)
            if layer.origin:
                name = f"{name} of {clean_line(layer.origin, 200)}"
            remarks.append(f"{name}: not looked through to its end: {found.stopped}")
            continue
        looked.add(layer.digest)
        if layer.kind in TEXT_KINDS:
            listed |= {path: (size, layer.digest) for path, size in found.listed.items()}
    return replace(
        small,
        texts=MappingProxyType(texts),
        files=MappingProxyType(files),
        looked=frozenset(looked),
        heads=heads,
        pickles=tuple(pickles),
        listed=listed,
        remarks=tuple(remarks),
    )


def _headed(unread: Iterable[Layer]) -> list[Layer]:
    """Return the large layers that are looked through, each once, in the order of doing so."""
    once = {layer.digest: layer for layer in unread if layer.kind in _HEADED}
    known = [layer for layer in once.values() if layer.form != "unknown"]
    return sorted(known, key=lambda layer: (_HEADED.index(layer.kind), layer.size))
