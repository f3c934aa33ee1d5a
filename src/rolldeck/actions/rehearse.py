"""Rehearse a rollback: everything but the move. The version is pulled, verified and unpacked."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

from rolldeck import fsops, half_made
from rolldeck.actions.fetch import in_thread
from rolldeck.actions.pulling import pull
from rolldeck.actions.unpacking import unpack
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RefusedError
from rolldeck.oci import Place
from rolldeck.progress import Progress
from rolldeck.release.channel import ChannelPlan


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal did, in bytes: what it fetched stays in the library, what it unpacked went.

    ``seconds`` is how long all of it took.
    """

    plan: ChannelPlan
    bytes_transferred: int
    files: int
    bytes: int
    seconds: float


async def rehearse_rollback(
    workspace: Workspace, plan: ChannelPlan, progress: Progress
) -> Rehearsed:
    """Do all that a rollback needs on this host, and move nothing.

    Raises RefusedError for a plan with a failed check, and whatever stands in the way of pulling
    and unpacking the version.
    """
    workspace.require_writable("rollback")
    failed = [check for check in plan.checks if check.ok is False]
    if failed:
        raise RefusedError(
            f"A rollback would be refused: {failed[0].check}: {failed[0].detail}",
            reference=str(plan.channel),
        )
    started = time.monotonic()
    source = replace(plan.channel, tag=None).at(plan.to_digest)
    transferred = 0
    if source.place is Place.REGISTRY:
        pulled = await pull(workspace, source, progress)
        source, transferred = pulled.reference, pulled.bytes_transferred
    await in_thread(workspace.library.prepare)
    descriptor, scratch = await in_thread(
        lambda: half_made.make_temporary_directory(workspace.library.scratch)
    )
    try:
        unpacked = await unpack(workspace, source, scratch / "version", progress)
    finally:
        await in_thread(lambda: fsops.remove_tree(scratch))
        os.close(descriptor)
    took = time.monotonic() - started
    return Rehearsed(plan, transferred, unpacked.files, unpacked.bytes, took)
