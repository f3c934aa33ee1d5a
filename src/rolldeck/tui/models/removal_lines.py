"""A removal in words: what goes, what else uses it, and what to type for which part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Span
from rolldeck.tui.models.plan_lines import check_lines
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Removal


def removal_title(removal: Removal) -> str:
    """Return the heading: ``Remove v2.4.1 · ghcr.io/acme/fraud``."""
    name = removal.tags[0] if removal.tags else short_digest(removal.digest)
    return f"Remove {name} · {clean_line(removal.reference.name, 80)}"


def removal_lines(removal: Removal) -> list[Line]:
    """Return the lines of a removal."""
    tags = ", ".join(removal.tags) or "none"
    lines = [
        Line((Span("version  "), Span(short_digest(removal.digest), "bright"))),
        Line((Span("tags     "), Span(clean_line(tags, 200)))),
        *check_lines(removal.checks),
        Line(),
    ]
    if removal.verb == "untag":
        lines.append(Line((Span(f"Type {removal.tags[0]} to remove this tag alone:", "dim"),)))
        return lines
    whole = f"{short_digest(removal.digest)} to remove the version with all of its tags:"
    if not removal.ok:
        whole = "the version itself is kept, since a check failed:"
    some = "Type a tag to remove it alone; " if removal.tags else "Type "
    lines.append(Line((Span(some + whole, "dim"),)))
    return lines


def names_to_type(removal: Removal) -> dict[str, str]:
    """Return what may be typed, and the verb that it stands for."""
    names = dict.fromkeys(removal.tags, "untag")
    if removal.verb == "rm" and removal.ok:
        names[short_digest(removal.digest)] = "rm"
    return names
