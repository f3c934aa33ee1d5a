"""One metric over versions as a plot; a cursor stands on a version."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from rolldeck.compare.chart import Glyphs, Run, Series, chart, glyphs_of, legend
from rolldeck.tui.keymap import bindings
from rolldeck.tui.models.lines import Line, Look, Span, line
from rolldeck.tui.models.plot_lines import readout
from rolldeck.tui.widgets.line_view import LineView

_LOOKS: dict[str, Look] = {
    "plain": "plain",
    "dim": "dim",
    "best": "better",
    "worst": "worse",
    "baseline": "changed",
    "cursor": "accent",
}


class PlotView(LineView, inherit_bindings=False):
    """Shows a ``Series``; left and right move over its versions."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("move")

    class Moved(Message):
        """Another version, or another metric, is looked at."""

    class Turned(Message):
        """The metric after or before is asked for."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    series: reactive[Series | None] = reactive(None, repaint=False)
    """What is shown."""

    def __init__(self, *, id: str | None = None, glyphs: Glyphs | None = None) -> None:
        super().__init__(id=id)
        self.place = 0
        """The version that the cursor is on, counted from the oldest."""
        self._glyphs = glyphs or glyphs_of()
        self._lines: list[Line] = []

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    def line_at(self, y: int) -> Line:
        """Return a line."""
        return self._lines[y]

    def show(self, series: Series, place: int | None = None) -> None:
        """Show another metric; the cursor stays on its version, at first on the newest."""
        if place is not None:
            self.place = place
        elif self.series is None:
            self.place = len(series.labels) - 1
        self.series = series
        self.draw()

    def draw(self) -> None:
        """Draw the plot for this size and cursor."""
        if self.series is None or not self.size.width:
            return
        self.place = max(0, min(self.place, len(self.series.labels) - 1))
        width, height = self.size.width - 1, self.size.height
        drawn = chart(
            self.series, width, height - 4, cursor=self.place, glyphs=self._glyphs
        )  # readout, a blank above, a blank and the legend below
        words = drawn or [[("Too little room for a plot: rolldeck table has the numbers.", "dim")]]
        if not any(number is not None for number in self.series.numbers):
            words = [[("No version has a number here.", "dim")]]
        self._lines = [
            readout(self.series, self.place),
            line(),
            *map(_line, words),
            line(),
            _line(legend(self.series, self._glyphs)),
        ]
        self.set_extent()
        self.post_message(self.Moved())

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        self.draw()

    def _go(self, place: int) -> None:
        self.place = place
        self.draw()

    def action_move_left(self) -> None:
        """Go to the version before."""
        self._go(self.place - 1)

    def action_move_right(self) -> None:
        """Go to the version after."""
        self._go(self.place + 1)

    def action_move_first(self) -> None:
        """Go to the oldest version."""
        self._go(0)

    def action_move_last(self) -> None:
        """Go to the newest version."""
        self._go(len(self.series.labels) - 1 if self.series else 0)

    def action_move_down(self) -> None:
        """Show the next metric."""
        self.post_message(self.Turned(1))

    def action_move_up(self) -> None:
        """Show the metric before."""
        self.post_message(self.Turned(-1))


def _line(runs: list[Run]) -> Line:
    return Line(tuple(Span(text, _LOOKS[role]) for text, role in runs))
