"""Unpack: a version's files into a directory, each verified before it is visible.

A new or empty directory gets all of them at once, or nothing. One in use gets them file by file,
and only what the rules allow is replaced.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rolldeck.actions.fetch import in_thread
from rolldeck.actions.pulling import Pulled, blobs_of, in_library, publish
from rolldeck.actions.workspace import Workspace
from rolldeck.oci import Digest, Manifest, Reference
from rolldeck.progress import Progress

if TYPE_CHECKING:
    from rolldeck.actions.materialize import Materialized, Merging
    from rolldeck.actions.unpack_plan import UnpackPlan
    from rolldeck.kit import Filter, Found, MergeRules


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an unpack wrote; ``skipped`` holds (path, reason) of what was left out.

    ``kept`` is False where layers came from a registry and are in the directory only. ``merged``
    tells of each file and directory how it stood to what was there, where the directory was in use;
    ``files`` and ``bytes`` then also count what was there already, not what was left alone.
    """

    reference: Reference
    digest: Digest
    directory: Path
    files: int
    bytes: int
    skipped: tuple[tuple[str, str], ...]
    kept: bool = True
    merged: tuple[Found, ...] | None = None


async def unpack(
    workspace: Workspace,
    reference: Reference,
    directory: Path,
    progress: Progress,
    filters: tuple[Filter, ...] = (),
) -> Unpacked:
    """Unpack a version, or what ``filters`` take of it, into ``directory``, new or empty.

    Of a version that is in a registry, large layers go straight into the directory, the rest
    through the library.
    """
    workspace.require_writable("unpack")
    found, kept = await _into_directory(
        workspace, reference, directory, progress, filters, pulls=False
    )
    tree = found.tree
    return Unpacked(
        found.reference, found.kit.digest, directory, tree.files, tree.bytes, tree.skipped, kept
    )


async def unpack_planned(
    workspace: Workspace, plan: UnpackPlan, rules: MergeRules, progress: Progress
) -> Unpacked:
    """Unpack as it was planned, also into a directory in use; layers that are there stay away.

    Everything is compared again, with the verified files, before the first one is touched. Raises
    what ``unpack`` and ``kit.merge`` raise.
    """
    if not plan.occupied:
        return await unpack(workspace, plan.reference, plan.directory, progress, plan.filters)
    # Imported here: most directories are new.
    from rolldeck.actions.materialize import Merging
    from rolldeck.kit.merge import settle
    from rolldeck.kit.unpack import left_out

    workspace.require_writable("unpack")
    plan.require(rules)
    skipped, kept, merged = left_out(plan.kit), True, {x.entry.path: x for x in plan.found}
    if plan.is_done:
        await in_thread(lambda: settle(plan.found, plan.directory))
    else:
        found, kept = await _into_directory(
            workspace,
            plan.reference,
            plan.directory,
            progress,
            plan.filters,
            Merging(rules, plan.settled),
            pulls=False,
        )
        merged |= {item.entry.path: item for item in found.merged}
    there = [x.entry for x in merged.values() if x.entry.type == "file" and not rules.keeps(x)]
    return Unpacked(
        plan.reference,
        plan.kit.digest,
        plan.directory,
        len(there),
        sum(entry.size for entry in there),
        skipped,
        kept,
        tuple(merged[path] for path in sorted(merged)),
    )


async def pull_unpacked(
    workspace: Workspace,
    reference: Reference,
    directory: Path,
    progress: Progress,
    filters: tuple[Filter, ...] = (),
) -> Pulled:
    """Pull a version and unpack it into ``directory``, new or empty, in one go.

    With ``filters`` only what they take is fetched and unpacked. The library has the version
    afterwards only where all its layers are there; large ones that were not, are in the directory
    only. Goes on where an earlier run was cut short. Raises what ``pull`` and ``unpack`` raise.
    """
    workspace.require_writable("pull")
    started = time.monotonic()
    found, kept = await _into_directory(
        workspace, reference, directory, progress, filters, pulls=True
    )
    links = reversed(found.origins[:-1])
    return Pulled(
        reference=in_library(found.reference) if kept else found.reference,
        digest=found.kit.digest,
        bytes_total=sum(blob.size for blob in found.blobs),
        bytes_transferred=sum(blob.transferred for blob in found.blobs),
        blobs=found.blobs,
        seconds=time.monotonic() - started,
        chain=tuple(in_library(link.reference) if kept else link.reference for link in links),
        warning=workspace.library.warning,
        directory=directory,
        kept=kept,
    )


async def _into_directory(
    workspace: Workspace,
    reference: Reference,
    directory: Path,
    progress: Progress,
    filters: tuple[Filter, ...],
    merging: Merging | None = None,
    *,
    pulls: bool,
) -> tuple[Materialized, bool]:
    """Write the files, and keep in the library what came there; True where that is all."""
    # Imported here: a plain pull needs nothing of it.
    from rolldeck.actions.materialize import materialized

    async with materialized(
        workspace,
        reference,
        directory,
        progress,
        verb="pull" if pulls else "unpack",
        through_library=pulls,
        filters=filters,
        merging=merging,
    ) as found:
        brought = [(item.reference, item.kit.manifest) for item in found.origins if item.is_brought]
        if not brought:
            return found, True
        kept = await in_thread(lambda: _keep(workspace, brought))
    return found, kept


def _keep(workspace: Workspace, brought: list[tuple[Reference, Manifest]]) -> bool:
    """Keep the manifests, and name them where nothing of them is missing in the library."""
    library = workspace.library
    if all(library.has(blob) for _, manifest in brought for blob in blobs_of(manifest)):
        publish(workspace, brought)
        return True
    for _, manifest in brought:
        if not library.has(manifest.descriptor):
            library.put(manifest.descriptor, manifest.raw)
    return False
