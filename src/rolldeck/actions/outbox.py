"""Rolling back a channel whose registry may be down: a local target now, the record when it can be.

The record is put into the outbox before the target is switched, and published from there: at once
where the registry answers, else by whoever reaches it next. It is published only while the channel
is where the rollback started; nothing that was moved meanwhile is overwritten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rolldeck.actions.actor import actor_name
from rolldeck.actions.move import Moved, apply, held
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import (
    BusyError,
    CancelledError,
    NotFoundError,
    RolldeckError,
    UnavailableError,
    UsageError,
)
from rolldeck.oci import Digest, Place, Reference, is_tag
from rolldeck.progress import Progress
from rolldeck.release import Check, Plan, Target
from rolldeck.release.channel import SETTLE, Recorded, outbox, require_channel
from rolldeck.release.channel.conflict import ConflictError, told
from rolldeck.release.channel.outbox import Unpublished
from rolldeck.units import rfc3339, short_digest

State = Literal["published", "unpublished", "void"]


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a rollback from the outbox; ``detail`` says why it is not published.

    ``generation`` is the channel's, where it is published.
    """

    item: Unpublished
    state: State
    detail: str = ""
    generation: int | None = None


def channel_of_target(target_path: Path, word: str) -> Reference:
    """Return the channel that a word names for a local target.

    A tag alone is a channel of the repository that the target's version came from. Raises
    UsageError for what names no channel of a registry.
    """
    if is_tag(word):
        target = Target(target_path).require()
        current = target.current()
        release = target.release(current) if current else None
        if release is None:
            raise UsageError(f"Nothing is current in {target.path}", reference=str(target.path))
        # The library's copy of a version from a registry is called as it is there.
        found = Reference.parse(release.reference.removeprefix("local:"))
        channel = replace(found, digest=None).tagged(word)
    else:
        channel = Reference.parse(word)
    require_channel(channel.tag or "")
    if channel.place is not Place.REGISTRY or channel.digest is not None:
        raise UsageError(
            f"{channel} is no channel of a registry",
            reference=str(channel),
            hint=f"Write it whole, such as {channel.name}:production",
        )
    return channel


def with_channel(plan: Plan, channel: Reference) -> Plan:
    """Return the plan of a local target's rollback with a channel that goes back, too."""
    start = short_digest(plan.from_digest or "")
    text = f"{channel} goes back, too, if it is at {start}; later where nobody answers"
    checks = [check for check in plan.checks if check.check != "channel"]
    return replace(plan, checks=(*checks, Check("channel", None, text)), queues=str(channel))


async def apply_and_queue(
    workspace: Workspace, plan: Plan, progress: Progress, reason: str | None = None
) -> tuple[Moved, Unpublished]:
    """Roll a local target back, with the record for the channel that its plan names in the outbox.

    Raises as ``apply``: then nothing stays in the outbox, unless the target moved all the same.
    Raises UsageError where the target has nothing to go back from.
    """
    if plan.from_digest is None or plan.to_digest is None:
        raise UsageError(f"{plan.target} has no version to go back from")
    queued: list[Unpublished] = []
    channel = Reference.parse(plan.queues or "")
    start, goal = plan.from_digest, plan.to_digest

    def before(number: int) -> None:
        item = Unpublished(
            channel=str(channel),
            from_digest=start,
            # A target that was pinned by its channel calls the version as the channel.
            from_label=_unlike(channel, plan.from_label, start),
            to_digest=goal,
            to_label=_unlike(channel, plan.to_label, goal),
            actor=actor_name(workspace.settings),
            time=datetime.now(UTC).replace(microsecond=0),
            target=str(plan.target),
            generation=number,
            reason=reason,
        )
        outbox.write(item)
        queued.append(item)

    try:
        moved = await apply(workspace, plan, progress, reason, before_switch=before)
    except RolldeckError:
        # A disk may fail after the switch; then it stays.
        if await asyncio.to_thread(Target(plan.target).current) == start:
            for item in queued:
                await asyncio.to_thread(outbox.remove, item)
        raise
    return moved, queued[0]


def _unlike(channel: Reference, label: str | None, digest: Digest) -> str:
    return label if label and label != channel.tag else short_digest(digest)


async def publish(
    workspace: Workspace,
    progress: Progress,
    *,
    wanted: Callable[[Unpublished], bool] = lambda item: True,
    settle: float = SETTLE,
) -> tuple[Published, ...]:
    """Publish what waits in the outbox, oldest first, and return what became of each.

    What cannot be reached or is refused by the registry stays unpublished. Raises BusyError where
    another process is publishing.
    """
    workspace.require_writable("publish")
    done = []
    down: dict[str, str] = {}
    async with held(outbox.locked()):
        for item in await asyncio.to_thread(outbox.read_outbox):
            if item.void is not None or not wanted(item):
                continue
            progress.check()
            root = Reference.parse(item.channel).root
            if root in down:
                done.append(Published(item, "unpublished", down[root]))
                continue
            try:
                done.append(await _publish_one(workspace, item, progress, settle))
            except UnavailableError as error:
                down[root] = error.message
                done.append(Published(item, "unpublished", error.message))
    return tuple(done)


