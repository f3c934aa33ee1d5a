"""After a move that nobody recorded: adopt it, or put the recorded version back."""

from __future__ import annotations

import asyncio
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
from rolldeck.errors import NotFoundError
from rolldeck.oci import Reference
from rolldeck.release import Check
from rolldeck.release.channel import ChannelPlan, Entry, Journal
from rolldeck.release.channel.preflight import (
    complete_check,
    hold_check,
    pending_check,
    verdict_check,
)
from rolldeck.units import short_digest


async def plan_adopt(
    workspace: Workspace, channel: Reference, *, reason: str | None = None
) -> ChannelPlan:
    """Plan to record what a channel points at, which somebody else set; moves nothing.

    Raises NotFoundError where the journal says so already.
    """
    workspace.require_writable("adopt")
    situation = await look_at_channel(workspace, channel)
    journal, live = situation.journal, situation.live
    assert live is not None
    if journal.newest is not None and _drifted_from(journal) is None:
        raise _no_drift(situation)
    manifest = await workspace.manifest(situation.version(live))
    was = journal.newest.entry if journal.newest else None
    start = (
        f"g{was.number} went to {was.to_label or short_digest(was.to_digest)}"
        if was
        else ("nothing was recorded yet")
    )
    ruled = (await situation.verdicts([live]))[live]
    draft = situation.draft("external", manifest.descriptor)
    return replace(
        draft,
        # From where a pending entry starts, which makes that one void.
        recorded=live if journal.pending is not None else draft.recorded,
        reason=reason,
        checks=(
            Check("adopts", True, f"{situation.label(live)} is live; {start}"),
            # Recording what is so already makes nothing worse, and a warning has to stand there.
            verdict_check(ruled, forced=True),
        ),
    )


async def plan_restore(
    workspace: Workspace,
    channel: Reference,
    *,
    reason: str | None = None,
    force: bool = False,
) -> ChannelPlan:
    """Plan to put the recorded version of a channel back, over a move that nobody recorded.

    Raises NotFoundError where the channel is where its journal says.
    """
    workspace.require_writable("restore")
    situation = await look_at_channel(workspace, channel, may_be_new=True)
    journal, live = situation.journal, situation.live
    recorded = _drifted_from(journal)
    if recorded is None:
        raise _no_drift(situation)
    digest = recorded.to_digest
    there = situation.version(digest)
    stock, ruled, signature, fits, compared, seconds = await asyncio.gather(
        take_stock(workspace, there),
        situation.verdicts([digest]),
        find_signature(workspace, there),
        fits_check(workspace, there),
        compare_for(workspace, situation.reference, live, digest, back=True),
        move_seconds(workspace, situation.reference),
    )
    rows, summary = compared
    moved = short_digest(live) if live else "gone"
    waiting = pending_check(journal)
    pending = (waiting,) if waiting is not None else ()
    return replace(
        situation.draft("restore", stock.version),
        reason=reason,
        refers_to=recorded.number,
        checks=(
            Check("drift", True, f"it is {moved}; g{recorded.number} is put back"),
            complete_check(stock.blobs, stock.missing, stock.to_pull),
            fits,
            *rows,
            verdict_check(ruled[digest], forced=force),
            hold_check(situation.hold, situation.now, situation.actor, back=True),
            *pending,
            signature,
        ),
        bytes_to_pull=stock.to_pull,
        seconds=seconds,
        summary=summary,
    )


def _drifted_from(journal: Journal) -> Entry | None:
    """Return the last move that was made, where the channel is not where that led.

    The entry of a restore that was cut short before its move hides no drift.
    """
    made = journal.stays[0].entry if journal.stays else None
    return made if made is not None and made.to_digest != journal.live else None


def _no_drift(situation: Situation) -> NotFoundError:
    return NotFoundError(
        f"{situation.reference} is where its journal says: nobody moved it without a record",
        reference=str(situation.reference),
        hint=f"Its generations: rolldeck log {situation.reference}",
    )
