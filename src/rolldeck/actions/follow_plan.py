"""Where a local target that follows a channel should be, and what it takes to get there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from rolldeck.actions.channel import channel_name, open_records
from rolldeck.actions.channel_rollback import NoGoodVersionError, last_known_good
from rolldeck.actions.channel_situation import Situation, look_at_channel
from rolldeck.actions.fit_check import fits_check
from rolldeck.actions.plan import plan_pin
from rolldeck.actions.targets import lasting
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import BusyError
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.release import Check, Plan, Target
from rolldeck.release.channel import Records, hold_tag
from rolldeck.units import rfc3339, short_digest

_LOOKS = 3
"""How often a channel that moves while it is read is read again."""

Points = tuple[Digest | None, Digest | None]
"""What a channel and the tag of its hold name: two small requests tell whether anything changed."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a channel says to its followers.

    ``goal`` is the held version, else the live one. ``refusal`` says why nobody should go there.
    ``points`` did not change while the rest was read.
    """

    situation: Situation
    points: Points
    goal: Digest
    label: str
    refusal: str | None
    notes: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Whether a hold decides."""
        return self.situation.hold is not None

    @property
    def why(self) -> str:
        """The reason that a move is recorded with."""
        hold, current = self.situation.hold, self.situation.journal.current
        if hold is not None:
            said = f": {hold.reason}" if hold.reason else ""
            return f"{self.situation.name} is held there by {hold.holder}{said}"
        if current is None:
            return f"{self.situation.name} was moved there without a record"
        entry = current.entry
        said = f": {entry.reason}" if entry.reason else ""
        return f"{self.situation.name} g{entry.number}, {entry.verb} by {entry.actor}{said}"


async def glance(records: Records, channel: str) -> Points:
    """Ask only what a channel and the tag of its hold name."""
    live, hold = await asyncio.gather(records.point(channel), records.point(hold_tag(channel)))
    return live, hold


async def set_course(workspace: Workspace, channel: Reference) -> Course:
    """Read where the followers of a channel should be.

    Raises NotFoundError where there is no channel, BusyError where it moves all the time.
    """
    name = channel_name(channel)
    before = await glance(open_records(workspace, channel), name)
    for _ in range(_LOOKS):
        situation = await look_at_channel(workspace, channel)
        # Asked once more: a hold that was set while the rest was read must not be missed.
        after = await glance(situation.records, name)
        if before == after and situation.live == after[0]:
            return await _course(workspace, situation, after)
        before = after
    raise BusyError(
        f"{channel} moves while it is read",
        reference=str(channel),
        hint="Look at it, then run the same command again.",
    )


async def _course(workspace: Workspace, situation: Situation, points: Points) -> Course:
    hold, live = situation.hold, situation.live
    assert live is not None
    goal = hold.version.digest if hold is not None else live
    label = situation.label(goal) or short_digest(goal)
    verdict = (await situation.verdicts([goal]))[goal]
    refusal = None
    if verdict is not None and verdict.opinion == "bad":
        said = f": {verdict.reason}" if verdict.reason else ""
        refusal = f"{label} is marked bad by {verdict.actor}{said}"
    else:
        fits = await fits_check(workspace, situation.version(goal))
        refusal = f"{label} does not fit this host: {fits.detail}" if fits.ok is False else None
    notes = []
    if hold is not None:
        until = f" until {rfc3339(hold.until)}" if hold.until else ""
        notes.append(f"held by {hold.holder}{until}")
        if live != goal:
            notes.append(f"the tag is at {situation.label(live)}")
    elif situation.journal.drift:
        notes.append("moved without a record")
    return Course(situation, points, goal, label, refusal, tuple(notes))


async def good_of(workspace: Workspace, course: Course) -> tuple[Digest, str] | None:
    """Return the last known good version of a channel and its label; None where there is none."""
    try:
        good = await last_known_good(workspace, course.situation)
    except NoGoodVersionError:
        return None
    return good.digest, course.situation.label(good.digest) or short_digest(good.digest)


async def plan_to(workspace: Workspace, target: Target, course: Course, goal: Digest) -> Plan:
    """Plan to have a version of the followed channel in a target; it is fetched only if missing."""
    reference = course.situation.version(goal)
    label = course.situation.label(goal) or short_digest(goal)
    follows = str(course.situation.reference)
    if not target.exists or target.release(goal) is None or await _is_changed(target, goal):
        plan = await plan_pin(workspace, reference, target.path, summary=False)
        # Older releases go after a round, when the last known good is known.
        checks = tuple(item for item in plan.checks if item.check not in ("follows", "releases"))
        plan = replace(plan, verb="follow", to_label=label, reference=str(reference))
        return replace(plan, follows=follows, checks=checks, removes=())
    current = target.current()
    here = Check("unpacked here", True, "0 B to move")
    release = target.release(current) if current else None
    return Plan(
        verb="follow",
        target=target.path,
        from_digest=current,
        from_label=release.label if release else None,
        to_digest=goal,
        to_label=label,
        reference=str(reference),
        checks=(here,),
        bytes_to_move=0,
        follows=follows,
    )


async def _is_changed(target: Target, digest: Digest) -> bool:
    return bool(await asyncio.to_thread(target.changes, digest, Progress()))


async def plan_follow(workspace: Workspace, channel: Reference, target_path: Path) -> Plan:
    """Plan to let a target follow a channel from now on, beginning where the channel is.

    Raises UsageError where the reference names no channel, RefusedError for a read-only workspace.
    """
    workspace.require_writable("pin --follow")
    channel = lasting(replace(channel, tag=channel_name(channel)))
    target = Target(target_path)
    course = await set_course(workspace, channel)
    plan = await plan_to(workspace, target, course, course.goal)
    checks = [Check("follows", True, f"{channel}: {course.why}")]
    if course.notes:
        checks.append(Check("channel", None, "; ".join(course.notes)))
    if course.refusal:
        checks.append(Check("verdict", False, course.refusal))
    return replace(plan, checks=(*checks, *plan.checks), begins=True)


def problem_of(plan: Plan) -> str | None:
    """Return what of a plan failed; None where nothing did."""
    failed = next((item for item in plan.checks if item.ok is False), None)
    return f"{failed.check}: {failed.detail}" if failed else None
