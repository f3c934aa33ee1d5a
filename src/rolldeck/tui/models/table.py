"""Tables without widgets: columns that give way, sorting, filtering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from rolldeck.tui.models.filter import Filter
from rolldeck.tui.models.lines import Line, Look, Span, left, right

GAP = 2
"""Cells between two columns."""

MARGIN = 3
"""Cells in front of the first column: the cursor's mark, the row's mark, a blank."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``gives_way`` is when it leaves a table that is too narrow, 0 first, None never.

    ``narrowest`` is how far a column that never leaves may be cut.
    """

    id: str
    title: str
    width: int
    align: Literal["left", "right"] = "left"
    gives_way: int | None = None
    narrowest: int = 8
    sorts: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with its look."""

    text: str
    look: Look = "plain"


class TableData(Protocol):
    """What a table shows; rows are numbered from 0 in their natural order."""

    @property
    def columns(self) -> Sequence[Column]:
        """The columns, from left to right."""

    def __len__(self) -> int: ...

    def key(self, row: int) -> str:
        """Return what tells a row from all others, now and after a refresh."""

    def find(self, key: str) -> int | None:
        """Return the number of the row that has a key, or had it before it was read."""

    def cells(self, row: int) -> Sequence[Cell]:
        """Return the cells of a row, one per column."""

    def searchable(self, row: int) -> Mapping[str, str]:
        """Return the texts that a filter looks at by column, in folded case."""

    def sort_key(self, row: int, column: str) -> Any:
        """Return what a row is sorted by, None where it has no value and goes last."""


def fit(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """Return (number, width) of the columns that are shown in ``width`` cells.

    Columns leave in their fixed order; if those that never leave are still too wide, the widest
    is cut, never below its narrowest width.
    """
    chosen = list(range(len(columns)))
    leaving = sorted(
        (number for number in chosen if columns[number].gives_way is not None),
        key=lambda number: columns[number].gives_way or 0,
    )

    def needed() -> int:
        return MARGIN + sum(columns[number].width + GAP for number in chosen) - GAP

    for number in leaving:
        if needed() <= width:
            break
        chosen.remove(number)
    widths = {number: columns[number].width for number in chosen}
    excess = needed() - width
    for number in sorted(chosen, key=lambda number: -widths[number]):
        if excess <= 0:
            break
        cut = min(excess, max(widths[number] - columns[number].narrowest, 0))
        widths[number] -= cut
        excess -= cut
    return [(number, widths[number]) for number in chosen]


def arrange(data: TableData, wanted: Filter, sort: str | None, reverse: bool) -> list[int]:
    """Return the numbers of the rows to show, in order; ``sort`` None keeps the natural one."""
    chosen = [
        number
        for number in range(len(data))
        if not wanted or wanted.matches(data.searchable(number))
    ]
    if sort is not None:
        keyed = [(data.sort_key(number, sort), number) for number in chosen]
        known = sorted(
            (item for item in keyed if item[0] is not None),
            key=lambda item: item[0],
            reverse=not reverse,
        )
        return [number for _, number in known] + [number for key, number in keyed if key is None]
    return chosen[::-1] if reverse else chosen


def head_line(
    columns: Sequence[Column], fitted: Sequence[tuple[int, int]], sort: str | None, reverse: bool
) -> Line:
    """Return the heads of the columns; the one that sorts carries its direction."""
    spans = [Span(" " * MARGIN)]
    for position, (number, width) in enumerate(fitted):
        column = columns[number]
        last = position == len(fitted) - 1
        gap = "" if last else " " * GAP
        mark = ("▲" if reverse else "▼") if column.id == sort else ""
        if column.align == "right":
            text = right(f"{column.title} {mark}" if mark else column.title, width) + gap
        else:
            # The mark may stand in the gap, so that it never takes a letter of the title.
            text = left(column.title + mark, width + len(gap))
        spans.append(Span(text, "dim"))
    return Line(tuple(spans))


def column_at(
    columns: Sequence[Column], fitted: Sequence[tuple[int, int]], x: int
) -> Column | None:
    """Return the column whose cells ``x`` is among."""
    start = MARGIN
    for number, width in fitted:
        if start <= x < start + width + GAP:
            return columns[number]
        start += width + GAP
    return None


def row_line(
    columns: Sequence[Column],
    fitted: Sequence[tuple[int, int]],
    cells: Sequence[Cell],
    marked: bool,
) -> Line:
    """Return one row; spans of the same look are joined, since each costs bytes on the wire."""
    spans: list[Span] = [Span(" "), Span("● " if marked else "  ", "accent")]
    for position, (number, width) in enumerate(fitted):
        cell = cells[number]
        aligned = right if columns[number].align == "right" else left
        text = aligned(cell.text, width)
        if position < len(fitted) - 1:
            text += " " * GAP
        if spans[-1].look == cell.look:
            spans[-1] = Span(spans[-1].text + text, cell.look)
        else:
            spans.append(Span(text, cell.look))
    return Line(tuple(spans))
