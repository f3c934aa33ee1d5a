"""Carrying out a plan: the version is unpacked and verified first, then ``current`` is switched."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rolldeck.actions.plan import DISK_SPACE, UNPACKED_HERE
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import (
    BusyError,
    IntegrityError,
    RefusedError,
    RolldeckError,
    StorageError,
)
from rolldeck.oci import Digest, Manifest, Place, Reference
from rolldeck.progress import Progress
from rolldeck.release import Generation, MoveVerb, Plan, Release, Target, remember
from rolldeck.text import clean_line
from rolldeck.units import rfc3339

if TYPE_CHECKING:
    from rolldeck.kit import Stamp, Tree, Unpacking


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did: ``digest`` is current now (None: nothing), ``previous`` was before.

    ``removed`` are older releases that went.
    """

    target: Path
    digest: Digest | None
    previous: Digest | None
    directory: Path | None
    generation: int
    verb: MoveVerb
    reference: str
    removed: tuple[Digest, ...] = ()


async def apply(
    workspace: Workspace,
    plan: Plan,
    progress: Progress,
    reason: str | None = None,
    *,
    before_switch: Callable[[int], None] = lambda number: None,
    just_planned: bool = False,
) -> Moved:
    """Carry out a plan as it was shown.

    Files are looked at again, but for a plan that was ``just_planned``: nobody was asked since.
    ``before_switch`` is called in a thread with the number of the generation, while the target is
    locked and nothing was switched yet.
    Raises BusyError where the target moved since, RefusedError for a plan with a failed check
    (StorageError where that is the space on the disk),
    IntegrityError where the files to switch to are not what was unpacked.
    """
    workspace.require_writable(plan.verb)
    failed = [check for check in plan.checks if check.ok is False]
    if failed:
        kind = StorageError if failed[0].check == DISK_SPACE else RefusedError
        raise kind(f"Not done: {failed[0].check}: {failed[0].detail}", reference=str(plan.target))
    target = Target(plan.target)
    await asyncio.to_thread(target.prepare)
    async with held(target.locked()):
        if plan.to_digest is not None:
            await _make_ready(workspace, target, plan, progress, just_planned=just_planned)
        progress.check()
        await asyncio.to_thread(_settle_following, target, plan)
        moved = await asyncio.to_thread(_switch, target, plan, reason, before_switch)
        if not plan.removes:
            return moved
        removed = await asyncio.to_thread(_remove_older, workspace, target, plan, progress)
        return replace(moved, removed=removed)


async def make_ready(workspace: Workspace, plan: Plan, progress: Progress) -> None:
    """Unpack and verify the version of a plan in its target, and switch nothing."""
    workspace.require_writable(plan.verb)
    target = Target(plan.target).require()
    async with held(target.locked()):
        await _make_ready(workspace, target, plan, progress)


def _settle_following(target: Target, plan: Plan) -> None:
    """Begin, go on with or end the following of a channel, as the plan says.

    A move by hand ends it: the next look at the channel would take it back.
    """
    # Imported here, as below: few targets follow a channel, and few moves remove a release.
    from rolldeck.release.following import (
        Following,
        read_following,
        stop_following,
        write_following,
    )

    known = read_following(target)
    if plan.verb not in ("follow", "revert"):
        stop_following(target)
    elif plan.begins:
        if known is None or known.channel != plan.follows:
            known = Following(plan.follows or "", goal=plan.to_digest)
        # Whoever begins again wants it tried again.
        write_following(target, replace(known, failed=None))
    elif known is None or known.channel != plan.follows:
        raise BusyError(
            f"{target.path} does not follow {plan.follows} any more", reference=str(target.path)
        )


def _remove_older(
    workspace: Workspace, target: Target, plan: Plan, progress: Progress
) -> tuple[Digest, ...]:
    from rolldeck.actions.prune import remove_releases, tell_unremoved

    keep = workspace.settings.keep_releases
    try:
        done = remove_releases(workspace.library, target, plan.removes, keep)
    except RolldeckError as error:
        progress.tell(tell_unremoved(error))  # the move was made, and the next one removes them
        return ()
    return tuple(item.digest for item in done.removed)


