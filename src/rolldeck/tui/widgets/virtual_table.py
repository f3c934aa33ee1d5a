"""A table that draws only what is seen, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from rolldeck.tui.models.filter import Filter
from rolldeck.tui.models.lines import Line, Span, Stop, wrap
from rolldeck.tui.models.table import (
    Column,
    TableData,
    arrange,
    column_at,
    fit,
    head_line,
    row_line,
)
from rolldeck.tui.widgets.cursor_view import CursorView


class VirtualTable(CursorView):
    """Shows a ``TableData`` with heads that stay, an order, a filter and marks.

    A refresh keeps the cursor on its row, found by its key.
    """

    @dataclass
    class Arranged(Message):
        """The order or the filter changed."""

        table: VirtualTable

        @property
        def control(self) -> VirtualTable:
            """The table that it happened in."""
            return self.table

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.data: TableData | None = None
        self.sort: str | None = None
        self.reverse = False
        self.filter_text = ""
        self.marked: frozenset[str] = frozenset()
        self.placeholder = ""
        """What stands where there are no rows."""
        self._order: list[int] = []
        self._fitted: list[tuple[int, int]] = []
        self._fitted_for: tuple[int, object] | None = None

    # Data in.

    def show(self, data: TableData | None) -> None:
        """Show other data, or the same after a refresh."""
        key = self.selected_key
        self.data = data
        if data is not None and self.sort not in {None, *(item.id for item in data.columns)}:
            self.sort = None
        self._arrange(key)

    def set_marks(self, marked: frozenset[str]) -> None:
        """Show which rows are marked, by their keys."""
        if marked != self.marked:
            self.marked = marked
            self.refresh()

    def set_filter(self, text: str) -> None:
        """Show only rows that match."""
        if text != self.filter_text:
            self.filter_text = text
            self._arrange(self.selected_key)
            self.post_message(self.Arranged(self))
            self.post_message(self.Highlighted(self))

    def set_placeholder(self, text: str) -> None:
        """Say what stands where there are no rows."""
        if text != self.placeholder:
            self.placeholder = text
            self.set_extent()

    def set_order(self, sort: str | None, reverse: bool) -> None:
        """Sort by a column, or in the natural order where ``sort`` is None."""
        self.sort, self.reverse = sort, reverse
        self._arrange(self.selected_key)
        self.post_message(self.Arranged(self))

    def next_order(self) -> None:
        """Sort by the next column that can be sorted by."""
        if self.data is None:
            return
        shown = {number for number, _ in self._fit()}
        ids: list[str | None] = [None]
        ids += [
            column.id
            for number, column in enumerate(self.data.columns)
            if column.sorts and number in shown
        ]
        position = ids.index(self.sort) if self.sort in ids else 0
        self.set_order(ids[(position + 1) % len(ids)], False)

    # Data out.

    @property
    def selected(self) -> int | None:
        """The number of the row under the cursor."""
        return self._order[self.cursor] if 0 <= self.cursor < len(self._order) else None

    @property
    def selected_key(self) -> str | None:
        """The key of the row under the cursor."""
        row = self.selected
        return None if row is None or self.data is None else self.data.key(row)

    def select(self, key: str) -> bool:
        """Put the cursor on a row; False where it is not shown."""
        if self.data is None:
            return False
        row = self.data.find(key)
        if row is None or row not in self._order:
            return False
        self.rebuilt(self._order.index(row))
        self.post_message(self.Highlighted(self))
        return True

    def rows_in_view(self) -> list[int]:
        """Return the numbers of the rows that are on the screen."""
        top = max(self.scroll_offset.y - 1, 0)
        return self._order[top : top + self.size.height]

    @property
    def shown_rows(self) -> int:
        """How many rows the filter leaves."""
        return len(self._order)

    # The page.

    def _arrange(self, key: str | None) -> None:
        cursor = 0
        self._order = []
        if self.data is not None:
            wanted = Filter.parse(self.filter_text, FILTER_COLUMNS | self._column_ids())
            self._order = arrange(self.data, wanted, self.sort, self.reverse)
            cursor = self._position(key) if key is not None else 0
        self.rebuilt(cursor)

    def _position(self, key: str) -> int:
        """Return where the row with a key stands now, 0 where it is not shown."""
        assert self.data is not None
        here = self._order[self.cursor] if self.cursor < len(self._order) else None
        if here is not None and self.data.key(here) == key:
            return self.cursor
        row = self.data.find(key)
        return self._order.index(row) if row is not None and row in self._order else 0

    def _column_ids(self) -> set[str]:
        return {column.id for column in self.data.columns} if self.data else set()

    @property
    def _columns(self) -> Sequence[Column]:
        return self.data.columns if self.data is not None else ()

    def _fit(self) -> list[tuple[int, int]]:
        if self._fitted_for != (self.size.width, self.data):
            self._fitted_for = (self.size.width, self.data)
            self._fitted = fit(self._columns, self.size.width)
        return self._fitted

    @property
    def stop_count(self) -> int:
        """How many rows are shown."""
        return len(self._order)

    def stop(self, index: int) -> Stop:
        """Return where a row is drawn: below the heads."""
        return Stop(index + 1, index)

    def stop_at(self, line: int, column: int) -> int | None:
        """Return the row at a line."""
        return line - 1 if 1 <= line <= len(self._order) else None

    @property
    def line_count(self) -> int:
        """The heads and the rows, or the words that stand for them."""
        return 1 + len(self._order) if self._order else len(self._words())

    def line_at(self, y: int) -> Line:
        """Return the heads or a row."""
        if not self._order:
            return self._words()[y]
        assert self.data is not None
        if y == 0:
            return head_line(self._columns, self._fit(), self.sort, self.reverse)
        row = self._order[y - 1]
        marked = self.data.key(row) in self.marked
        return row_line(self._columns, self._fit(), self.data.cells(row), marked)

    def _words(self) -> list[Line]:
        width = max(self.size.width - 4, 10)
        return [
            Line((Span("  "), Span(text, "dim")))
            for part in self.placeholder.split("\n")
            for text in wrap(part, width)
        ]

    def render_line(self, y: int) -> Strip:
        """Draw a line; the heads stay at the top however far the rows are scrolled."""
        if y == 0 and self._order:
            head = [Segment(span.text, self.look(span.look)) for span in self.line_at(0).spans]
            return Strip(head).adjust_cell_length(self.size.width, self.look("plain"))
        return super().render_line(y)

    def on_resize(self) -> None:
        """Let columns give way or come back, and keep the cursor in sight."""
        self.rebuilt(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Sort by the column whose head was clicked."""
        place = event.get_content_offset(self)
        if place is not None and place.y == 0 and self._order:
            column = column_at(self._columns, self._fit(), place.x)
            if column is not None and column.sorts:
                event.prevent_default()
                again = self.sort == column.id
                self.set_order(column.id, not self.reverse if again else False)


FILTER_COLUMNS = {"version", "channel", "tag", "digest", "here", "name"}
"""Columns that a filter may name though the table is too narrow to show them."""
