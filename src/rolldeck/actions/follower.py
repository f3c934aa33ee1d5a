"""A follower: brings a local target to where its channel is, round by round.

A round that finds nothing new costs two small requests. What the target should be at is unpacked
and verified first, then the channel is asked once more, and only then ``current`` is switched.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rolldeck.actions.channel import open_records
from rolldeck.actions.follow_plan import (
    Course,
    Points,
    glance,
    good_of,
    plan_to,
    problem_of,
    set_course,
)
from rolldeck.actions.hooks import Hooks
from rolldeck.actions.move import apply, held, make_ready
from rolldeck.actions.prune import plan_prune, prune, tell_unremoved
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import (
    BusyError,
    CancelledError,
    RolldeckError,
    UnavailableError,
)
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.release import Plan, Target
from rolldeck.release.following import (
    Following,
    read_following,
    write_following,
)
from rolldeck.release.retention import may_have_surplus
from rolldeck.text import clean_line
from rolldeck.units import human_size, rfc3339

EventKind = Literal[
    "current",
    "switched",
    "prepared",
    "unprepared",
    "removed",
    "reverted",
    "unproven",
    "refused",
    "unreachable",
    "failed",
    "waiting",
    "stopped",
]
"""What a round came to: nothing to do; ``current`` moved; the last known good was unpacked, or
could not be; older releases went; a hook failed, and the release before is back, or may not come
back; the target stays where it is, as its channel or a check says; the registry did not answer;
something else went wrong; it goes there in a follower's next round; the target follows no channel
any more."""

_FULL = 3600.0
"""Seconds after which a channel is read again although nothing moved: versions become good."""

NO_HOOKS = Hooks()


@dataclass(frozen=True, slots=True)
class FollowEvent:
    """One thing that a follower did or saw; ``bytes`` is what was fetched or unpacked for it.

    ``digest`` is what is current after it, ``goal`` what the channel wants.
    """

    kind: EventKind
    time: datetime
    target: Path
    channel: str
    digest: Digest | None
    previous: Digest | None = None
    goal: Digest | None = None
    label: str | None = None
    held: bool = False
    generation: int | None = None
    bytes: int = 0
    removed: tuple[Digest, ...] = ()
    detail: str = ""


class Follower:
    """Keeps one target at its channel; whoever runs one holds the target's follow lock."""

    def __init__(
        self, workspace: Workspace, target_path: Path, progress: Progress, hooks: Hooks = NO_HOOKS
    ) -> None:
        self._hooks = hooks
        self._workspace = workspace
        self._target = Target(target_path).require()
        self._progress = progress
        self._seen: Points | None = None
        self._settled_until: datetime | None = None

    async def step(self) -> tuple[FollowEvent, ...]:
        """Do one round; raises the errors of the registry and of the disk."""
        following = await asyncio.to_thread(read_following, self._target)
        if following is None:
            return (self._event("stopped", "", "it follows no channel any more"),)
        channel = Reference.parse(following.channel)
        if await self._is_settled(channel, following):
            return (self._event("current", following.channel, goal=following.goal),)
        self._seen = None
        course = await set_course(self._workspace, channel)
        if (objection := self._objection(course, following)) is not None:
            return (objection,)
        events = [await self._go(course, hooked=bool(self._hooks))]
        if self._hooks and (events[0].kind == "switched" or following.unproven == course.goal):
            events += await self._prove(course)
            if events[-1].kind == "reverted":
                return tuple(events)
        if events[0].kind in ("current", "switched"):
            kept = await self._keep_good(course)
            events += (*kept, *await self._remove_older(course))
            if not {event.kind for event in events} & {"unproven", "unprepared", "failed"}:
                self._settle(course)
        return tuple(events)

    async def preview(self) -> Plan | FollowEvent:
        """Return the plan of a round, or why none of it would move; raises as ``step``."""
        found = await self._aim()
        if isinstance(found, FollowEvent):
            return found
        course, _ = found
        plan = await plan_to(self._workspace, self._target, course, course.goal)
        problem = problem_of(plan)
        return self._told("refused", course, problem) if problem else plan

    async def switch(self) -> FollowEvent:
        """Be where the channel is, if that is unpacked here; raises as ``step``.

        Nothing is fetched and no hook is run: the next round does both.
        """
        found = await self._aim()
        if isinstance(found, FollowEvent):
            return found
        course, following = found
        plan = await plan_to(self._workspace, self._target, course, course.goal)
        if plan.bytes_to_move:
            size = human_size(plan.bytes_to_move)
            text = (
                f"{course.label} is not unpacked here: rolldeck follow --once {self._target.path}"
            )
            return self._told("waiting", course, f"{text} fetches {size}")
        return await self._go(course, hooked=following.hooked)

    async def _aim(self) -> tuple[Course, Following] | FollowEvent:
        """Return where the target should go, or why it goes nowhere."""
        following = await asyncio.to_thread(read_following, self._target)
        if following is None:
            return self._event("stopped", "", "it follows no channel any more")
        course = await set_course(self._workspace, Reference.parse(following.channel))
        if (objection := self._objection(course, following)) is not None:
            return objection
        if await asyncio.to_thread(self._target.current) == course.goal:
            return self._told("current", course)
        return course, following

    def _objection(self, course: Course, following: Following) -> FollowEvent | None:
        """Say why nobody, or not this host, should go where a course leads."""
        if course.refusal is not None:
            return self._told("refused", course, course.refusal)
        if course.goal == following.failed:
            again = f"rolldeck pin --follow {following.channel} {self._target.path} tries it again"
            text = f"{course.label} failed its hooks here before; {again}"
            return self._told("refused", course, text)
        return None

    async def _is_settled(self, channel: Reference, following: Following) -> bool:
        """Whether nothing changed since the last round: the channel, its hold, and what is here."""
        now = datetime.now(UTC)
        if self._seen is None or self._settled_until is None or now >= self._settled_until:
            return False
        if await asyncio.to_thread(self._target.current) != following.goal:
            return False
        records = open_records(self._workspace, channel)
        return await glance(records, channel.tag or "") == self._seen

    def _settle(self, course: Course) -> None:
        now = datetime.now(UTC)
        until = datetime.fromtimestamp(now.timestamp() + _FULL, UTC)
        hold = course.situation.hold
        if hold is not None and hold.until is not None:
            until = min(until, hold.until)
        self._seen, self._settled_until = course.points, until

    async def _go(self, course: Course, *, hooked: bool) -> FollowEvent:
        """Be where the channel is; where it is ``hooked``, hooks are due afterwards."""
        target = self._target
        if await asyncio.to_thread(target.current) == course.goal:
            return self._told("current", course)
        plan = await plan_to(self._workspace, target, course, course.goal)
        if problem := problem_of(plan):
            return self._told("refused", course, problem)
        self._progress.check()
        await make_ready(self._workspace, plan, self._progress)
        if await glance(course.situation.records, course.situation.name) != course.points:
            # It may have taken hours; what is unpacked for nothing goes with the next prune.
            raise BusyError(
                f"{course.situation.reference} moved while its version was unpacked",
                reference=str(course.situation.reference),
                hint="The next round goes where it is.",
            )
        self._progress.check()
        if hooked:
            await self._remember(course, unproven=course.goal)
        moved = await apply(self._workspace, plan, self._progress, course.why)
        told = self._told("switched", course, course.why)
        return replace(
            told,
            previous=moved.previous,
            generation=moved.generation,
            bytes=plan.bytes_to_move,
        )

    async def _prove(self, course: Course) -> tuple[FollowEvent, ...]:
        """Run the hooks; where one fails, go back to the release before and run them again."""
        problem = await self._run_hooks(course.label, course.goal)
        if problem is None:
            await self._remember(course, unproven=None, failed=None)
            return ()
        before = next(
            (
                move.from_digest
                for move in reversed(self._target.history())
                if move.to_digest == course.goal
            ),
            None,
        )
        if why := await self._no_way_back(course, before):
            return (self._told("unproven", course, f"{problem}; it stays, as {why}"),)
        assert before is not None
        plan = await plan_to(self._workspace, self._target, course, before)
        moved = await apply(self._workspace, replace(plan, verb="revert"), self._progress, problem)
        # The mark comes last: killed before it, the next round tries the version once more.
        await self._remember(course, unproven=None, failed=course.goal)
        sick = await self._run_hooks(plan.to_label, before)
        after = f"{plan.to_label} is back, and {sick}" if sick else f"{plan.to_label} is back"
        told = self._told("reverted", course, f"{problem}; {after}")
        generation = moved.generation
        return (replace(told, previous=course.goal, generation=generation),)

    async def _no_way_back(self, course: Course, before: Digest | None) -> str | None:
        """Say why a failed hook moves nothing; None where the release before may be put back."""
        if course.held:
            return "the channel is held there"
        if before is None or self._target.release(before) is None:
            return "there is no release before it"
        verdict = (await course.situation.verdicts([before]))[before]
        if verdict is not None and verdict.opinion == "bad":
            return "the release before it is marked bad"
        return None

    async def _run_hooks(self, label: str, digest: Digest) -> str | None:
        told = {
            "ROLLDECK_TARGET": str(self._target.path),
            "ROLLDECK_DIGEST": digest,
            "ROLLDECK_LABEL": clean_line(label),
        }
        return await self._hooks.run(told)

    async def _keep_good(self, course: Course) -> tuple[FollowEvent, ...]:
        """Have the last known good unpacked, so that a rollback moves nothing; remember it."""
        good = await good_of(self._workspace, course)
        await self._remember(
            course,
            goal=course.goal,
            good=good[0] if good else None,
            good_label=good[1] if good else None,
            held=course.held,
            hooked=bool(self._hooks),
            checked=rfc3339(datetime.now(UTC)),
        )
        if good is None:
            return ()
        plan = await plan_to(self._workspace, self._target, course, good[0])
        if plan.bytes_to_move == 0 and problem_of(plan) is None:
            return ()
        try:
            if problem := problem_of(plan):
                raise BusyError(problem)
            await make_ready(self._workspace, plan, self._progress)
        except CancelledError:
            raise
        except RolldeckError as error:
            detail = f"the last known good {good[1]} is not unpacked: {error.message}"
            return (self._told("unprepared", course, detail),)
        detail = f"the last known good {good[1]} is unpacked: a rollback moves nothing"
        return (replace(self._told("prepared", course, detail), bytes=plan.bytes_to_move),)

    async def _remove_older(self, course: Course) -> tuple[FollowEvent, ...]:
        """Remove the releases that nobody needs any more."""
        keep = self._workspace.settings.keep_releases
        if not await asyncio.to_thread(may_have_surplus, self._target, keep, course.goal):
            return ()
        try:
            plan = await plan_prune(self._workspace, self._target.path)
            done = await prune(self._workspace, plan)
        except CancelledError:
            raise
        except RolldeckError as error:
            return (self._told("failed", course, tell_unremoved(error)),)
        gone = tuple(item.digest for item in done.removed)
        text = f"keeps {len(done.kept)} releases, frees {human_size(done.size)}"
        event = replace(self._told("removed", course, text), removed=gone)
        return (event,) if gone else ()

    async def _remember(self, course: Course, **known: Any) -> None:
        """Write down what is known of the channel, unless the following was ended meanwhile."""

        def write() -> None:
            found = read_following(self._target)
            if found is not None and found.channel == str(course.situation.reference):
                write_following(self._target, replace(found, **known))

        async with held(self._target.locked()):
            await asyncio.to_thread(write)

    def _told(self, kind: EventKind, course: Course, detail: str = "") -> FollowEvent:
        event = self._event(kind, str(course.situation.reference), "", goal=course.goal)
        said = "; ".join(filter(None, (detail, *course.notes)))
        return replace(event, label=course.label, held=course.held, detail=said)

    def _event(
        self, kind: EventKind, channel: str, detail: str = "", *, goal: Digest | None = None
    ) -> FollowEvent:
        now = datetime.now(UTC)
        try:
            current = self._target.current()
        except RolldeckError:
            current = None
        return FollowEvent(kind, now, self._target.path, channel, current, goal=goal, detail=detail)

    def waiting(self, detail: str) -> FollowEvent:
        """Return the event of a target that another process follows."""
        return self._event("waiting", self._channel(), detail)

    def failed(self, error: RolldeckError) -> FollowEvent:
        """Return the event of a round that an error ended; the target stays where it is."""
        kind: EventKind = "unreachable" if isinstance(error, UnavailableError) else "failed"
        return self._event(kind, self._channel(), error.message)

    def _channel(self) -> str:
        try:
            following = read_following(self._target)
        except RolldeckError:
            return ""
        return following.channel if following else ""
