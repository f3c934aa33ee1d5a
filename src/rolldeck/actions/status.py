"""Where local targets and channels stand: live, last known good, drift, and whether going back is
prepared.

What is read of a target needs no network; its channel is asked only where it follows one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from rolldeck.actions.plan import way_back
from rolldeck.actions.targets import is_target
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import IntegrityError, NotFoundError, RolldeckError, UsageError
from rolldeck.oci import Digest, Place, Reference
from rolldeck.progress import Progress
from rolldeck.release import Target, known_paths
from rolldeck.release.following import Following, read_following
from rolldeck.text import clean_line
from rolldeck.units import short_digest


@dataclass(frozen=True, slots=True)
class Held:
    """A hold in force: the version, who holds it, until when (None: until it is released), why."""

    digest: Digest
    holder: str
    time: datetime
    until: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a rollback is prepared: ``bytes`` must be fetched or unpacked, None for not known."""

    ready: bool
    to: Digest | None
    label: str | None
    bytes: int | None
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """Where a target or a channel stands.

    ``drift`` says what differs between registry, journal and directory. Of a target that follows,
    ``channel`` is its channel; where that could not be asked it is None, and ``unknown`` says why.
    """

    name: str
    live: Digest | None
    label: str | None
    good: Digest | None
    good_label: str | None
    drift: tuple[str, ...]
    hold: Held | None
    rollback: Readiness
    follows: str | None = None
    channel: Status | None = None
    unknown: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """The exit code: 0 where a rollback is ready and nothing drifts, 9 for drift, else 3."""
        if self.drift:
            return 9
        return 0 if self.rollback.ready else 3


async def status_of(workspace: Workspace, name: str) -> Status:
    """Return where a local target (a path) or a channel (a reference with a tag) stands.

    Raises NotFoundError where it is not there. A target answers without its registry.
    """
    if is_target(name):
        return await _of_target(workspace, Path(name))
    reference = Reference.parse(name)
    if reference.tag is None or reference.digest is not None:
        raise UsageError(
            f"{name} is neither a local target nor a channel",
            reference=name,
            hint="A channel is a movable tag, such as REPOSITORY:production; a target is a path.",
        )
    return await _of_channel(workspace, reference)


async def status_of_all(workspace: Workspace) -> tuple[Status, ...]:
    """Return where every known local target stands, last used first, with the channels followed."""
    paths = [known.path for known in await asyncio.to_thread(known_paths)]
    present = [path for path in paths if Target(path).exists]
    return tuple(await asyncio.gather(*(_of_target(workspace, path) for path in present)))


def worst(found: Sequence[Status]) -> int:
    """Return the exit code for several: drift goes before what is not ready."""
    return max((item.code for item in found), default=0)


async def _of_target(workspace: Workspace, path: Path) -> Status:
    target = Target(path).require()
    status, following = await asyncio.to_thread(_look, target)
    if not status.rollback.ready and status.rollback.to is not None:
        status = replace(status, rollback=await _restorable(workspace, target, status.rollback))
    if following is None:
        return status
    try:
        channel = await _of_channel(workspace, Reference.parse(following.channel))
    except RolldeckError as error:
        from rolldeck.release.channel.outbox import read_outbox

        waiting = await asyncio.to_thread(read_outbox, following.channel)
        notes = (*status.notes, *(f"unpublished: {item.line}" for item in waiting))
        return replace(status, unknown=error.message, notes=notes)
    drift = status.drift
    goal = channel.hold.digest if channel.hold else channel.live
    if goal is not None and goal != status.live:
        what = "is held at" if channel.hold else "is at"
        name = channel.label if goal == channel.live else short_digest(goal)
        drift = (*drift, f"{following.channel} {what} {name}")
    return replace(
        status,
        good=channel.good,
        good_label=channel.good_label,
        hold=channel.hold,
        drift=drift,
        channel=channel,
    )


def _look(target: Target) -> tuple[Status, Following | None]:
    """Read what the directory says of itself. Blocks; meant for a thread."""
    drift: list[str] = []
    current = goal = following = None
    try:
        following = read_following(target)
        current = target.current()
        history = target.history()
        recorded = history[-1].to_digest if history else None
        if recorded != current:
            said = short_digest(recorded) if recorded else "nothing"
            drift.append(f"its history says that {said} is current")
        goal = way_back(target)
        drift += _changed(target, current)
    except IntegrityError as error:
        drift.append(clean_line(error.message))
    good = following.good if following else None
    status = Status(
        name=str(target.path),
        live=current,
        label=_label(target, current),
        good=good,
        good_label=following.good_label if following else None,
        drift=tuple(drift),
        hold=None,
        rollback=_readiness(target, goal),
        follows=following.channel if following else None,
        notes=_notes(following),
    )
    return status, following


