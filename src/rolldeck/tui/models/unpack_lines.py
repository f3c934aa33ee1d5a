"""Unpacking into a directory in use in words: what comes, what stays, what is in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.actions.unpack_words import count_of, standing_words
from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span
from rolldeck.tui.models.plan_lines import PlanPage
from rolldeck.units import human_size

if TYPE_CHECKING:
    from rolldeck.actions import UnpackPlan
    from rolldeck.kit import Standing

_LOOKS: dict[Standing, Look] = {
    "new": "better",
    "identical": "dim",
    "changed": "changed",
    "in the way": "worse",
}


def unpack_page(plan: UnpackPlan) -> PlanPage:
    """Return the plan of an unpack as a dialog shows it."""
    lines = [Line((Span(text, _LOOKS[way]),)) for way, text in standing_words(plan.found)]
    lines += [
        Line((Span(f"unknown     {path}: {reason}; told once it is fetched", "dim"),))
        for path, reason in plan.unknown
    ]
    changed, blocked = plan.files("changed"), plan.files("in the way")
    lines.append(Line())
    if blocked:
        text = "× Move away what is in the way; on the command line --force replaces it."
        lines.append(Line((Span(text, "worse"),)))
    elif plan.is_done:
        lines.append(Line((Span("✓ All of it is there already.", "better"),)))
    else:
        lines.append(Line((Span("✓ Nothing else in the directory is touched.", "better"),)))
    name = plan.reference.tag or plan.reference.repository
    return PlanPage(
        f"Unpack {clean_line(name, 60)} → {clean_line(str(plan.directory), 160)}",
        f"{human_size(plan.bytes_to_write)} to write",
        lines,
        f"replace {count_of(changed)}" if changed else "unpack",
        not blocked,
    )
