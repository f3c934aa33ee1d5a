"""What a version's small layers hold: the files, and the digest of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RefusedError
from rolldeck.kit import Kit, Layer, read_file_digests, read_layer_files
from rolldeck.oci import Reference

SMALL_LAYER = 1024 * 1024
"""Largest code or docs layer read to look inside, in bytes."""

SMALL_OTHER_LAYER = 128 * 1024
"""Largest layer of a model or a data set read for the files that tools leave there, in bytes."""

TEXT_KINDS = ("code", "docs", "prompt")


@dataclass(frozen=True, slots=True)
class SmallLayers:
    """``texts`` are the files of code, docs and prompt layers by path, ``files`` those of all
    layers that were read, ``members`` the sha256 of every file by path, by layer digest.
    ``unread`` are the layers that were not looked into."""

    texts: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    members: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unread: tuple[Layer, ...] = ()


async def read_small_layers(workspace: Workspace, reference: Reference, kit: Kit) -> SmallLayers:
    """Read a version's small layers, each once.

    Raises RefusedError for a code, docs or prompt layer that unpacking would refuse; another such
    layer counts as not looked into.
    """
    if not kit.unpackable:
        return SmallLayers(unread=kit.layers)
    wanted = [layer for layer in kit.layers if _is_small(layer)]
    found = await asyncio.gather(*(_contents(workspace, reference, layer) for layer in wanted))
    read = [(layer, inside) for layer, inside in zip(wanted, found, strict=True) if inside]
    known = {layer.digest for layer, _ in read}
    return SmallLayers(
        texts=_joined(inside.files for layer, inside in read if layer.kind in TEXT_KINDS),
        files=_joined(inside.files for _, inside in read),
        members={layer.digest: inside.members for layer, inside in read},
        unread=tuple(layer for layer in kit.layers if layer.digest not in known),
    )


def _is_small(layer: Layer) -> bool:
    most = SMALL_LAYER if layer.kind in TEXT_KINDS else SMALL_OTHER_LAYER
    return layer.form != "unknown" and layer.size <= most


@dataclass(frozen=True, slots=True)
class _Inside:
    files: Mapping[str, bytes]
    members: Mapping[str, str]


async def _contents(workspace: Workspace, reference: Reference, layer: Layer) -> _Inside | None:
    data = await workspace.small_blob(reference, layer.blob)
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
