"""Carrying out a plan: the version is unpacked and verified first, then ``current`` is switched."""

from __future__ import annotations

import asyncio
import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import IntegrityError, RefusedError
from rolldeck.oci import Digest, Place, Reference
from rolldeck.progress import Progress
from rolldeck.release import Generation, MoveVerb, Plan, Release, Target, remember
from rolldeck.text import clean_line
from rolldeck.units import rfc3339

if TYPE_CHECKING:
    from rolldeck.kit import Stamp, Tree, Unpacking


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did: ``digest`` is current now (None: nothing), ``previous`` was before."""

    target: Path
    digest: Digest | None
    previous: Digest | None
    directory: Path | None
    generation: int
    verb: MoveVerb
    reference: str


async def apply(
    workspace: Workspace, plan: Plan, progress: Progress, reason: str | None = None
) -> Moved:
    """Carry out a plan as it was shown.

    Raises BusyError where the target moved since, RefusedError for a plan with a failed check,
    IntegrityError where the files to switch to are not what was unpacked.
    """
    workspace.require_writable(plan.verb)
    failed = [check for check in plan.checks if check.ok is False]
    if failed:
        raise RefusedError(
            f"Not done: {failed[0].check}: {failed[0].detail}", reference=str(plan.target)
        )
    target = Target(plan.target)
    await asyncio.to_thread(target.prepare)
    with target.locked():
        if plan.to_digest is not None:
            await _make_ready(workspace, target, plan, progress)
        progress.check()
        return await asyncio.to_thread(_switch, target, plan, reason)


async def _make_ready(workspace: Workspace, target: Target, plan: Plan, progress: Progress) -> None:
    """Have the version's files in place and known to be whole, before anything is switched."""
    digest = plan.to_digest
    assert digest is not None
    directory = target.directory(digest)
    if target.release(digest) is not None:
        progress.note = "checking files"
        problems = await asyncio.to_thread(target.changes, digest, progress)
        if not problems:
            if plan.verb == "pin":
                await _name(workspace, target, Reference.parse(plan.reference).at(digest))
            return
        if target.current() == digest:
            path, problem = problems[0]
            raise IntegrityError(
                f"{directory.name}/{clean_line(path)}: {problem}",
                reference=str(target.path),
                hint="It is current, so it is not replaced: roll back, then pin it again.",
            )
    await asyncio.to_thread(target.discard, digest)
    await _unpack(workspace, target, plan, progress)


async def _unpack(workspace: Workspace, target: Target, plan: Plan, progress: Progress) -> None:
    """Unpack the version; its release stands in for the large blobs that the library lacks."""
    # Imported here: a switch between releases needs nothing of it.
    from rolldeck.actions.materialize import materialize

    digest = plan.to_digest
    assert digest is not None

    def record(
        unpacking: Unpacking, resolved: Reference, tree: Tree, stamps: dict[str, Stamp]
    ) -> None:
        unpacking.save_skeletons(target.make_layers(digest))
        target.record(Release(digest, str(resolved), plan.to_label, tree, stamps))

    reference = Reference.parse(plan.reference).at(digest)
    found = await materialize(
        workspace,
        reference,
        target.directory(digest),
        progress,
        before_visible=record,
        everything=True,
    )
    await _name(workspace, target, found.reference)


async def _name(workspace: Workspace, target: Target, reference: Reference) -> None:
    """Give a version from a registry its name in the library, as a pull does."""
    digest = reference.digest
    assert digest is not None
    if reference.place is Place.REGISTRY and not workspace.library.holds(digest):
        from rolldeck.actions.pull import publish
        from rolldeck.release.stand_in import has_stand_in

        # The release must be found before a name in the library relies on it.
        await asyncio.to_thread(remember, target.path, reference.name)
        manifest = await workspace.manifest(reference)
        blobs = [*([manifest.config] if manifest.config else []), *manifest.layers]
        if all(workspace.library.has(blob) or has_stand_in(blob.digest) for blob in blobs):
            await asyncio.to_thread(publish, workspace, reference, manifest)


def _switch(target: Target, plan: Plan, reason: str | None) -> Moved:
    previous = target.current()
    if previous == plan.to_digest and plan.verb == "pin":
        number = target.next_number() - 1
    else:
        number = target.next_number()
        target.move(
            Generation(
                number=number,
                verb=plan.verb,
                from_digest=plan.from_digest,
                to_digest=plan.to_digest,
                reference=plan.reference,
                actor=_actor(),
                time=rfc3339(datetime.now(UTC)),
                reason=reason,
                undoes=plan.undoes,
            )
        )
    remember(target.path, _repository(plan.reference))
    return Moved(
        target=target.path,
        digest=plan.to_digest,
        previous=previous,
        directory=target.directory(plan.to_digest) if plan.to_digest else None,
        generation=number,
        verb=plan.verb,
        reference=plan.reference,
    )


def _repository(reference: str) -> str:
    return Reference.parse(reference).name


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
