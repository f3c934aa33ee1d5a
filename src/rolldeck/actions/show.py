"""One version with everything that can be known of it without fetching its weights."""

from __future__ import annotations

import asyncio

from rolldeck.actions.chain import load_chain
from rolldeck.actions.kit import load_kit
from rolldeck.actions.small_layers import read_small_layers
from rolldeck.actions.workspace import Workspace
from rolldeck.compare import Version
from rolldeck.errors import RolldeckError
from rolldeck.facts import collect
from rolldeck.kit import Link, with_chain
from rolldeck.oci import Place, Reference
from rolldeck.units import short_digest


async def load_version(workspace: Workspace, reference: Reference) -> Version:
    """Resolve and read a version: Kitfile, facts, and the files of its small layers.

    Where the kits that its model comes from cannot be read, it has its own layers alone and tells
    why.
    """
    resolved = await workspace.resolve(reference)
    kit = await load_kit(workspace, resolved)
    read = await read_small_layers(workspace, resolved, kit)
    facts = await asyncio.to_thread(collect, kit, read.files, read.members, read.unread)
    chain: tuple[Link, ...] = ()
    problem = None
    try:
        chain = await load_chain(workspace, resolved, kit)
    except RolldeckError as error:
        problem = error.message
    assert resolved.digest is not None
    label = resolved.tag or _library_tag(workspace, resolved) or short_digest(resolved.digest)
    whole = with_chain(kit, chain)
    return Version(str(resolved), label, whole, facts, read.texts, chain, problem, read.members)


def _library_tag(workspace: Workspace, reference: Reference) -> str | None:
    if reference.place is not Place.LIBRARY:
        return None
    for entry in workspace.library.entries():
        if entry.descriptor.digest == reference.digest and entry.tag:
            return entry.tag
    return None