@asynccontextmanager
async def held(lock: AbstractContextManager[None]) -> AsyncIterator[None]:
    """Hold a lock for the block; waiting for another process stops nothing else."""
    stack = ExitStack()
    entering = asyncio.ensure_future(asyncio.to_thread(stack.enter_context, lock))

    def let_go(entered: asyncio.Future[None]) -> None:
        # The thread went on after its caller was cancelled; what it got must not stay locked.
        if not entered.cancelled() and entered.exception() is None:
            stack.close()

    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        entering.add_done_callback(let_go)
        raise
    with stack:
        yield


async def _make_ready(
    workspace: Workspace,
    target: Target,
    plan: Plan,
    progress: Progress,
    *,
    just_planned: bool = False,
) -> None:
    """Have the version's files in place and known to be whole, before anything is switched."""
    digest = plan.to_digest
    assert digest is not None
    directory = target.directory(digest)
    if target.release(digest) is not None:
        progress.note = "checking files"
        known = just_planned and any(x.ok for x in plan.checks if x.check == UNPACKED_HERE)
        problems = [] if known else await asyncio.to_thread(target.changes, digest, progress)
        if not problems:
            if plan.verb == "pin":
                reference = Reference.parse(plan.reference).at(digest)
                await _name_again(workspace, target, reference)
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
    from rolldeck.actions.materialize import materialized

    digest = plan.to_digest
    assert digest is not None

    def record(
        unpacking: Unpacking, resolved: Reference, tree: Tree, stamps: dict[str, Stamp]
    ) -> None:
        unpacking.save_skeletons(target.make_layers(digest))
        target.record(Release(digest, str(resolved), plan.to_label, tree, stamps, plan.chain))

    reference = Reference.parse(plan.reference).at(digest)
    async with materialized(
        workspace,
        reference,
        target.directory(digest),
        progress,
        verb=plan.verb,
        before_visible=record,
        everything=True,
        chain=plan.chain,
    ) as found:
        # Before the lease ends: from here on the target keeps what it needs.
        await asyncio.to_thread(remember, target.path, _repository(plan.reference))
        brought = [(item.reference, item.kit.manifest) for item in found.origins if item.is_brought]
        await _name(workspace, brought)


async def _name(workspace: Workspace, found: list[tuple[Reference, Manifest]]) -> None:
    """Give versions from a registry their names in the library, as a pull does.

    Releases must be remembered by then: they may stand in for blobs.
    """
    # Imported here: a switch between releases needs nothing of it.
    from rolldeck.actions.pulling import blobs_of, publish, to_the_end
    from rolldeck.release.stand_in import has_stand_in

    library = workspace.library

    def name() -> None:
        blobs = {blob.digest: blob for _, manifest in found for blob in blobs_of(manifest)}
        if all(library.has(blob) or has_stand_in(blob.digest) for blob in blobs.values()):
            publish(workspace, found)

    if found:
        await to_the_end(asyncio.to_thread(name))


async def _name_again(workspace: Workspace, target: Target, reference: Reference) -> None:
    """Name a version from a registry that is unpacked already, where its name is gone."""
    assert reference.digest is not None
    if reference.place is not Place.REGISTRY or workspace.library.holds(reference.digest):
        return
    from rolldeck.actions.lease import reading

    async with reading(workspace, "pin", reference):
        await asyncio.to_thread(remember, target.path, reference.name)
        await _name(workspace, [(reference, await workspace.manifest(reference))])


def _switch(target: Target, plan: Plan, reason: str | None, before: Callable[[int], None]) -> Moved:
    previous = target.current()
    # Before the move: garbage is collected around what is current in targets that are known.
    remember(target.path, _repository(plan.reference))
    if previous == plan.to_digest and plan.verb in ("pin", "follow"):
        number = target.next_number() - 1
    else:
        number = target.next_number()
        before(number)
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
                chain=target.chain(plan.to_digest) if plan.to_digest else (),
            )
        )
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