async def _publish_one(
    workspace: Workspace, item: Unpublished, progress: Progress, settle: float
) -> Published:
    found: int | str | None
    try:
        found = await _not_moved(item)
        if found is None:
            try:
                found = await _settle_or_move(workspace, item, progress, settle)
            except ConflictError:
                # Somebody was there at the same time: once that is over, it is known who won.
                found = await _settle_or_move(workspace, item, progress, settle)
    except NotFoundError as error:
        found = error.message
    except (UnavailableError, CancelledError):
        raise
    except RolldeckError as error:
        # Such as a login: somebody can put that right.
        return Published(item, "unpublished", error.message)
    if isinstance(found, str):
        return Published(await asyncio.to_thread(outbox.make_void, item, found), "void", found)
    await asyncio.to_thread(outbox.remove, item)
    return Published(item, "published", generation=found)


async def _not_moved(item: Unpublished) -> str | None:
    """Say why the local target gives no reason to publish; None where it went back and stayed so.

    Its process may have been killed before the switch, or somebody undid it. Of a target that is
    gone nobody knows more than the outbox says.
    """
    target = Target(Path(item.target))
    if not target.exists:
        return None
    async with held(target.locked()):
        history = await asyncio.to_thread(target.history)
        current = await asyncio.to_thread(target.current)
    moves = [line for line in history if line.number == item.generation]
    if not moves or moves[0].to_digest != item.to_digest:
        return f"{item.target} did not go back"
    return f"{item.target} is at {item.from_label} again" if current == item.from_digest else None


async def _settle_or_move(
    workspace: Workspace, item: Unpublished, progress: Progress, settle: float
) -> int | str:
    """Make the move, or end what an earlier try began; returns its number, or why it is void."""
    # Imported here: whoever only queues needs nothing of it.
    from rolldeck.actions.channel import recording
    from rolldeck.actions.channel_apply import apply_channel
    from rolldeck.actions.channel_rollback import plan_channel_rollback
    from rolldeck.actions.channel_situation import look_at_channel
    from rolldeck.release.channel import finish

    channel = Reference.parse(item.channel)
    situation = await look_at_channel(workspace, channel, limit=None)
    journal = situation.journal
    known = (*journal.recorded, *journal.rivals)
    mine = next((entry for entry in known if entry.entry.nonce == item.nonce), None)
    if mine is None:
        if journal.live != item.from_digest:
            return _elsewhere(item, journal.newest, str(journal.live or ""))
        plan = await plan_channel_rollback(workspace, channel, item.to_digest, reason=item.reason)
        failed = next((check for check in plan.checks if check.ok is False), None)
        if failed is not None:
            return f"{failed.check}: {failed.detail}"
        if plan.from_digest != item.from_digest:
            return _elsewhere(item, journal.newest, str(plan.from_digest or ""))
        text = f"{item.target} went back at {rfc3339(item.time)}, while nobody could be asked"
        checks = (Check("queued", True, text), *plan.checks)
        plan = replace(plan, actor=item.actor, nonce=item.nonce, checks=checks)
        await apply_channel(workspace, plan, progress, settle=settle)
        return plan.generation
    number = mine.entry.number
    what = journal.outcome(mine.entry)
    if what == "pending" and journal.live == item.from_digest:
        async with recording(workspace, "publish", channel) as records:
            if await finish(records, journal, progress, settle=settle) is None:
                raise BusyError(f"{channel}: g{number} is on its way", reference=item.channel)
    elif what != "made":
        return f"g{number} was claimed for it, and passed over: {told(journal.newest)}"
    situation = await look_at_channel(workspace, channel)
    newest = situation.journal.newest
    if newest is not None and newest.digest == mine.digest:
        ending = situation.ending("rollback", forced=True)
        if ending is not None:
            await apply_channel(workspace, ending, progress, settle=settle)
    return number


def _elsewhere(item: Unpublished, newest: Recorded | None, live: str) -> str:
    now = short_digest(live) if live else "gone"
    by = f" ({told(newest)})" if newest is not None else ""
    return f"{item.channel} is not at {item.from_label} any more: it is {now}{by}"


async def forget_void(channel: str | None = None) -> tuple[Unpublished, ...]:
    """Take what is void out of the outbox, of one channel or of all."""
    async with held(outbox.locked()):
        found = await asyncio.to_thread(outbox.read_outbox, channel)
        void = tuple(item for item in found if item.void is not None)
        for item in void:
            await asyncio.to_thread(outbox.remove, item)
    return void
