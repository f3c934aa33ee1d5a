"""Tag: further names for a version, in its own repository; moves no blob."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rolldeck.actions.delivery import Delivery, agreed_digest, plan_delivery
from rolldeck.actions.graph import Graph
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import UsageError
from rolldeck.oci import Reference, is_tag


async def plan_tag(
    workspace: Workspace, reference: Reference, names: Sequence[str], *, force: bool = False
) -> Delivery:
    """Plan to give a version further tags: tags alone, or references in its repository.

    Raises UsageError, and RefusedError as ``plan_delivery``.
    """
    workspace.require_writable("tag")
    repository = replace(reference, tag=None, digest=None)
    resolved = await workspace.resolve(reference)
    manifest = await workspace.manifest(resolved)
    tags = []
    for name in names:
        if is_tag(name):
            tags.append(name)
            continue
        found = Reference.parse(name)
        if found.tag is None or replace(found, tag=None, digest=None) != repository:
            raise UsageError(
                f"{name} is no tag of {repository.name}",
                reference=name,
                hint="Write the tag alone; rolldeck copy goes to other repositories.",
            )
        agreed_digest(found, manifest.digest)
        tags.append(found.tag)
    graph = Graph((manifest,), ())
    return await plan_delivery(workspace, "tag", resolved, repository, tags, graph, force=force)
