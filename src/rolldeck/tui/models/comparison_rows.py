"""One row of a comparison as lines: values side by side, below each other where they are long."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from rolldeck.compare import wording
from rolldeck.compare.model import Row
from rolldeck.text import clean_line
from rolldeck.tui.models.comparison_columns import VERDICT_WIDTH, Columns
from rolldeck.tui.models.lines import Line, Look, Span, cut, left, line, right, wrap

REMARK_LINES = 3
"""Most lines a remark takes."""


def row_lines(
    row: Row,
    columns: Columns,
    relative: bool,
    labels: tuple[str, str],
    history: str = "",
) -> list[Line]:
    """Return a row as one line, or more where its values or its remark need room.

    ``history`` is the sparkline of its metric.
    """
    name, note, short = clean_line(row.key), clean_line(row.note), columns.short(row)
    indent = Span(" " * columns.indent)
    lines: list[Line] = []
    if short and cell_len(name) > columns.key:
        key = cut(name, columns.width - columns.indent - 1)
        lines.append(line(indent, Span(key, key_look(row))))
        spans = [indent, Span(" " * columns.key)]
    elif short:
        spans = [indent, *_key(row, columns.key, columns.good)]
    else:
        room = max(columns.width - columns.indent - 20, 8)
        spans = [indent, *_key(row, min(max(cell_len(name), columns.key), room), columns.good)]
    if short:
        spans += _values(row, columns)
    judgement = _judgement(row, columns if short else None, relative)
    spans += judgement
    used = Line(tuple(spans)).width
    if history and columns.history and used <= columns.sparkline:
        spans.append(Span(" " * (columns.sparkline - used) + history, "dim"))
        used = columns.sparkline + cell_len(history)
    start = max(_remark_start(row, columns, bool(judgement)), used + 2)
    if note and start + cell_len(note) < columns.width:
        spans += [Span(" " * (start - used)), Span(note, "dim")]
        note = ""
    lines.append(Line(tuple(spans)))
    if not short:
        lines += _long_values(row, columns, labels)
    if note:
        inset = " " * (columns.indent + 2)
        parts = wrap(note, columns.width - len(inset) - 1, REMARK_LINES)
        lines += [line(inset, Span(part, "dim")) for part in parts]
    return lines


def _remark_start(row: Row, columns: Columns, judged: bool) -> int:
    """Return where a remark stands: below others of its kind, near to what it is about."""
    if wording.verdict(row):
        return columns.remark
    return columns.after_delta if judged else columns.after_values + 4


def key_look(row: Row) -> Look:
    return "dim" if row.status == "equal" else "plain"


def _key(row: Row, width: int, good: bool) -> list[Span]:
    """Return the name of a row, with the direction that is good at the right where it fits."""
    name, arrow = clean_line(row.key), wording.direction(row)
    hint = f"  {arrow} good" if good else f" {arrow}"
    room = width - cell_len(name)
    if not arrow or room < cell_len(hint):
        return [Span(left(name, width), key_look(row))]
    return [Span(name, key_look(row)), Span(right(hint, room), "dim")]


def _looks(row: Row) -> tuple[Look, Look]:
    """Return the looks of both values: the newer one is bright where the row differs."""
    if row.status == "equal":
        return "dim", "dim"
    judged = row.verdict in ("better", "worse")
    return "plain" if judged or row.status == "removed" else "dim", "bright"


def _values(row: Row, columns: Columns) -> list[Span]:
    spans = []
    for text, cell, look in zip(wording.pair(row), (row.a, row.b), _looks(row), strict=True):
        spans.append(Span(f"  {right(text, columns.value)}", "dim" if cell is None else look))
    return spans


def _judgement(row: Row, columns: Columns | None, relative: bool) -> list[Span]:
    """Return the delta and the verdict."""
    text, verdict = wording.delta(row, relative), wording.verdict(row)
    look: Look = "dim"
    if row.verdict == "better" or row.verdict == "worse":
        look = row.verdict
    elif row.status in ("added", "removed"):
        look = "changed"
    if columns is None:
        parts = "  ".join(part for part in (text, verdict) if part)
        return [Span(f"  {parts}", look)] if parts else []
    if not (text or verdict):
        return []
    spans = [Span(f"  {right(text, columns.delta)}", look)]
    if verdict:
        spans.append(Span(f"  {left(verdict, VERDICT_WIDTH)}", look))
    return spans


def _long_values(row: Row, columns: Columns, labels: tuple[str, str]) -> list[Line]:
    """Return both values below each other, cut to where they begin to differ."""
    names = [cut(clean_line(label), 20) for label in labels]
    size = max(map(cell_len, names))
    indent = columns.indent + 2
    room = max(columns.width - indent - size - 3, 8)
    texts = wording.pair(row)
    middle = difference(*texts) if row.status == "changed" else ((0, 0), (0, 0))
    lines = []
    for name, text, cell, part, look in zip(
        names, texts, (row.a, row.b), middle, _looks(row), strict=True
    ):
        if cell is None:
            continue
        head = Span(" " * indent + left(name, size) + "  ", "dim")
        plain: Look = "dim" if look == "dim" else "plain"
        lines.append(Line((head, *window(text, part, room, plain, look))))
    return lines


def difference(a: str, b: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the part of each text that is left between their common beginning and end."""
    shortest = min(len(a), len(b))
    start = next((i for i in range(shortest) if a[i] != b[i]), shortest)
    tail = next((i for i in range(shortest - start) if a[-1 - i] != b[-1 - i]), shortest - start)
    return (start, len(a) - tail), (start, len(b) - tail)


def window(text: str, part: tuple[int, int], room: int, plain: Look, look: Look) -> Sequence[Span]:
    """Return ``text`` in ``room`` cells so that ``part`` of it is seen, which has its own look."""
    start, end = part
    skip = 0
    if cell_len(text) > room and start > room // 3:
        skip = min(start - room // 4, max(len(text) - room + 1, 0))
    shown = ("…" if skip else "") + cut(text[skip:], room - (1 if skip else 0))
    shift = skip - (1 if skip else 0)
    start, end = max(start - shift, 0), max(end - shift, 0)
    spans = (Span(shown[:start], plain), Span(shown[start:end], look), Span(shown[end:], plain))
    return tuple(span for span in spans if span.text)
