"""A plan in words: what moves where, what was checked, what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span
from rolldeck.units import human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Check, Plan

_VERB_WORDS = {"pin": "pin", "rollback": "roll back", "undo": "undo"}
_TITLES = {"pin": "Pin", "rollback": "Roll back", "undo": "Undo"}


@dataclass(frozen=True, slots=True)
class PlanPage:
    """What a dialog shows of a plan: ``verb`` is what ``y`` does, ``ok`` whether it may."""

    title: str
    note: str
    lines: list[Line]
    verb: str
    ok: bool


def plan_page(plan: Plan) -> PlanPage:
    """Return a move of a local target as a dialog shows it."""
    note = f"{human_size(plan.bytes_to_move)} to move"
    return PlanPage(plan_title(plan), note, plan_lines(plan), _VERB_WORDS[plan.verb], plan.ok)


def plan_title(plan: Plan) -> str:
    """Return the heading: ``Roll back v2.4.1 → v2.4.0 · /srv/fraud``."""
    before = clean_line(plan.from_label or "nothing", 60)
    after = clean_line(plan.to_label, 60)
    return f"{_TITLES[plan.verb]} {before} → {after} · {plan.target}"


def plan_lines(plan: Plan) -> list[Line]:
    """Return the lines of a plan."""
    before = _named(plan.from_label, plan.from_digest)
    after = _named(plan.to_label, plan.to_digest)
    lines = [
        Line((Span("current  "), Span(before, "dim"), Span("  →  "), Span(after, "bright"))),
        Line((Span("in       "), Span(clean_line(str(plan.target), 200)))),
    ]
    if plan.summary:
        lines.append(Line((Span("changes  "), Span(clean_line(plan.summary, 300)))))
    lines.append(Line())
    lines += check_lines(plan.checks)
    if plan.to_digest is not None:
        release = f"releases/{short_digest(plan.to_digest)}"
        lines.append(Line((Span(f"  switches current to {release}, all at once", "dim"),)))
    else:
        lines.append(Line((Span("  takes the current link away: nothing was live before", "dim"),)))
    if not plan.ok:
        lines.append(Line((Span("× A check failed, so this cannot be done.", "worse"),)))
    return lines


def check_lines(checks: Iterable[Check]) -> list[Line]:
    """Return a line for each check."""
    lines = []
    for check in checks:
        mark, look = _MARKS[check.ok]
        text = f"{clean_line(check.check, 60)}: {clean_line(check.detail, 200)}"
        lines.append(Line((Span(f"{mark} ", look), Span(text))))
    return lines


_MARKS: dict[bool | None, tuple[str, Look]] = {
    True: ("✓", "better"),
    False: ("×", "worse"),
    None: ("!", "changed"),
}


def _named(label: str | None, digest: str | None) -> str:
    if digest is None:
        return "no version"
    short = short_digest(digest)
    return short if not label or label == short else f"{clean_line(label, 80)}  {short}"
