"""The channels of a repository as lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span, cut, left
from rolldeck.units import age, short_digest

if TYPE_CHECKING:
    from rolldeck.actions.channel import Channel

_COLUMNS = ("CHANNEL", "VERSION", "GEN", "SINCE", "BY", "NOTE")


def channel_lines(channels: Sequence[Channel], width: int, now: datetime) -> list[Line]:
    """Return a head and a line for each channel."""
    if not channels:
        return [Line((Span(" There is no tag that moves, such as production.", "dim"),))]
    rows = [_cells(item, now) for item in channels]
    sizes = [max(len(text) for text in column) for column in zip(_COLUMNS, *rows, strict=True)]
    head = "  ".join(left(name, size) for name, size in zip(_COLUMNS, sizes, strict=True))
    lines = [Line((Span(cut(f"   {head}", width), "dim"),))]
    for row in rows:
        looks: list[Look] = ["bright", "plain", "dim", "dim", "dim", "changed"]
        spans = [Span("   ")]
        for text, size, look in zip(row, sizes, looks, strict=True):
            spans.append(Span(left(text, size) + "  ", look))
        lines.append(Line(tuple(spans)))
    return lines


def _cells(channel: Channel, now: datetime) -> tuple[str, ...]:
    current = channel.journal.current
    entry = current.entry if current else None
    live = channel.live
    notes = ["! drift"] if channel.journal.drift else []
    if channel.journal.pending is not None:
        notes.append(f"! g{channel.journal.pending.entry.number} pending")
    if channel.hold is not None and channel.hold.holds(now):
        notes.append(f"held by {clean_line(channel.hold.holder, 40)}")
    return (
        clean_line(channel.name, 40),
        clean_line(channel.labels.get(live, short_digest(live)), 40) if live else "gone",
        f"g{entry.number}" if entry else "",
        f"{age(entry.time, now)} ago" if entry else "",
        clean_line(entry.actor, 40) if entry else "",
        ", ".join(notes),
    )
