"""What jobs do: each function is one action as a job, with the line that says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck import actions
from rolldeck.units import human_size, short_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rolldeck.actions import (
        ChannelMoved,
        Delivery,
        Marking,
        Packing,
        Plan,
        Removal,
        Unpacked,
        UnpackPlan,
        Workspace,
    )
    from rolldeck.kit import Filter
    from rolldeck.oci import Reference
    from rolldeck.progress import Progress
    from rolldeck.release.channel import ChannelPlan
    from rolldeck.tui.jobs import Work


def pull(workspace: Workspace, reference: Reference) -> Work:
    """Return the job that copies a version into the library."""

    async def run(progress: Progress) -> str:
        done = await actions.pull(workspace, reference, progress)
        warning = f"; {done.warning}" if done.warning else ""
        if not done.bytes_transferred:
            return f"all {human_size(done.bytes_total)} were here already{warning}"
        present = done.bytes_total - done.bytes_transferred
        rest = f", {human_size(present)} were here already" if present else ""
        return (
            f"{human_size(done.bytes_transferred)} in {done.seconds:.0f} s{rest}; "
            f"in the library as {done.reference.name}{warning}"
        )

    return run


def unpack(
    workspace: Workspace, reference: Reference, directory: Path, filters: tuple[Filter, ...]
) -> Work:
    """Return the job that unpacks a version, or what filters take of it, into a directory."""

    async def run(progress: Progress) -> str:
        done = await actions.unpack(workspace, reference, directory, progress, filters)
        return _unpacked(done, filters)

    return run


def unpack_planned(workspace: Workspace, plan: UnpackPlan) -> Work:
    """Return the job that unpacks into a directory in use; files that changed are replaced."""

    from rolldeck.kit import MergeRules

    async def run(progress: Progress) -> str:
        rules = MergeRules(overwrite=bool(plan.files("changed")))
        return _unpacked(
            await actions.unpack_planned(workspace, plan, rules, progress), plan.filters
        )

    return run


def _unpacked(done: Unpacked, filters: tuple[Filter, ...]) -> str:
    left_out = f", {len(done.skipped)} left out" if done.skipped else ""
    only = "" if done.kept or filters else "; its large layers are there only"
    return f"{done.files} files, {human_size(done.bytes)} in {done.directory}{left_out}{only}"


def apply(workspace: Workspace, plan: Plan) -> Work:
    """Return the job that carries out a plan."""

    async def run(progress: Progress) -> str:
        if plan.to_digest is None:
            progress.note = "switching"  # nothing is asked first, so it must come to its own end
        if plan.queues is None:
            done = await actions.apply(workspace, plan, progress)
        else:
            from rolldeck.actions.outbox import apply_and_queue

            done, _ = await apply_and_queue(workspace, plan, progress)
        now = plan.to_label if done.digest else "nothing"
        digest = f" {short_digest(done.digest)}" if done.digest else ""
        said = f"{now}{digest} is current (g{done.generation}) in {done.target}; U takes it back"
        return f"{said}; unpublished: {plan.queues}" if plan.queues else said

    return run


def apply_channel(
    workspace: Workspace, plan: ChannelPlan, made: Callable[[ChannelMoved], object]
) -> Work:
    """Return the job that moves a channel; ``made`` is told what was done."""

    async def run(progress: Progress) -> str:
        progress.note = "moving"  # once claimed it must come to its own end
        done = await actions.apply_channel(workspace, plan, progress)
        made(done)
        number = f" (g{done.recorded.entry.number})" if done.recorded else ""
        parts = [f"{plan.to_label}{number} in {done.seconds:.1f} s", "U undo", "Y copy note"]
        parts.append(short_digest(plan.to_digest))
        if done.hold is not None:
            parts.append("its hold is released" if done.hold.released else "held")
        if done.verdict is not None and done.verdict.opinion == "bad":
            parts.append(f"{plan.from_label} marked bad")
        if plan.followers:
            parts.append(await _bring_along(workspace, plan.channel, progress))
        return " · ".join(parts)

    return run


async def _bring_along(workspace: Workspace, channel: Reference, progress: Progress) -> str:
    """Let the local targets of this host go along, and say how many are there."""
    there, last = 0, ""
    events = [event async for event in actions.bring_along(workspace, channel, progress)]
    for event in events:
        there += event.kind in ("switched", "current")
        last = last if event.kind in ("switched", "current") else f"; {event.detail}"
    return f"on {there}/{len(events)} here{last}"


def write_mark(workspace: Workspace, marking: Marking, words: str) -> Work:
    """Return the job that writes a mark; ``words`` say what it did."""

    async def run(progress: Progress) -> str:
        progress.note = "writing"  # it is written whole or not at all
        await actions.write_mark(workspace, marking)
        return words

    return run


def deliver(workspace: Workspace, delivery: Delivery) -> Work:
    """Return the job that pushes, copies or tags a version."""

    async def run(progress: Progress) -> str:
        done = await actions.deliver(workspace, delivery, progress)
        where = delivery.reference
        name = f"{where.name}:{where.tag}" if where.tag else where.name
        if delivery.verb == "tag":
            return f"{name} is {short_digest(delivery.digest)}"
        if not done.bytes_transferred:
            return f"{name}: all {human_size(delivery.graph.size)} were there already"
        sent = human_size(done.bytes_transferred)
        return f"{sent} of {human_size(delivery.graph.size)} sent in {done.seconds:.0f} s; {name}"

    return run


def pack(workspace: Workspace, packing: Packing) -> Work:
    """Return the job that packs a directory into the library."""

    async def run(progress: Progress) -> str:
        done = await actions.pack_kit(workspace, packing, progress)
        layers = done.kit.layers
        size = human_size(sum(layer.blob.size for layer in layers))
        unchanged = sum(layer.unchanged for layer in layers)
        which = f", {unchanged} of {len(layers)} layers unchanged" if unchanged else ""
        return f"{packing.reference} is {short_digest(done.kit.descriptor.digest)}: {size}{which}"

    return run


def remove(workspace: Workspace, removal: Removal, goal: Reference) -> Work:
    """Return the job that removes a version as it was shown, or ``goal``, one of its tags."""

    async def run(progress: Progress) -> str:
        progress.note = "removing"  # nothing is half removed, so it must come to its own end
        if goal.digest is None:
            untag = await actions.plan_untag(workspace, goal.at(removal.digest))
            await actions.remove(workspace, untag)
            return f"the tag {goal.tag} is gone"
        await actions.remove(workspace, removal)
        return f"{short_digest(removal.digest)} is gone with all of its tags"

    return run


def verify(workspace: Workspace, what: str) -> Work:
    """Return the job that checks a version or a local target byte by byte."""

    async def run(progress: Progress) -> str:
        done = await actions.verify(workspace, what, progress)
        if done.ok:
            return f"{done.checked} checked, all as they should be"
        first = done.problems[0]
        place = first.path or short_digest(first.digest or "")
        return f"{len(done.problems)} of {done.checked} are damaged: {place}: {first.problem}"

    return run
