"""Versions by metric and parameter, with the best values marked."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from rolldeck.commands import Scope
from rolldeck.tui.keymap import bindings
from rolldeck.tui.models.matrix_rows import MatrixRows
from rolldeck.tui.screens.many import ManyScreen
from rolldeck.tui.widgets.cursor_view import CursorView
from rolldeck.tui.widgets.line_view import LineView
from rolldeck.tui.widgets.matrix_view import MatrixView


class TableScreen(ManyScreen):
    """One row per version; the baseline stays at the top and the others are told against it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere", "table")
    AUTO_FOCUS = "MatrixView"

    scope: ClassVar[Scope] = "table"
    heading = "Table"
    unused = ("move.open", "filter.open", "command.type", "view.refresh", "deck.quit")

    def page(self) -> LineView:
        """Return the table, empty."""
        return MatrixView(id="matrix")

    @property
    def _view(self) -> MatrixView:
        return self.query_one(MatrixView)

    def show(self, **changes: bool | str | None) -> None:
        """Show the matrix as before, but for what changes."""
        if self.matrix is None:
            return
        rows = self._view.rows
        look: dict[str, bool | str | None] = {"every": rows.every, "relative": rows.relative}
        look |= {"sort": rows.sort, "reverse": rows.reverse} | changes
        self._view.show(MatrixRows(self.matrix, **look))  # type: ignore[arg-type]
        self.describe()

    @on(CursorView.Highlighted)
    def describe(self) -> None:
        """Say at the bottom what is shown, what is hidden, and the order."""
        if self.matrix is None:
            return
        rows, shown = self._view.rows, self._view.shown
        parts = [f"{len(rows.order)} versions"]
        if len(shown) < len(rows.columns):
            parts.append(f"columns {shown.start + 1}-{shown.stop} of {len(rows.columns)}")
        if hidden := len(self.matrix.columns) - len(rows.columns):
            parts.append(f"{hidden} equal hidden")
        column = next((item for item in rows.columns if item.key == rows.sort), None)
        if column is None:
            parts.append("in reverse" if rows.reverse else "as listed")
        else:
            best = column.higher_is_better is not None
            first = ("worst" if rows.reverse else "best") if best else "largest"
            first = "smallest" if not best and rows.reverse else first
            parts.append(f"by {column.key}, {first} first")
        parts.append("✓ best")
        self.say(" · ".join(parts))

    # Actions.

    def action_table_all(self) -> None:
        """Show only parameters that differ, or all."""
        self.show(every=not self._view.rows.every)

    def action_table_relative(self) -> None:
        """Show changes as per cent or as numbers."""
        self.show(relative=not self._view.rows.relative)

    def action_table_sort(self) -> None:
        """Sort by the column in hand; where that sorts already, by the next one."""
        view = self._view
        if view.column is None:
            return
        if view.rows.sort == view.column.key:
            view.take((view.current + 1) % len(view.rows.columns))
        self.show(sort=view.column.key, reverse=False)

    def action_table_reverse(self) -> None:
        """Reverse the order."""
        self.show(reverse=not self._view.rows.reverse)

    def action_table_baseline(self) -> None:
        """Make the version under the cursor the baseline, or take that back."""
        if self._view.entry is not None:
            self.set_baseline(self._view.entry)
            self.show()

    def action_table_diff(self) -> None:
        """Compare the version under the cursor with the baseline, else with the one below."""
        entry, matrix, order = self._view.entry, self.matrix, self._view.rows.order
        if entry is None or matrix is None:
            return
        below = order.index(entry) + 1
        other = matrix.baseline
        if other is None:
            other = order[below] if below < len(order) else None
        if other is None or other == entry:
            self.notify("There is no second version to compare with", markup=False)
        else:
            self.compare(matrix.entries[other], matrix.entries[entry])

    def action_move_open(self) -> None:
        """Compare, as ``d`` does."""
        self.action_table_diff()

    @on(CursorView.Opened)
    def _opened(self) -> None:
        self.action_table_diff()

    def action_table_plot(self) -> None:
        """Draw the column in hand."""
        from rolldeck.tui.screens.plot import PlotScreen

        column = self._view.column
        if self.matrix is None or column is None or not column.is_numeric:
            self.notify("This column has no numbers; left and right take another", markup=False)
        else:
            self.app.push_screen(PlotScreen(self.wanted, self.matrix, column.key))

    def action_table_copy(self) -> None:
        """Copy the command line that prints this."""
        rows = self._view.rows
        options = ["--sort", rows.sort] if rows.sort else []
        options += ["--reverse"] if rows.reverse else []
        options += ["--all"] if rows.every else []
        self.copy_line("table", *options)
