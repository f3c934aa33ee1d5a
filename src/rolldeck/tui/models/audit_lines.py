"""The lines of an audit: for each place its chain, what is odd, and every record in two lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.moments import both_zones
from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span, cut, wrap
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from rolldeck.actions.audit import Audit
    from rolldeck.release.audit import AuditRow


def audit_lines(audit: Audit, width: int) -> list[Line]:
    """Return the page of an audit for a width."""
    lines: list[Line] = []
    for place in audit.places:
        chain: tuple[str, Look] = (
            ("× the chain is broken", "worse")
            if place.broken
            else ("✓ the chain is whole", "better")
        )
        lines += [Line((Span(f" {part}", "accent"),)) for part in wrap(place.place, width - 2)]
        lines.append(Line((Span(f"   {chain[0]}", chain[1]),)))
        for note in place.notes:
            number = f"g{note.number} " if note.number else ""
            look: Look = "worse" if note.breaks else "changed"
            mark = "×" if note.breaks else "⚠"
            text = clean_line(f"{note.kind}: {number}{note.detail}")
            for index, part in enumerate(wrap(text, width - 6)):
                lines.append(Line((Span(f"   {mark if not index else ' '} ", look), Span(part))))
        for row in place.rows:
            lines += _row(row, width)
        if not place.rows:
            lines.append(Line((Span("   Nothing was recorded.", "dim"),)))
        lines.append(Line())
    return lines or [Line((Span(" There is nothing to audit.", "dim"),))]


def _row(row: AuditRow, width: int) -> list[Line]:
    number = f"g{row.number}" if row.number else ""
    what = row.verb if row.outcome in (None, "made") else f"{row.verb}, {row.outcome}"
    goal = _version(row.to_label, row.to_digest)
    start = _version(row.from_label, row.from_digest)
    way = f"{start} → {goal}" if row.kind == "move" and start else goal
    made: Look = "plain" if row.outcome in (None, "made") else "dim"
    shown = cut(clean_line(f"{what}  {way}"), width - 9)
    first = Line((Span(f"   {number:5}", "bright"), Span(shown, made)))
    when = both_zones(row.time) if row.time else "at an unknown time"
    said = f": {row.reason}" if row.reason else ""
    text = clean_line(f"{when}, by {row.actor}{said}")
    return [first, *(Line((Span(f"        {part}", "dim"),)) for part in wrap(text, width - 9))]


def _version(label: str | None, digest: str | None) -> str:
    return "" if digest is None else label or short_digest(digest)
