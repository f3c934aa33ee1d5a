"""A file in a comparison: what happened to it, and the first lines that differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

from rolldeck.compare.files import NOT_READ
from rolldeck.compare.model import Row
from rolldeck.text import clean_line
from rolldeck.tui.models.comparison_columns import ROOMY, Columns
from rolldeck.tui.models.lines import Line, Span, cut, left, line
from rolldeck.tui.models.text_lines import window

HINT = "f shows the text"
"""What to do to see more of a file."""

ASK = "press f"
"""What to do to have a file read that was not."""


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One line of a file that is only on one side, with its number there."""

    sign: Literal["-", "+"]
    number: int
    parts: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """How the text of a file differs: lines added and removed, and the first of them."""

    added: int
    removed: int
    first: tuple[ChangedLine, ...] = ()


def file_lines(row: Row, columns: Columns, change: FileChange | None, hint: bool) -> list[Line]:
    """Return a file as one line, with the first changed lines where there is room for them.

    ``hint`` says that its text can be seen.
    """
    indent = Span(" " * columns.indent)
    what = {"added": "new", "removed": "gone", "equal": "same", "changed": ""}[row.status]
    note = clean_line(row.note)
    if note.endswith(NOT_READ):
        note += f", {ASK}"
    words = "  ".join(part for part in (what, note) if part)
    room = columns.width - columns.indent - cell_len(words) - 3
    name = clean_line(row.key)
    size = max(min(max(columns.key, cell_len(name)), room), 8)
    quiet = row.status == "equal"
    spans = [indent, Span(left(name, size), "dim" if quiet else "plain")]
    spans.append(Span(f"  {cut(words, columns.width - columns.indent - size - 3)}"))
    spans[-1] = Span(spans[-1].text, "dim" if quiet else "changed")
    used = Line(tuple(spans)).width
    if hint and columns.width >= ROOMY and used + len(HINT) + 3 < columns.width:
        spans.append(Span(f"   {HINT}", "dim"))
    lines = [Line(tuple(spans))]
    if change is not None and columns.width >= ROOMY:
        lines += [_changed_line(item, columns) for item in change.first]
    return lines


def _changed_line(item: ChangedLine, columns: Columns) -> Line:
    number = f"{' ' * columns.indent}{item.number:>5}"
    look = "added" if item.sign == "+" else "removed"
    room = columns.width - cell_len(number) - 4
    return line(
        Span(number, "dim"),
        Span(f" {item.sign} ", "added" if look == "added" else "removed"),
        *window(item.parts, 0, room),
    )
