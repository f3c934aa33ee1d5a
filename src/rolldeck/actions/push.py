"""Push: a version of the library, or of a layout, to a registry."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rolldeck.actions.delivery import Delivery, agreed_digest, plan_delivery
from rolldeck.actions.graph import read_graph
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RolldeckError, UsageError
from rolldeck.oci import Digest, Place, Reference, is_tag
from rolldeck.store import Library

_MOST_LOOKED_AT = 500
"""Versions of the library that are looked at for blobs to mount."""


async def plan_push(
    workspace: Workspace,
    reference: Reference,
    destinations: Sequence[str] = (),
    *,
    force: bool = False,
) -> Delivery:
    """Plan to push a version; raises UsageError, and RefusedError as ``plan_delivery``.

    A destination is a reference in a registry, or a further tag of the first one's repository.
    Without any the version goes to the registry that its repository is named after.
    """
    workspace.require_writable("push")
    if reference.place is Place.REGISTRY:
        raise UsageError(
            f"{reference} is in a registry already",
            reference=str(reference),
            hint=f"Copy it from there: rolldeck copy {reference} DESTINATION",
        )
    resolved = await workspace.resolve(reference)
    graph = await read_graph(workspace, resolved)
    home = _home(resolved)
    target, tags = _parse(destinations, home, resolved, graph.root.digest)
    mounts = await asyncio.to_thread(_mounts, workspace.library, target)
    return await plan_delivery(
        workspace, "push", resolved, target, tags, graph, force=force, mounts=mounts
    )


def _home(reference: Reference) -> Reference | None:
    """Return the repository of a registry that a repository of the library is named after."""
    if reference.place is not Place.LIBRARY:
        return None
    home = Reference.parse(reference.repository)
    return home if home.place is Place.REGISTRY else None


def _parse(
    destinations: Sequence[str], home: Reference | None, source: Reference, digest: Digest
) -> tuple[Reference, list[str]]:
    """Return the repository to push to, and the tags to set there."""
    target = None
    tags = []
    for word in destinations:
        found = Reference.parse(word)
        if is_tag(word) and (target or home):
            tags.append(word)
            target = target or home
            continue
        if found.place is not Place.REGISTRY or not found.repository:
            raise UsageError(
                f"{word} is no repository of a registry",
                reference=word,
                hint="Write HOST/REPOSITORY[:TAG]; rolldeck copy writes to layouts and libraries.",
            )
        if target is not None and found.name != target.name:
            raise UsageError(
                f"{word} is another repository than {target.name}",
                reference=word,
                hint="Push to one repository at a time; it may get several tags.",
            )
        agreed_digest(found, digest)
        target = target or found
        tags += [found.tag] if found.tag else []
    target = target or home
    if target is None:
        raise UsageError(
            f"{source.name} does not say which registry it goes to",
            reference=str(source),
            hint="Name the destination: rolldeck push REFERENCE HOST/REPOSITORY:TAG",
        )
    return target, tags or ([source.tag] if source.tag else [])


def _mounts(library: Library, target: Reference) -> dict[Digest, str]:
    """Return, by digest, other repositories of the registry that versions came from."""
    prefix = f"{target.root}/"
    found: dict[Digest, str] = {}
    for entry in library.entries()[:_MOST_LOOKED_AT]:
        repository = entry.repository.removeprefix(prefix)
        if repository in (entry.repository, target.repository):
            continue
        try:
            manifest = library.layout.read_manifest(entry.descriptor.digest)
        except RolldeckError:
            continue  # a damaged version is no reason not to push another one
        for blob in manifest.layers:
            found[blob.digest] = repository
    return found
