"""Copy: a version from any place to any other, without a second copy on this disk."""

from __future__ import annotations

from rolldeck.actions.delivery import Delivery, agreed_digest, plan_delivery
from rolldeck.actions.graph import read_graph
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import UsageError
from rolldeck.oci import Place, Reference


async def plan_copy(
    workspace: Workspace, source: Reference, target: Reference, *, force: bool = False
) -> Delivery:
    """Plan to copy a version, an image index with all that it names.

    A target without a tag gets the source's. Raises UsageError, and RefusedError as
    ``plan_delivery``.
    """
    workspace.require_writable("copy")
    if not target.repository and target.place is not Place.LAYOUT:
        raise UsageError(f"{target} names no repository", reference=str(target))
    resolved, _ = await workspace.look_up(source)
    graph = await read_graph(workspace, resolved)
    agreed_digest(target, graph.root.digest)
    tag = target.tag or (None if target.digest else resolved.tag)
    mounts = {}
    if resolved.place is target.place is Place.REGISTRY and resolved.root == target.root:
        mounts = {blob.digest: resolved.repository for blob in graph.blobs}
    return await plan_delivery(
        workspace,
        "copy",
        resolved,
        target,
        [tag] if tag else [],
        graph,
        force=force,
        mounts=mounts,
    )
