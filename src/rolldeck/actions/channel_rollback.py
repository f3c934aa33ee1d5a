"""Roll back a channel: to its last known good version, held there, the one it leaves marked bad."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from rolldeck.actions.channel_preflight import (
    Stock,
    compare_for,
    find_signature,
    move_seconds,
    standing,
    take_stock,
)
from rolldeck.actions.channel_situation import Situation, look_at_channel
from rolldeck.actions.fit_check import fits_check
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, UsageError
from rolldeck.oci import Digest, Reference, is_digest, is_tag
from rolldeck.release import Check
from rolldeck.release.channel import (
    Candidate,
    ChannelPlan,
    Skipped,
    Standing,
    candidates,
    objection,
)
from rolldeck.release.channel.preflight import (
    complete_check,
    hold_check,
    movers_check,
    verdict_check,
)
from rolldeck.units import duration

_WHOLE = Standing(complete=True)
_MOST_TOLD = 5


class NoGoodVersionError(NotFoundError):
    """No version of a channel is known to be good; ``skipped`` are the candidates, newest first."""

    def __init__(self, message: str, skipped: tuple[Skipped, ...], **told: str) -> None:
        super().__init__(message, **told)
        self.skipped = skipped


@dataclass(frozen=True, slots=True)
class Goal:
    """A version to go back to: its generation, what there is of it, why it, and not others."""

    digest: Digest
    number: int | None
    stock: Stock | None
    why: Check
    skipped: tuple[Skipped, ...] = ()


async def plan_channel_rollback(
    workspace: Workspace,
    channel: Reference,
    to: str | None = None,
    *,
    hold_for: timedelta | None = None,
    mark: bool = True,
    reason: str | None = None,
    force: bool = False,
) -> ChannelPlan:
    """Plan to go back to the last known good version, or to ``to``.

    ``to`` is a generation (``g42``), a tag, a digest or its beginning, or a reference in the
    channel's repository. ``hold_for`` None is the time in the settings, zero sets no hold. Without
    ``mark`` the version that the channel leaves is not marked bad. Where the rollback before was
    cut short after its move, the plan only sets what that one did not. Raises NoGoodVersionError,
    which lists the candidates.
    """
    workspace.require_writable("rollback")
    situation = await look_at_channel(workspace, channel)
    if to is None and (ending := situation.ending("rollback", force)) is not None:
        return ending
    goal = await _named(workspace, situation, to) if to else None
    if goal is None:
        goal = await last_known_good(workspace, situation)
    live = situation.live
    assert live is not None
    if goal.digest == live:
        raise UsageError(f"{to} is live already", reference=str(situation.reference))
    there = situation.version(goal.digest)
    stock = goal.stock or await take_stock(workspace, there)
    ruled, signature, fits, compared, seconds = await asyncio.gather(
        situation.verdicts([goal.digest, live]),
        find_signature(workspace, there),
        fits_check(workspace, there),
        compare_for(workspace, situation.reference, live, goal.digest, back=True),
        move_seconds(workspace, situation.reference),
    )
    wanted = timedelta(hours=workspace.settings.hold_hours) if hold_for is None else hold_for
    until = (situation.now + wanted).replace(microsecond=0) if wanted else None
    rows, summary = compared
    verdict = ruled[goal.digest]
    found = (
        goal.why,
        complete_check(stock.blobs, stock.missing, stock.to_pull),
        fits,
        *rows,
        verdict_check(verdict, forced=force) if verdict else None,
        hold_check(situation.hold, situation.now, situation.actor, back=True)
        if situation.hold
        else None,
        movers_check(situation.journal, situation.actor, situation.now, until),
        signature,
        *situation.checks(forced=force),
    )
    left = ruled[live]
    is_bad = left is not None and left.opinion == "bad"
    return replace(
        situation.draft("rollback", stock.version),
        reason=reason,
        refers_to=goal.number,
        hold_until=until,
        marks_bad=live if mark and not is_bad else None,
        checks=tuple(check for check in found if check is not None),
        skipped=goal.skipped,
        labels={x.digest: situation.label(x.digest) or "" for x in goal.skipped},
        bytes_to_pull=stock.to_pull,
        seconds=seconds,
        summary=summary,
    )


async def last_known_good(workspace: Workspace, situation: Situation) -> Goal:
    """Find the newest version that nothing speaks against, with all that were passed over.

    Raises NoGoodVersionError where there is none.
    """
    journal = situation.journal
    found = list(candidates(journal, situation.now))
    ruled = await situation.verdicts(item.digest for item in found)
    soak = timedelta(hours=workspace.settings.soak_hours)
    skipped: list[Skipped] = []
    for item in found:
        verdict = ruled[item.digest]
        why = objection(item, verdict, _WHOLE, soak)
        stock = None
        if why is None:
            # Asked only where nothing else speaks against it: each blob takes a request.
            stands, stock = await standing(workspace, situation.version(item.digest))
            why = objection(item, verdict, stands, soak)
        if why is None:
            return Goal(
                item.digest,
                item.entry.number,
                stock,
                _why(item, marked=verdict is not None),
                tuple(skipped),
            )
        skipped.append(Skipped(item.entry.number, item.digest, why))
    if journal.more:
        whole = await look_at_channel(workspace, situation.reference, limit=None)
        return await last_known_good(workspace, whole)
    raise _no_good(situation, tuple(skipped))


def _why(item: Candidate, *, marked: bool) -> Check:
    said = ", marked good" if marked else ""
    stay = duration(item.stay.total_seconds())
    return Check("last known good", True, f"g{item.entry.number}, live {stay}{said}")


def _no_good(situation: Situation, skipped: tuple[Skipped, ...]) -> NoGoodVersionError:
    told = "; ".join(
        f"g{item.number} {situation.label(item.digest)}: {item.reason}"
        for item in skipped[:_MOST_TOLD]
    )
    more = f"; and {len(skipped) - _MOST_TOLD} more" if len(skipped) > _MOST_TOLD else ""
    oldest = situation.journal.recorded[-1].entry if situation.journal.recorded else None
    before = oldest.from_digest if oldest is not None else None
    nothing = "Its journal names no version before the live one. Name one: --to TAG"
    if oldest is not None and before is not None:
        nothing = (
            f"Before g{oldest.number}, which is the first one recorded, it was at "
            f"{situation.label(before)}: --to {before}"
        )
    hint = f"Candidates: {told}{more}. Name one: --to g{skipped[0].number}" if skipped else nothing
    return NoGoodVersionError(
        f"{situation.reference} has no last known good version",
        skipped,
        reference=str(situation.reference),
        hint=hint,
    )


async def _named(workspace: Workspace, situation: Situation, name: str) -> Goal:
    """Find what ``--to`` names: a generation, or any version of the repository."""
    journal = situation.journal
    by_number = {f"g{item.entry.number}": item.entry for item in journal.recorded}
    if name in by_number:
        entry = by_number[name]
        return Goal(entry.to_digest, entry.number, None, _chosen(name))
    numbers = [(item.entry.to_digest, item.entry.number) for item in journal.recorded]
    digest = await _digest_named(workspace, situation, name, [digest for digest, _ in numbers])
    number = next((number for known, number in numbers if known == digest), None)
    return Goal(digest, number, None, _chosen(name))


async def _digest_named(
    workspace: Workspace, situation: Situation, name: str, known: list[Digest]
) -> Digest:
    here = replace(situation.reference, tag=None, digest=None)
    beginnings = {item for item in known if item.partition(":")[2].startswith(name)}
    if len(name) >= 7 and len(beginnings) == 1:
        return beginnings.pop()
    if is_digest(name):
        wanted = here.at(Digest(name))
    elif is_tag(name):
        wanted = here.tagged(name)
    else:
        wanted = Reference.parse(name)
        if replace(wanted, tag=None, digest=None) != here:
            raise UsageError(
                f"{name} is not in the repository of {situation.reference}", reference=name
            )
    try:
        resolved = await workspace.resolve(wanted)
    except NotFoundError as error:
        raise NotFoundError(
            f"{situation.reference} was never at {name}, and {here.name} has no such version",
            reference=str(situation.reference),
            hint=error.hint or f"Its generations: rolldeck log {situation.reference}",
        ) from None
    assert resolved.digest is not None
    return resolved.digest


def _chosen(name: str) -> Check:
    return Check("chosen", True, f"--to {name}")
