"""A table of versions as lines: the names stay at the left, columns move under the eye."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from rich.cells import cell_len

from rolldeck.compare import Matrix, MatrixColumn
from rolldeck.compare.matrix_text import CellText, cell_texts, padded, title
from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span, cut, left, right

GAP = 2
"""Cells between two columns."""

_MARGIN = 2
_LONGEST_LABEL = 36
_LONGEST_CELL = 36
_BASELINE = " · baseline"


@dataclass
class MatrixRows:
    """What a table shows and in which order; columns are laid out when they come into sight."""

    matrix: Matrix
    every: bool = False
    """Whether parameters that are the same in all versions are shown."""
    relative: bool = True
    """Whether changes are per cent."""
    sort: str | None = None
    """The key of the column that sorts."""
    reverse: bool = False
    _laid_out: dict[int, tuple[int, list[tuple[str, ...]], list[CellText]]] = field(
        default_factory=dict
    )

    @cached_property
    def columns(self) -> tuple[MatrixColumn, ...]:
        """The columns that are shown."""
        return self.matrix.shown(every=self.every)

    @cached_property
    def order(self) -> list[int]:
        """The entries as they are shown."""
        column = next((item for item in self.columns if item.key == self.sort), None)
        return self.matrix.order(column, self.reverse)

    @cached_property
    def _label_width(self) -> int:
        longest = max(
            (cell_len(self._label(n)) for n in range(len(self.matrix.entries))), default=0
        )
        return max(min(longest, _LONGEST_LABEL), len("VERSION"))

    def _label(self, entry: int) -> str:
        mark = _BASELINE if entry == self.matrix.baseline else ""
        room = _LONGEST_LABEL - len(mark)
        return cut(clean_line(self.matrix.entries[entry].label, 200), room) + mark

    def _lay_out(self, column: int) -> tuple[int, list[tuple[str, ...]], list[CellText]]:
        """Return width, padded parts and cells of a column."""
        if column not in self._laid_out:
            item = self.columns[column]
            cells = cell_texts(item, self.matrix.baseline, relative=self.relative)
            parts = padded(cells)
            width = max((sum(map(cell_len, line)) + _gaps(line) for line in parts), default=0)
            head = cell_len(title(item)) + 2  # the marks of the column in hand and of the order
            self._laid_out[column] = (min(max(width, head), _LONGEST_CELL), parts, cells)
        return self._laid_out[column]

    def visible(self, first: int, width: int) -> range:
        """Return the columns from ``first`` on that fit into ``width`` cells, at least one."""
        room = width - _MARGIN - self._label_width
        last = first
        while last < len(self.columns):
            room -= GAP + self._lay_out(last)[0]
            if room < 0 and last > first:
                break
            last += 1
        return range(first, last)

    def first_for(self, first: int, current: int, width: int) -> int:
        """Return the first column to show so that the one in hand is in sight."""
        first = min(first, current)
        while current not in self.visible(first, width):
            first += 1
        return first

    def head(self, shown: range, current: int) -> Line:
        """Return the heads: ``›`` stands before the column in hand, an arrow behind what sorts."""
        spans = [Span(" " * _MARGIN + left("VERSION", self._label_width), "dim")]
        for number in shown:
            item = self.columns[number]
            mark = ("▲" if self.reverse else "▼") if item.key == self.sort else ""
            text = ("›" if number == current else "") + title(item) + mark
            width, parts, _ = self._lay_out(number)
            value = cell_len(parts[0][0]) if parts else 0
            # Above the values, where it is short enough; changes and marks stand behind them.
            aligned = right(text, value) if cell_len(text) <= value else right(text, width)
            aligned = left(aligned if item.is_numeric else text, width)
            spans.append(Span(" " * GAP + aligned, "accent" if number == current else "dim"))
        return Line(tuple(spans))

    def line(self, entry: int, shown: range) -> Line:
        """Return one version."""
        item = self.matrix.entries[entry]
        spans = [Span(" " * _MARGIN), Span(left(self._label(entry), self._label_width), "bright")]
        if item.problem:
            spans.append(Span(" " * GAP + clean_line(item.problem, 300), "worse"))
            return Line(tuple(spans))
        for number in shown:
            width, parts, cells = self._lay_out(number)
            is_numeric = self.columns[number].is_numeric
            spans += _cell(parts[entry], cells[entry], width, is_numeric)
        return Line(tuple(spans))


def _gaps(parts: tuple[str, ...]) -> int:
    return max(sum(bool(part) for part in parts) - 1, 0)


def _cell(parts: tuple[str, ...], cell: CellText, width: int, is_numeric: bool) -> list[Span]:
    if not is_numeric:
        text = left(cut(cell.value, width), width)
        return [Span(" " * GAP + text, "dim" if cell.missing else "plain")]
    look: Look = "dim" if cell.missing else "bright" if cell.best else "plain"
    judged: Look = "dim"
    if cell.verdict == "better" or cell.verdict == "worse":
        judged = cell.verdict
    used = sum(map(cell_len, parts)) + _gaps(parts)
    if used > width:
        return [Span(" " * GAP + right(cut(cell.value, width), width), look)]
    spans = [Span(" " * (GAP + width - used) + parts[0], look)]
    for part, own in zip(parts[1:], (judged, judged, "better"), strict=True):
        if part:
            spans.append(Span(f" {part}", own))
    return spans
