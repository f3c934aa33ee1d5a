"""One version with everything that can be known of it without fetching its weights."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from rolldeck.actions.chain import load_chain
from rolldeck.actions.versions import load_kit
from rolldeck.actions.workspace import Workspace
from rolldeck.compare import Version
from rolldeck.errors import RolldeckError
from rolldeck.facts import collect
from rolldeck.kit import Kit, Layer, Link, read_layer_files, with_chain
from rolldeck.oci import Place, Reference
from rolldeck.units import short_digest

SMALL_LAYER = 1024 * 1024
"""Largest code or docs layer read to look inside, in bytes."""

_TEXT_KINDS = ("code", "docs", "prompt")


async def load_version(workspace: Workspace, reference: Reference) -> Version:
    """Resolve and read a version: Kitfile, facts, and the files of its small text layers.

    Where the kits that its model comes from cannot be read, it has its own layers alone and tells
    why.
    """
    resolved = await workspace.resolve(reference)
    kit = await load_kit(workspace, resolved)
    files = await small_files(workspace, resolved, kit)
    facts = await asyncio.to_thread(collect, kit, files)
    chain: tuple[Link, ...] = ()
    problem = None
    try:
        chain = await load_chain(workspace, resolved, kit)
    except RolldeckError as error:
        problem = error.message
    assert resolved.digest is not None
    label = resolved.tag or _library_tag(workspace, resolved) or short_digest(resolved.digest)
    whole = with_chain(kit, chain)
    return Version(str(resolved), label, whole, facts, files, chain, problem)


def _library_tag(workspace: Workspace, reference: Reference) -> str | None:
    if reference.place is not Place.LIBRARY:
        return None
    for entry in workspace.library.entries():
        if entry.descriptor.digest == reference.digest and entry.tag:
            return entry.tag
    return None


async def small_files(workspace: Workspace, reference: Reference, kit: Kit) -> Mapping[str, bytes]:
    """Return the files of a version's small code, docs and prompt layers by path."""
    if not kit.unpackable:
        return MappingProxyType({})
    layers = [
        layer
        for layer in kit.layers
        if layer.kind in _TEXT_KINDS and layer.form != "unknown" and layer.size <= SMALL_LAYER
    ]
    parts = await asyncio.gather(*(_layer_files(workspace, reference, item) for item in layers))
    return MappingProxyType({path: data for part in parts for path, data in part.items()})


async def _layer_files(
    workspace: Workspace, reference: Reference, layer: Layer
) -> Mapping[str, bytes]:
    data = await workspace.small_blob(reference, layer.blob)
    return await asyncio.to_thread(read_layer_files, layer, data)
