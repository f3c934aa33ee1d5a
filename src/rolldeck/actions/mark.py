"""Marks that a person sets: a verdict on a version, a hold of a channel, and its release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rolldeck.actions.actor import actor_name
from rolldeck.actions.channel import open_records, recording
from rolldeck.actions.channel_situation import look_at_channel
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, UsageError
from rolldeck.oci import Digest, Reference
from rolldeck.release.channel import Hold, Opinion, Verdict, ruling


@dataclass(frozen=True, slots=True)
class Marking:
    """A mark to be written: on which version or channel, and the one that it follows, if any."""

    reference: Reference
    mark: Verdict | Hold
    before: Verdict | Hold | None = None

    @property
    def digest(self) -> Digest:
        """The digest of what is written."""
        return self.mark.to_manifest().digest


async def plan_verdict(
    workspace: Workspace, reference: Reference, opinion: Opinion, reason: str | None = None
) -> Marking:
    """Plan to say of a version that it is good or bad, to note something, or to withdraw that.

    Raises UsageError for a note without text and NotFoundError where nothing is to be withdrawn.
    """
    workspace.require_writable("verdict")
    if opinion == "note" and not reason:
        raise UsageError("A note needs its text", hint="Write it after --reason.")
    resolved = await workspace.resolve(reference)
    assert resolved.digest is not None
    manifest = await workspace.manifest(resolved)
    said = (await open_records(workspace, resolved).verdicts([resolved.digest])).get(
        resolved.digest, ()
    )
    before = ruling(said)
    if opinion == "withdrawn" and before is None:
        raise NotFoundError(f"{reference} has no verdict", reference=str(reference))
    # Later than all that was said, since clocks differ: what is said last shall rule.
    moments = [item.time + timedelta(seconds=1) for item in said]
    time = max([datetime.now(UTC).replace(microsecond=0), *moments])
    actor = actor_name(workspace.settings)
    mark = Verdict(manifest.descriptor, opinion, actor, time, reason)
    return Marking(resolved, mark, before)


async def plan_hold(
    workspace: Workspace,
    channel: Reference,
    hours: float | None = None,
    reason: str | None = None,
) -> Marking:
    """Plan to freeze a channel on what it points at; ``hours`` 0: until somebody releases it."""
    workspace.require_writable("hold")
    situation = await look_at_channel(workspace, channel)
    assert situation.live is not None
    manifest = await workspace.manifest(situation.version(situation.live))
    length = workspace.settings.hold_hours if hours is None else hours
    now = situation.now.replace(microsecond=0)
    mark = Hold(
        channel=situation.name,
        version=manifest.descriptor,
        holder=situation.actor,
        time=now,
        until=now + timedelta(hours=length) if length else None,
        reason=reason,
    )
    return Marking(situation.reference, mark, situation.hold)


async def plan_unhold(
    workspace: Workspace, channel: Reference, reason: str | None = None
) -> Marking:
    """Plan to release the hold of a channel; raises NotFoundError where there is none."""
    workspace.require_writable("unhold")
    situation = await look_at_channel(workspace, channel)
    held = situation.hold
    if held is None:
        raise NotFoundError(f"Nobody holds {situation.reference}", reference=str(channel))
    fresh = Hold(
        channel=held.channel,
        version=held.version,
        holder=situation.actor,
        time=situation.now.replace(microsecond=0),
        reason=reason,
        released=True,
        set_by=held.set_by,
    )
    return Marking(situation.reference, fresh, held)


async def write_mark(workspace: Workspace, marking: Marking) -> None:
    """Write a mark as it was planned."""
    mark = marking.mark
    verb = "hold" if isinstance(mark, Hold) else "verdict"
    async with recording(workspace, verb, marking.reference) as records:
        if isinstance(mark, Hold):
            await records.write_hold(mark)
        else:
            await records.write_verdict(mark)