def _notes(following: Following | None) -> tuple[str, ...]:
    notes = []
    if following is not None and following.unproven is not None:
        notes.append(f"the hooks of {short_digest(following.unproven)} have not ended")
    if following is not None and following.failed is not None:
        notes.append(f"{short_digest(following.failed)} failed its hooks here and was left")
    return tuple(notes)


def _changed(target: Target, current: Digest | None) -> list[str]:
    if current is None:
        return []
    changes = target.changes(current, Progress())
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return [clean_line(f"{changes[0][0]}: {changes[0][1]}{more}")] if changes else []


def _readiness(target: Target, goal: Digest | None) -> Readiness:
    if goal is None:
        return Readiness(False, None, None, None, "nothing was current before")
    label = _label(target, goal)
    if target.release(goal) is None:
        return Readiness(False, goal, label, None, f"{label} is not unpacked here")
    if found := _changed(target, goal):
        return Readiness(False, goal, label, None, f"{label} was changed: {found[0]}")
    return Readiness(True, goal, label, 0, None)


def _label(target: Target, digest: Digest | None) -> str | None:
    if digest is None:
        return None
    try:
        release = target.release(digest)
    except RolldeckError:
        release = None
    return clean_line(release.label) if release else short_digest(digest)


async def _restorable(workspace: Workspace, target: Target, found: Readiness) -> Readiness:
    """Say what unpacking it again from this machine takes; no registry is asked."""
    from rolldeck.actions.show import load_version

    goal = found.to
    assert goal is not None
    if not await asyncio.to_thread(workspace.library.holds, goal):
        return found
    steps = [step for step in target.history() if step.to_digest == goal]
    reference = Reference.parse(steps[-1].reference) if steps else None
    if reference is None or reference.place is Place.LAYOUT:
        return found
    copy = Reference(Place.LIBRARY, "", reference.library_name, None, goal)
    try:
        version = await load_version(workspace, copy)
    except RolldeckError:
        return found
    lacking = [blob for blob in version.kit.manifest.layers if not workspace.library.has(blob)]
    if lacking or version.chain_problem:
        return found
    return replace(found, ready=True, bytes=version.kit.whole_size, why_not=None)


async def _of_channel(workspace: Workspace, reference: Reference) -> Status:
    # Imported here: a target that follows no channel needs neither journals nor a registry.
    from rolldeck.actions.channel_rollback import NoGoodVersionError, last_known_good
    from rolldeck.actions.channel_situation import look_at_channel
    from rolldeck.release.channel.outbox import read_outbox

    situation = await look_at_channel(workspace, reference)
    journal, hold, live = situation.journal, situation.hold, situation.live
    drift = []
    if journal.drift:
        said = journal.newest.entry.to_digest if journal.newest else None
        drift.append(f"its journal says {situation.label(said)}: moved without a record")
    waiting = await asyncio.to_thread(read_outbox, str(situation.reference))
    notes = [f"unpublished: {item.line}" for item in waiting]
    if journal.pending is not None:
        notes.append(f"g{journal.pending.entry.number} is pending")
    if journal.chain in ("broken", "forked"):
        notes.append(f"the journal is {journal.chain}")
    good = None
    try:
        found = await last_known_good(workspace, situation)
        good, to_pull = found.digest, found.stock.to_pull if found.stock else None
        ready = Readiness(True, good, situation.label(good), to_pull, None)
    except NoGoodVersionError as error:
        first = next(iter(error.skipped), None)
        told = f"; g{first.number}: {first.reason}" if first else ""
        why = clean_line(f"no last known good version{told}")
        ready = Readiness(False, None, None, None, why)
    except NotFoundError as error:
        ready = Readiness(False, None, None, None, error.message)
    return Status(
        name=str(situation.reference),
        live=live,
        label=clean_line(situation.label(live) or "") or None,
        good=good,
        good_label=situation.label(good),
        drift=tuple(clean_line(text) for text in drift),
        hold=Held(hold.version.digest, hold.holder, hold.time, hold.until, hold.reason)
        if hold
        else None,
        rollback=ready,
        notes=tuple(notes),
    )
