"""A table of versions by metric and parameter: names and heads stay, columns scroll."""

from __future__ import annotations

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip

from rolldeck.compare import Matrix, MatrixColumn
from rolldeck.tui.models.lines import Line, Stop
from rolldeck.tui.models.matrix_rows import MatrixRows
from rolldeck.tui.widgets.cursor_view import CursorView

_NOTHING = MatrixRows(Matrix((), ()))


class MatrixView(CursorView):
    """Shows ``MatrixRows``; one column is in hand, and always in sight."""

    rows: reactive[MatrixRows] = reactive(_NOTHING, repaint=False, always_update=True)
    """What is shown, and in which order."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.current = 0
        """Number of the column in hand."""
        self._first = 0
        self._shown = range(0)

    @property
    def entry(self) -> int | None:
        """The entry under the cursor."""
        return self.rows.order[self.cursor] if self.rows.order else None

    @property
    def column(self) -> MatrixColumn | None:
        """The column in hand."""
        return self.rows.columns[self.current] if self.rows.columns else None

    @property
    def shown(self) -> range:
        """The columns in sight."""
        return self._shown

    def show(self, rows: MatrixRows) -> None:
        """Show other rows; cursor and column in hand stay on what they were on."""
        entry, column = self.entry, self.column
        self.rows = rows
        keys = [item.key for item in rows.columns]
        self.current = keys.index(column.key) if column and column.key in keys else 0
        self._arrange()
        self.rebuilt(rows.order.index(entry) if entry in rows.order else 0)

    def take(self, column: int) -> None:
        """Take another column in hand."""
        if self.rows.columns:
            self.current = max(0, min(column, len(self.rows.columns) - 1))
            self._arrange()
            self.refresh()

    def _arrange(self) -> None:
        if not self.size.width or not self.rows.columns:
            self._shown = range(0)
            return
        self._first = self.rows.first_for(self._first, self.current, self.size.width)
        self._shown = self.rows.visible(self._first, self.size.width)

    def on_resize(self) -> None:
        """Let other columns come into sight, and keep the cursor there."""
        self._arrange()
        self.rebuilt(self.cursor)

    # The page.

    @property
    def line_count(self) -> int:
        """The heads and the rows."""
        return 1 + len(self.rows.order) if self.rows.order else 0

    @property
    def stop_count(self) -> int:
        """How many rows there are."""
        return len(self.rows.order)

    def stop(self, index: int) -> Stop:
        """Return where a row is drawn: below the heads."""
        return Stop(index + 1, index)

    def stop_at(self, line: int, column: int) -> int | None:
        """Return the row at a line."""
        return line - 1 if 1 <= line <= self.stop_count else None

    def line_at(self, y: int) -> Line:
        """Return the heads or a row."""
        if y == 0:
            return self.rows.head(self._shown, self.current)
        return self.rows.line(self.rows.order[y - 1], self._shown)

    def render_line(self, y: int) -> Strip:
        """Draw a line; the heads stay at the top however far the rows are scrolled."""
        if y == 0 and self.rows.order:
            head = [Segment(span.text, self.look(span.look)) for span in self.line_at(0).spans]
            return Strip(head).adjust_cell_length(self.size.width, self.look("plain"))
        return super().render_line(y)

    # Moving to the side.

    def action_move_left(self) -> None:
        """Take the column at the left in hand."""
        self.take(self.current - 1)
        self.post_message(self.Highlighted(self))

    def action_move_right(self) -> None:
        """Take the column at the right in hand."""
        self.take(self.current + 1)
        self.post_message(self.Highlighted(self))
