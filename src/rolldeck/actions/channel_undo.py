"""Undo of a channel: exactly its last move, with the mark and the hold that this one had set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from rolldeck.actions.channel_preflight import (
    compare_for,
    find_signature,
    move_seconds,
    take_stock,
)
from rolldeck.actions.channel_situation import Situation, look_at_channel
from rolldeck.actions.fit_check import fits_check
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, RefusedError
from rolldeck.oci import Reference
from rolldeck.release import Check
from rolldeck.release.channel import ChannelPlan, Recorded, Verdict, rulings
from rolldeck.release.channel.preflight import complete_check, hold_check, verdict_check
from rolldeck.units import short_digest


async def plan_channel_undo(
    workspace: Workspace,
    channel: Reference,
    *,
    reason: str | None = None,
    force: bool = False,
) -> ChannelPlan:
    """Plan to reverse exactly the last move of a channel.

    The bad verdict and the hold that this move set go with it; any other one fails a check, unless
    ``force``. Where the undo before was cut short after its move, the plan only ends that one.
    Raises NotFoundError where nothing moved yet and RefusedError for a first move.
    """
    workspace.require_writable("undo")
    situation = await look_at_channel(workspace, channel)
    if (ending := situation.ending("undo", force)) is not None:
        return ending
    last = _last(situation)
    digest = last.entry.from_digest
    if digest is None:
        raise RefusedError(
            f"g{last.entry.number} made {situation.reference}: there is no version before it",
            reference=str(situation.reference),
            hint=f"To remove the channel: rolldeck untag {situation.reference}",
        )
    there = situation.version(digest)
    stock, said, signature, fits, compared, seconds = await asyncio.gather(
        take_stock(workspace, there),
        situation.said([digest]),
        find_signature(workspace, there),
        fits_check(workspace, there),
        compare_for(workspace, situation.reference, situation.live, digest, back=True),
        move_seconds(workspace, situation.reference),
    )
    rows, summary = compared
    entry = last.entry
    goal = entry.to_label or short_digest(entry.to_digest)
    found = (
        Check("takes back", True, f"g{entry.number}: {entry.verb} to {goal} by {entry.actor}"),
        complete_check(stock.blobs, stock.missing, stock.to_pull),
        fits,
        *rows,
        _verdict(said[digest], last, forced=force),
        _hold(situation, last, forced=force),
        signature,
        *situation.checks(forced=force),
    )
    return replace(
        situation.draft("undo", stock.version),
        reason=reason,
        refers_to=entry.number,
        checks=tuple(check for check in found if check is not None),
        bytes_to_pull=stock.to_pull,
        seconds=seconds,
        summary=summary,
    )


def _last(situation: Situation) -> Recorded:
    journal = situation.journal
    last = journal.find(journal.stays[0].entry.number) if journal.stays else None
    if last is None:
        raise NotFoundError(
            f"No move of {situation.reference} is recorded",
            reference=str(situation.reference),
            hint=f"To go back to a version: rolldeck rollback {situation.reference} --to TAG",
        )
    return last


def _verdict(said: Iterable[Verdict], last: Recorded, *, forced: bool) -> Check:
    ruled, others = rulings(said, last.digest)
    if others is not None and others.opinion == "bad":
        return verdict_check(others, forced=forced)
    if ruled is not None and ruled.opinion == "bad":
        return Check("verdict", True, f"the bad mark of g{last.entry.number} is withdrawn")
    return verdict_check(ruled)


def _hold(situation: Situation, last: Recorded, *, forced: bool) -> Check:
    hold = situation.hold
    if hold is not None and hold.set_by == last.digest:
        return Check("hold", True, f"the hold of g{last.entry.number} is released")
    # Nobody is its holder here: an undo restores what the hold may be there to prevent.
    return hold_check(hold, situation.now, "", back=False, forced=forced)
