"""The incident note: what happened and what was done, as Markdown for a chat or a ticket."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rolldeck.actions.triage_words import incident_words, warnings
from rolldeck.moments import both_zones
from rolldeck.text import clean_line
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from rolldeck.actions import ChannelMoved, Triage

_ACTIVE = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~&@])")
"""What could become a link, a mention or a layout in Markdown."""

_DONE = {"rollback": "rolled back", "undo": "undone", "promote": "promoted", "restore": "restored"}


def inert(text: str) -> str:
    """Return a text of others as Markdown that shows it and nothing else."""
    return _ACTIVE.sub(r"\\\1", clean_line(text, 300))


def incident_note(
    triage: Triage, moved: ChannelMoved | None, commands: Sequence[str], now: datetime
) -> str:
    """Return the note: of what was done where something was, else of what is known so far."""
    name = inert(triage.name)
    lines = [f"## Incident: {name}", ""]
    if moved is None:
        lines += _found(triage, now)
    else:
        lines += _done(moved)
    if incident := incident_words(triage):
        lines.append(f"- **Incident:** {inert(incident)}")
    summary = moved.plan.summary if moved is not None else triage.summary
    if summary:
        lines.append(f"- **What differs:** {inert(summary)}")
    lines += [f"- **Note:** {inert(text)}" for text in warnings(triage)]
    if commands:
        lines += ["", "The same on the command line:", "", "```sh"]
        # A fence ends only at a line of its own, and a command is one line.
        lines += [clean_line(line, 1000).replace("```", "'''") for line in commands]
        lines.append("```")
    return "\n".join([*lines, ""])


def _found(triage: Triage, now: datetime) -> list[str]:
    lines = [
        f"- **When:** {both_zones(now)}",
        f"- **Live:** {_version(triage.live_label, triage.live)}",
    ]
    row, good = triage.live_row, triage.row(triage.good)
    if row is not None:
        lines.append(f"- **Since:** {both_zones(row.time)}, {row.name} by {inert(row.actor)}")
    if good is not None:
        lines.append(
            f"- **Last known good:** {_version(good.label, good.digest)}, {good.name}, "
            f"{inert(triage.why_good)}"
        )
    return [*lines, "- **Done:** nothing yet"]


def _done(moved: ChannelMoved) -> list[str]:
    plan = moved.plan
    lines = [f"- **What:** {inert(plan.channel.tag or '')} {_DONE.get(plan.verb, plan.verb)}"]
    if moved.recorded is not None:
        entry = moved.recorded.entry
        lines[0] += f" (g{entry.number}) by {inert(entry.actor)} in {moved.seconds:.1f} s"
        lines.append(f"- **When:** {both_zones(entry.time)}")
    lines += [
        f"- **From:** {_version(plan.from_label or 'nothing', plan.from_digest)}",
        f"- **To:** {_version(plan.to_label, plan.to_digest)}",
        f"- **Why:** {inert(plan.reason) if plan.reason else 'no reason was given'}",
    ]
    if moved.hold is not None:
        until = moved.hold.until
        held = f"held until {both_zones(until)}" if until else "held"
        lines.append(f"- **Hold:** {'released' if moved.hold.released else held}")
    if moved.verdict is not None:
        lines.append(f"- **Verdict:** {moved.verdict.opinion}")
    return lines


def _version(label: str, digest: str | None) -> str:
    short = short_digest(digest) if digest else ""
    return inert(label) if label == short or not short else f"{inert(label)} `{short}`"
