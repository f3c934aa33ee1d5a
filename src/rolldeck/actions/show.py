"""One version with everything that can be known of it without fetching its weights."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from rolldeck.actions.chain import load_chain
from rolldeck.actions.kit import load_kit
from rolldeck.actions.small_layers import TEXT_KINDS, SmallLayers, read_small_layers
from rolldeck.actions.workspace import Workspace
from rolldeck.compare import ListedFile, Version
from rolldeck.errors import RolldeckError
from rolldeck.facts import Facts, collect
from rolldeck.kit import Kit, Link, with_chain
from rolldeck.oci import Place, Reference
from rolldeck.units import short_digest


async def load_version(workspace: Workspace, reference: Reference) -> Version:
    """Resolve and read a version: Kitfile, facts, and the files of its small layers.

    Of large layers only headers are read, also of those that other kits lend. Where the kits that
    its model comes from cannot be read, it has its own layers alone and tells why.
    """
    known = workspace.has_seen(reference)
    resolved = reference if known else await workspace.resolve(reference)
    kit = await load_kit(workspace, resolved)
    chain: tuple[Link, ...] = ()
    problem = None
    try:
        chain = await load_chain(workspace, resolved, kit)
    except RolldeckError as error:
        problem = error.message
    whole = with_chain(kit, chain)
    read = await read_small_layers(workspace, resolved, whole, heads=True, chain=chain)
    facts = await asyncio.to_thread(_facts, whole, read)
    assert resolved.digest is not None
    label = resolved.tag or _library_tag(workspace, resolved) or short_digest(resolved.digest)
    listed = {path: ListedFile(*known) for path, known in read.listed.items()}
    hidden = tuple(
        layer
        for layer in read.unread
        if layer.kind in TEXT_KINDS and layer.digest not in read.looked
    )
    return Version(
        str(resolved),
        label,
        whole,
        facts,
        read.texts,
        chain,
        problem,
        read.members,
        listed,
        hidden,
        read.remarks,
    )


async def load_facts(workspace: Workspace, reference: Reference) -> Facts:
    """Return the facts of a version as far as its manifest, config and small layers tell.

    Two requests for a version whose digest is given, and one for each small layer that no version
    before it had.
    """
    resolved = reference if reference.digest else await workspace.resolve(reference)
    kit = await load_kit(workspace, resolved)
    return await asyncio.to_thread(_facts, kit, await read_small_layers(workspace, resolved, kit))


def _facts(kit: Kit, read: SmallLayers) -> Facts:
    facts = collect(
        kit, read.files, read.members, read.unread, read.heads, read.pickles, read.looked
    )
    return replace(facts, missing=(*facts.missing, *read.remarks))


def _library_tag(workspace: Workspace, reference: Reference) -> str | None:
    if reference.place is not Place.LIBRARY:
        return None
    for entry in workspace.library.entries():
        if entry.descriptor.digest == reference.digest and entry.tag:
            return entry.tag
    return None
