"""Carrying out a plan of a channel: the tag moves, then the marks that belong to it are set."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rolldeck.actions.channel import recording
from rolldeck.actions.channel_situation import owed_by
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RefusedError, RolldeckError
from rolldeck.oci import Digest
from rolldeck.progress import Progress
from rolldeck.release.channel import (
    SETTLE,
    ChannelPlan,
    Entry,
    Hold,
    MovedError,
    Owed,
    Recorded,
    Records,
    Verdict,
    make_move,
)


@dataclass(frozen=True, slots=True)
class ChannelMoved:
    """What was done: ``recorded`` is the new generation, None where nothing had to move.

    ``hold`` and ``verdict`` are the marks that were written for it, or for the generation before
    that had not come to write them.
    """

    plan: ChannelPlan
    recorded: Recorded | None
    hold: Hold | None
    verdict: Verdict | None
    seconds: float


async def apply_channel(
    workspace: Workspace, plan: ChannelPlan, progress: Progress, *, settle: float = SETTLE
) -> ChannelMoved:
    """Carry out a plan as it was shown, and whatever the generation before still owes.

    Raises RefusedError for a plan with a failed check, BusyError where the channel moved since, or
    where somebody else claimed the generation first: nothing of theirs is overwritten. An error
    after the move says that it was made; the same command again sets what is missing.
    """
    workspace.require_writable(plan.verb)
    failed = [check for check in plan.checks if check.ok is False]
    if failed:
        raise RefusedError(
            f"Not done: {failed[0].check}: {failed[0].detail}",
            reference=str(plan.channel),
            hint="Settle it first; a hold, a bad verdict or drift can be overruled with --force.",
        )
    started = time.monotonic()
    recorded = None
    async with recording(workspace, plan.verb, plan.channel) as records:
        hold, verdict = await _set(records, plan.owes)
        if plan.ends is not None:
            version = await records.manifest(plan.to_digest)
            await records.keep_version(plan.channel.tag or "", plan.ends, version)
        if plan.records:
            progress.check()
            if plan.adopts is not None:
                plan = replace(plan, previous=await _adopt(records, plan, plan.adopts))
            entry = plan.entry(datetime.now(UTC).replace(microsecond=0))
            recorded = await _move(records, plan, entry, progress, settle)
            hold, verdict = await _finish(records, plan, recorded)
    return ChannelMoved(plan, recorded, hold, verdict, time.monotonic() - started)


async def _finish(
    records: Records, plan: ChannelPlan, recorded: Recorded
) -> tuple[Hold | None, Verdict | None]:
    """Set the marks of a move that was made; an error says that it was."""
    try:
        return await _set(records, await _owed(records, recorded))
    except RolldeckError as error:
        said = (
            f"{plan.channel} is {plan.to_label} (g{recorded.entry.number}), but its marks are "
            f"not set: {error.message}"
        )
        error.message, error.args = said, (said,)
        error.hint = "Run the same command again: it sets what is missing and moves nothing."
        raise


async def _move(
    records: Records, plan: ChannelPlan, entry: Entry, progress: Progress, settle: float
) -> Recorded:
    if plan.verb != "external":
        return await make_move(records, entry, progress, settle=settle)
    return await _record(records, entry)


async def _adopt(records: Records, plan: ChannelPlan, live: Digest) -> Digest:
    """Record what was live before anything was, so that it can be gone back to."""
    version = (await records.manifest(live)).descriptor
    entry = Entry(
        channel=plan.channel.tag or "",
        number=plan.generation - 1,
        verb="external",
        from_digest=None,
        version=version,
        actor=plan.actor,
        time=datetime.now(UTC).replace(microsecond=0),
        reason="live before anything was recorded",
        to_label=plan.from_label,
    )
    return (await _record(records, entry)).digest


async def _record(records: Records, entry: Entry) -> Recorded:
    """Record what is so already: only the entry is missing, and the version's keeper."""
    version = await records.manifest(entry.to_digest)
    found = await records.point(entry.channel)
    if found != entry.to_digest:
        raise MovedError(records.reference(entry.channel), entry, None, found)
    recorded = await records.claim(entry)
    await records.keep_version(entry.channel, entry.number, version)
    return recorded


async def _owed(records: Records, recorded: Recorded) -> Owed | None:
    """Return the marks that belong to a move which was made just now."""
    entry = recorded.entry
    undone = None
    if entry.verb == "undo" and entry.refers_to is not None:
        undone = await records.entry(entry.channel, entry.refers_to)
    # The hold of a rollback takes the place of any that was there.
    hold = await records.hold(entry.channel) if undone is not None else None
    return await owed_by(records, recorded, undone, datetime.now(UTC), hold=hold)


async def _set(records: Records, owes: Owed | None) -> tuple[Hold | None, Verdict | None]:
    """Set marks: the hold first, as it stops who would move the channel again."""
    if owes is None:
        return None, None
    if owes.hold is not None:
        await records.write_hold(owes.hold)
    if owes.verdict is not None:
        await records.write_verdict(owes.verdict)
    return owes.hold, owes.verdict
