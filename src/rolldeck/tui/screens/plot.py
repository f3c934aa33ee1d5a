"""One metric over the versions of a repository."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content

from rolldeck.commands import Scope, command, footer_commands
from rolldeck.compare import Matrix, MatrixColumn
from rolldeck.compare.chart import series
from rolldeck.compare.matrix_text import title
from rolldeck.tui.keymap import bindings
from rolldeck.tui.screens.many import ManyScreen, Wanted
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.line_view import LineView
from rolldeck.tui.widgets.plot_view import PlotView


class PlotScreen(ManyScreen):
    """Left and right move over the versions, up and down over the metrics."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere", "plot")
    AUTO_FOCUS = "PlotView"

    scope: ClassVar[Scope] = "plot"
    heading = "Plot"
    unused = ("move.open", "filter.open", "command.type", "view.refresh", "deck.quit")

    def __init__(
        self, wanted: Wanted, matrix: Matrix | None = None, metric: str | None = None
    ) -> None:
        """Draws ``metric``, or else the one that most versions have."""
        super().__init__(wanted, matrix)
        self.metric = metric

    def page(self) -> LineView:
        """Return the plot, empty."""
        return PlotView(id="plot")

    def on_mount(self) -> None:
        """Read what is to be shown, and name the keys that move here."""
        footer = self.query_one(KeyFooter)
        moving = tuple(command(name) for name in ("move.left", "move.right", "hit.next"))
        footer.commands = (*moving, *footer_commands(self.scope, hidden=self.unused))
        footer.titles = {
            "move.left": "older", "move.right": "newer", "hit.next": "next metric"
        }  # fmt: skip
        super().on_mount()

    @property
    def _view(self) -> PlotView:
        return self.query_one(PlotView)

    @property
    def columns(self) -> list[MatrixColumn]:
        """What can be drawn: metrics, then parameters that are numbers and differ."""
        shown = self.matrix.shown() if self.matrix is not None else ()
        return [column for column in shown if column.is_numeric]

    @property
    def column(self) -> MatrixColumn | None:
        """What is drawn."""
        chosen = next((column for column in self.columns if column.key == self.metric), None)
        if chosen is None and self.matrix is not None:
            chosen = self.matrix.headline
        return chosen or next(iter(self.columns), None)

    def show(self) -> None:
        """Draw the metric; versions are listed newest first, and drawn oldest first."""
        column = self.column
        if self.matrix is None:
            return
        if column is None:
            self.say("no version has a number to draw")
            return
        self.metric = column.key
        self._view.show(series(self.matrix, column))
        self._view.border_title = Content(title(column))

    @on(PlotView.Moved)
    def _moved(self) -> None:
        """Say at the bottom which of how many this is."""
        over, columns = self._view.series, self.columns
        if over is None or self.matrix is None:
            return
        place = next((n for n, item in enumerate(columns) if item.key == self.metric), 0)
        entry = self.matrix.entries[over.entries[self._view.place]]
        made = f"{entry.created:%Y-%m-%d} · " if entry.created else ""
        version = f"version {self._view.place + 1} of {len(over.labels)}"
        self.say(f"{made}{version} · metric {place + 1} of {len(columns)}")

    @on(PlotView.Turned)
    def _turned(self, message: PlotView.Turned) -> None:
        self._turn(message.step)

    def _turn(self, step: int) -> None:
        keys = [column.key for column in self.columns]
        if self.metric in keys:
            self.metric = keys[(keys.index(self.metric) + step) % len(keys)]
            self.show()

    # Actions.

    def action_hit_next(self) -> None:
        """Show the next metric."""
        self._turn(1)

    def action_hit_previous(self) -> None:
        """Show the metric before."""
        self._turn(-1)

    def action_plot_baseline(self) -> None:
        """Make the version under the cursor the baseline, or take that back."""
        if self._view.series is not None:
            self.set_baseline(self._view.series.entries[self._view.place])
            self.show()

    def action_plot_choose(self) -> None:
        """Show this metric in the list of versions."""
        browser = getattr(self.app, "browser", None)
        column = self.column
        if browser is None or column is None or column.kind != "metric":
            self.notify("Only a metric can stand in the list of versions", markup=False)
            return
        browser.choose_metric(column.key)
        self.notify(f"{column.title} stands in the list of versions", markup=False)

    def action_plot_copy(self) -> None:
        """Copy the command line that draws this."""
        self.copy_line("plot", *(["--metric", self.metric] if self.metric else []))
