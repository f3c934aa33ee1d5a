"""Triage as a page of lines: what is live and good, the generations, what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolldeck.actions.triage_words import (
    COLUMNS,
    cells,
    good_words,
    incident_words,
    live_words,
    row_words,
    target_words,
    warnings,
)
from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span, cut, left, wrap

if TYPE_CHECKING:
    from rolldeck.actions import Triage, TriageRow

_HEAD = 6
"""Cells of ``LIVE`` and ``GOOD`` with the blanks behind them."""

_GIVES_WAY = ("signed", "verdict", "active", "by")
"""Columns in the order in which they are left out where there is no room for all."""

_NARROWEST = {"version": 8, "by": 6}
"""Columns that may be cut, and to how many cells."""


@dataclass(frozen=True, slots=True)
class TriagePage:
    """The lines, and on which of them the first generation stands."""

    lines: list[Line]
    first: int


def triage_page(triage: Triage, selected: TriageRow | None, width: int) -> TriagePage:
    """Return the page for a width; ``selected`` is the generation to tell more of."""
    lines = _top(triage, width)
    lines.append(Line())
    texts = [cells(row, triage.now) for row in triage.rows]
    widths = column_widths(texts, width - 3)
    gap = " " * (2 if sum(widths.values()) + 2 * (len(widths) - 1) <= width - 3 else 1)
    head = gap.join(left(name, size) for name, size in widths.items())
    lines.append(Line((Span(f"   {head}".rstrip(), "dim"),)))
    first = len(lines)
    lines += [
        _row(triage, row, text, widths, gap) for row, text in zip(triage.rows, texts, strict=True)
    ]
    if not triage.rows:
        lines.append(Line((Span("   No move of it was recorded.", "dim"),)))
    return TriagePage([*lines, *_bottom(triage, selected, width)], first)


def _top(triage: Triage, width: int) -> list[Line]:
    room = width - _HEAD
    good = triage.row(triage.good)
    lines = [
        _named("LIVE", "worse", triage.live_label, live_words(triage), room),
        _named("GOOD", "better", good.label if good else "", _good_words(triage), room),
    ]
    if incident := incident_words(triage):
        lines.append(Line((Span("!     ", "changed"), Span(cut(incident, room), "changed"))))
    for text in warnings(triage):
        for number, part in enumerate(wrap(text, room, 2)):
            mark = "!     " if number == 0 else " " * _HEAD
            lines.append(Line((Span(mark, "changed"), Span(part, "changed"))))
    return lines


def _good_words(triage: Triage) -> str:
    choose = "" if triage.row(triage.good) else "; choose one with [ and ], then R"
    return f"{good_words(triage)}{choose}"


def _named(word: str, look: Look, label: str, words: str, room: int) -> Line:
    name = clean_line(label, 40)
    name = f"{name}  " if name else ""
    said = Span(cut(words, max(room - len(name), 10)), "dim" if name else "plain")
    return Line((Span(left(word, _HEAD), look), Span(name, "bright"), said))


def column_widths(texts: list[tuple[str, ...]], room: int) -> dict[str, int]:
    """Return the columns that fit, with their widths; what gives way is cut, then left out."""
    widths = {
        name: max([len(name), *(len(text[place]) for text in texts)])
        for place, name in enumerate(COLUMNS)
    }
    for name in _GIVES_WAY:
        if _total(widths) <= room:
            return widths
        for cuttable, least in _NARROWEST.items():
            if cuttable in widths and name != "signed":
                excess = _total(widths) - room
                widths[cuttable] = max(widths[cuttable] - max(excess, 0), least)
        if _total(widths) > room:
            del widths[name]
    return widths


def _total(widths: dict[str, int]) -> int:
    """Return the cells of columns with one blank between them, the least that can be read."""
    return sum(widths.values()) + len(widths) - 1


def _row(
    triage: Triage, row: TriageRow, text: tuple[str, ...], widths: dict[str, int], gap: str
) -> Line:
    began = triage.incident_row is row
    spans = [Span(" ! " if began else "   ", "changed")]
    whole: Look = "plain"
    if row.skipped and row.verdict == "bad":
        whole = "dim"
    by_name = dict(zip(COLUMNS, text, strict=True))
    for place, (name, size) in enumerate(widths.items()):
        look: Look = _LOOKS.get((name, by_name[name]), whole)
        if name == "version" and row.is_live:
            look = "worse" if triage.good is not None else "bright"
        elif name == "version" and row.number == triage.good:
            look = "better"
        spans.append(Span(("" if place == 0 else gap) + left(by_name[name], size), look))
    return Line(tuple(spans))


_LOOKS: dict[tuple[str, str], Look] = {
    ("verdict", "good"): "better",
    ("verdict", "bad"): "worse",
    ("fits", "NO"): "worse",
    ("here", "GONE"): "worse",
    ("here", "0 B"): "better",
}


def _bottom(triage: Triage, selected: TriageRow | None, width: int) -> list[Line]:
    lines = [Line()]
    live, good = triage.live_row, triage.row(triage.good)
    if triage.summary and good is not None:
        names = f"{good.name}→{live.name if live else 'live'}: "
        lines += [Line((Span(part),)) for part in wrap(names + triage.summary, width, 3)]
    if selected is not None:
        said = row_words(triage, selected)
        lines += [Line((Span(part, "dim"),)) for part in wrap(said, width, 2)]
    for text in target_words(triage):
        look: Look = "changed" if "NOT" in text else "dim"
        lines.append(Line((Span(cut(text, width), look),)))
    return lines
