"""The plan of a channel in words: numbered checks, and what will be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span, wrap
from rolldeck.units import duration, human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Check
    from rolldeck.release.channel import ChannelPlan

TITLES = {"rollback": "Roll back", "undo": "Undo", "promote": "Promote", "restore": "Restore"}
WORDS = {"rollback": "roll back", "undo": "undo", "promote": "promote", "restore": "restore"}

_MARKS: dict[bool | None, tuple[str, Look]] = {
    True: ("✓", "better"),
    False: ("✗", "worse"),
    None: ("!", "changed"),
}

_INDENT = 5
"""Cells in front of the text of a check: its number and its mark."""


@dataclass(frozen=True, slots=True)
class ChannelPlanPage:
    """What a dialog shows: ``word`` is what ``y`` does; ``typed`` must be typed instead of it.

    ``refused`` says that no answer can carry it out.
    """

    title: str
    note: str
    word: str
    typed: str | None
    refused: bool
    can_spare: bool
    can_compare: bool


def channel_plan_page(plan: ChannelPlan, forced: ChannelPlan | None) -> ChannelPlanPage:
    """Return what frames a plan; ``forced`` is the same with failed checks overruled."""
    title = (
        f"{TITLES.get(plan.verb, plan.verb)} {plan.channel.tag}: "
        f"{clean_line(plan.from_label or 'nothing', 40)} → {clean_line(plan.to_label, 40)}"
    )
    note = []
    if plan.bytes_to_pull is not None:
        note.append(f"{human_size(plan.bytes_to_pull)} to pull here")
    if plan.seconds is not None:
        note.append(f"about {duration(max(plan.seconds, 1))}")
    needs_name = plan.verb == "promote" or not plan.ok
    return ChannelPlanPage(
        title,
        " · ".join(note),
        WORDS.get(plan.verb, plan.verb),
        (plan.channel.tag or "") if needs_name else None,
        not plan.ok and (forced is None or not forced.ok),
        plan.marks_bad is not None,
        plan.from_digest is not None and plan.from_digest != plan.to_digest,
    )


def channel_plan_lines(plan: ChannelPlan, width: int, *, spared: bool = False) -> list[Line]:
    """Return the lines of a plan for a width; ``spared``: nothing is marked bad."""
    lines: list[Line] = []
    for number, check in enumerate(plan.checks, 1):
        lines += _check(number, check, width)
    for skipped in plan.skipped:
        label = clean_line(plan.labels.get(skipped.digest, short_digest(skipped.digest)), 40)
        text = f"skipped g{skipped.number} {label}: {clean_line(skipped.reason, 200)}"
        lines += _indented(text, width, "dim")
    if plan.summary:
        lines += _indented(clean_line(plan.summary, 300), width, "plain")
    return [*lines, *_indented(_will(plan, spared), width, "plain")]


def _check(number: int, check: Check, width: int) -> list[Line]:
    mark, look = _MARKS[check.ok]
    text = f"{clean_line(check.check, 60)}: {clean_line(check.detail, 300)}"
    parts = wrap(text, width - _INDENT, 2)
    first = Line((Span(f"{number:>2} "), Span(f"{mark} ", look), Span(parts[0])))
    return [first, *(Line((Span(" " * _INDENT + part),)) for part in parts[1:])]


def _indented(text: str, width: int, look: Look) -> list[Line]:
    parts = wrap(text, width - _INDENT, 2)
    return [Line((Span(" " * _INDENT + part, look),)) for part in parts]


def _will(plan: ChannelPlan, spared: bool) -> str:
    if not plan.records:
        return (
            "nothing moves; what is missing is set" if plan.owes or plan.ends else "nothing moves"
        )
    parts = [f"writes g{plan.generation}", "moves the tag"]
    if plan.hold_until is not None:
        parts.append(f"holds it until {plan.hold_until.astimezone():%m-%d %H:%M %Z}".rstrip())
    if plan.marks_bad is not None:
        label = clean_line(plan.from_label or short_digest(plan.marks_bad), 40)
        parts.append(f"does not mark {label}" if spared else f"marks {label} bad")
    if plan.followers:
        several = "s" if len(plan.followers) > 1 else ""
        parts.append(f"switches {len(plan.followers)} local target{several} here")
    return ", ".join(parts)
