"""The plan of a channel and what came of it, as text that fits 80 columns."""

from __future__ import annotations

from datetime import datetime

from rolldeck.actions import ChannelMoved, Rehearsed
from rolldeck.cli.moves import named, print_checks, print_parts, print_wrapped
from rolldeck.release.channel import ChannelPlan
from rolldeck.text import clean_line
from rolldeck.units import duration, human_size

_VERBS = {"rollback": "roll back", "external": "adopt"}


def print_channel_plan(plan: ChannelPlan) -> None:
    """Print where a channel goes, what was checked, and what will be written."""
    print_parts((f"{_VERBS.get(plan.verb, plan.verb)} {clean_line(str(plan.channel))}", "bold"))
    goal = named(plan.to_label, plan.to_digest)
    if plan.records and plan.verb != "external":
        start = named(plan.from_label, plan.from_digest) if plan.from_digest else "nothing"
        print_parts((f"  {start} → {goal}", ""))
    else:
        print_parts((f"  {goal} stays", ""))
    for item in plan.skipped:
        name = named(plan.labels.get(item.digest), item.digest)
        print_wrapped(f"  skipped g{item.number} {name}: {item.reason}")
    print_checks(plan.checks)
    if plan.summary:
        print_wrapped(f"  {plan.summary}")
    print_wrapped(f"  {_will(plan)}", "dim")


def _will(plan: ChannelPlan) -> str:
    """Say what will be written, and how long that takes."""
    if not plan.records:
        return "nothing moves" + ("; what is missing is set" if plan.owes or plan.ends else "")
    parts = [f"will write g{plan.generation}"]
    if plan.hold_until:
        parts.append(f"hold it until {local_time(plan.hold_until)}")
    if plan.marks_bad:
        parts.append(f"mark {named(plan.from_label, plan.marks_bad)} bad")
    if plan.verb != "external":
        parts.append("move the tag")
    if plan.followers:
        several = "s" if len(plan.followers) > 1 else ""
        parts.append(f"switch {len(plan.followers)} local target{several} here")
    took = f" · about {duration(max(plan.seconds, 1))}" if plan.seconds is not None else ""
    reason = f" · reason: {plan.reason}" if plan.reason else ""
    return f"{', '.join(parts)}{took}{reason}"


def print_moved(moved: ChannelMoved) -> None:
    """Print what was done, and how to take it back."""
    plan = moved.plan
    name = clean_line(str(plan.channel))
    goal = named(plan.to_label, plan.to_digest)
    if moved.recorded is None:
        print_parts((f"{name} was {goal} already; nothing moved", ""))
    else:
        number = moved.recorded.entry.number
        print_parts((f"{name} is now {goal}", "bold"), (f" (generation g{number})", ""))
    if moved.hold is not None and moved.hold.released:
        print_parts(("  its hold was released", ""))
    elif moved.hold is not None and moved.hold.until is not None:
        print_parts((f"  held until {local_time(moved.hold.until)}", ""))
    if moved.verdict is not None:
        said = "its bad mark was withdrawn"
        if moved.verdict.opinion == "bad":
            said = f"{_label(moved)} was marked bad"
        print_parts((f"  {said}", ""))
    if moved.recorded is not None and plan.verb != "external":
        print_parts((f"Take it back: rolldeck undo {name}", "dim"))


def _label(moved: ChannelMoved) -> str:
    assert moved.verdict is not None
    digest = moved.verdict.version.digest
    is_left = digest == moved.plan.from_digest
    return named(moved.plan.from_label if is_left else None, digest)


def print_rehearsed(rehearsed: Rehearsed) -> None:
    """Print what a rehearsal showed."""
    plan = rehearsed.plan
    print_parts((f"rehearsed: {named(plan.to_label, plan.to_digest)} is whole", "bold"))
    print_parts(
        (
            f"  {human_size(rehearsed.bytes_transferred)} pulled, {rehearsed.files} files of "
            f"{human_size(rehearsed.bytes)} unpacked and verified in {rehearsed.seconds:.1f} s",
            "",
        )
    )
    print_parts(("Nothing was moved.", ""))


def local_time(moment: datetime) -> str:
    """Return a moment in the time zone of this host and in UTC, as a tired person reads it."""
    here = moment.astimezone()
    utc = moment.strftime("%H:%M UTC")
    return f"{here:%Y-%m-%d %H:%M} {here.tzname() or ''}".rstrip() + (
        f" ({utc})" if here.utcoffset() else ""
    )
