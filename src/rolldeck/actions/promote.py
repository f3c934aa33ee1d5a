"""Promote: a channel goes forward to a version of its repository, guarded."""

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
from rolldeck.errors import UsageError
from rolldeck.oci import Digest, Reference
from rolldeck.release import Check
from rolldeck.release.channel import ChannelPlan
from rolldeck.release.channel.preflight import (
    complete_check,
    hold_check,
    movers_check,
    verdict_check,
)
from rolldeck.units import age


async def plan_promote(
    workspace: Workspace,
    version: Reference,
    channel: Reference,
    *,
    reason: str | None = None,
    force: bool = False,
) -> ChannelPlan:
    """Plan to let a channel point at a version of its own repository.

    With ``force`` a bad verdict, a hold of somebody else or drift are no failed checks. Raises
    UsageError for a version of another repository and NotFoundError where it does not exist.
    """
    workspace.require_writable("promote")
    if replace(version, tag=None, digest=None) != replace(channel, tag=None, digest=None):
        raise UsageError(
            f"{version} is not in the repository of {channel}",
            reference=str(version),
            hint="Bring it there first: rolldeck copy, or push",
        )
    situation = await look_at_channel(workspace, channel, may_be_new=True)
    resolved = await workspace.resolve(version)
    digest = resolved.digest
    assert digest is not None
    live = situation.live
    there = situation.version(digest)
    stock, ruled, signature, fits, compared, seconds = await asyncio.gather(
        take_stock(workspace, there),
        situation.verdicts([digest]),
        find_signature(workspace, there),
        fits_check(workspace, there),
        compare_for(workspace, situation.reference, live, digest, back=False),
        move_seconds(workspace, situation.reference),
    )
    rows, summary = compared
    found = (
        complete_check(stock.blobs, stock.missing, stock.to_pull),
        fits,
        *rows,
        verdict_check(ruled[digest], forced=force),
        hold_check(situation.hold, situation.now, situation.actor, back=False, forced=force),
        _before(situation, digest),
        movers_check(situation.journal, situation.actor, situation.now),
        signature,
        *situation.checks(forced=force),
    )
    is_own_name = resolved.tag not in (None, situation.name)
    draft = situation.draft("promote", stock.version, resolved.tag if is_own_name else None)
    return replace(
        draft,
        reason=reason,
        source=str(replace(resolved, digest=None)) if resolved.tag else None,
        checks=tuple(check for check in found if check is not None),
        bytes_to_pull=stock.to_pull,
        seconds=seconds,
        summary=summary,
    )


def _before(situation: Situation, digest: Digest) -> Check | None:
    """Say that a promote goes back; None where it does not."""
    journal = situation.journal
    if digest == situation.live:
        return Check("already live", True, "nothing moves")
    for stay in journal.stays:
        if stay.entry.to_digest == digest:
            ended = f", until {age(stay.until, situation.now)} ago" if stay.until else ""
            text = f"as g{stay.entry.number}{ended}; rollback would hold the channel, too"
            return Check("was live before", None, text)
    return None
