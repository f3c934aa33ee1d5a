"""The comparison of two versions as one page with a cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.reactive import reactive

from rolldeck.compare.model import Comparison, SectionName
from rolldeck.tui.models.comparison_lines import Page, build_page
from rolldeck.tui.models.comparison_rows import FileChange
from rolldeck.tui.models.comparison_state import Target, View
from rolldeck.tui.models.lines import Line
from rolldeck.tui.widgets.line_view import LineView

DENSE_HEIGHT = 28
"""Below this height the page leaves out the empty lines between sections."""


class ComparisonView(LineView):
    """Shows a comparison; the cursor rests on heads of sections and on rows."""

    @dataclass
    class Opened(Message):
        """A row was opened, or the head of a section."""

        view: ComparisonView
        target: Target
        """What the cursor was on."""

        @property
        def control(self) -> ComparisonView:
            """The view that it happened in."""
            return self.view

    comparison: reactive[Comparison | None] = reactive(None, repaint=False)
    """What is shown."""
    looking: reactive[View] = reactive(View(), repaint=False)
    """How it is looked at."""
    changes: reactive[Mapping[Target, FileChange]] = reactive(dict, repaint=False)
    """How the text of files differs, as far as that is known."""
    cursor: reactive[int] = reactive(0, repaint=False)
    """Number of the place that the cursor is on."""

    def __init__(self, comparison: Comparison, id: str | None = None) -> None:
        super().__init__(id=id)
        self._page = Page()
        self.set_reactive(ComparisonView.comparison, comparison)

    # The page.

    @property
    def line_count(self) -> int:
        """How many lines the page has."""
        return len(self._page.lines)

    def line_at(self, y: int) -> Line:
        """Return a line of the page."""
        return self._page.lines[y]

    def cursor_span(self, y: int) -> tuple[int, int | None] | None:
        """Return what the cursor covers of a line."""
        if not self._page.stops:
            return None
        stop = self._page.stops[self.cursor]
        return (stop.start, stop.end) if stop.line == y else None

    @property
    def target(self) -> Target | None:
        """What the cursor is on."""
        return self._target(self.cursor)

    def _target(self, index: int) -> Target | None:
        stops = self._page.stops
        if not 0 <= index < len(stops):
            return None
        target = stops[index].target
        return target if isinstance(target, Target) else None

    def on_resize(self, event: events.Resize) -> None:
        """Lay the page out for the new size."""
        self._rebuild()

    def watch_comparison(self) -> None:
        """Show another comparison."""
        self._rebuild()

    def watch_looking(self) -> None:
        """Show the same in another way."""
        self._rebuild()

    def watch_changes(self) -> None:
        """Show what has become known of files."""
        self._rebuild()

    def _rebuild(self) -> None:
        """Lay the page out again; the cursor stays on what it was on, or on its section."""
        if self.comparison is None or not self.size.width:
            return
        target = self.target
        self._page = build_page(
            self.comparison,
            self.looking,
            self.size.width,
            self.size.height < DENSE_HEIGHT,
            self.changes,
        )
        self.set_reactive(ComparisonView.cursor, self._place(target))
        self.set_extent()
        if target is not None:
            self.call_after_refresh(self._show_cursor)

    def _place(self, target: Target | None) -> int:
        """Return where the cursor goes for a target: there, to its section, or to the start."""
        targets = [stop.target for stop in self._page.stops]
        if target in targets:
            return targets.index(target)
        if target is not None and Target(target.section) in targets:
            return targets.index(Target(target.section))
        if target is None:
            rows = (n for n, item in enumerate(targets) if isinstance(item, Target) and item.key)
            return next(rows, 0)
        return 0

    # The cursor.

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on the page."""
        return max(0, min(cursor, len(self._page.stops) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw the two lines that the cursor leaves and enters."""
        stops = self._page.stops
        for index in {old, new}:
            if index < len(stops):
                self.redraw_line(stops[index].line)
        self._show_cursor()

    def _show_cursor(self) -> None:
        stops = self._page.stops
        if not stops:
            return
        first = stops[self.cursor].line
        if first == stops[0].line or self.cursor == 0:
            self.show_line(0, first)
            return
        after = stops[self.cursor + 1].line if self.cursor + 1 < len(stops) else self.line_count
        self.show_line(first, min(max(after - 1, first), first + self.size.height - 3))

    def move(self, rows: int) -> None:
        """Move the cursor by rows, up where negative."""
        self.cursor += rows

    def move_lines(self, lines: int) -> None:
        """Move the cursor by screen lines: to the last place that is not further away."""
        stops = self._page.stops
        if not stops:
            return
        wanted = stops[self.cursor].line + lines
        step = 1 if lines > 0 else -1
        index = self.cursor
        while 0 <= index + step < len(stops) and step * (wanted - stops[index + step].line) >= 0:
            index += step
        self.cursor = index if index != self.cursor else self.cursor + step

    def move_to_difference(self, step: int) -> bool:
        """Move the cursor to the next row that differs, or to the one before; False at the end."""
        comparison = self.comparison
        if comparison is None:
            return False
        differ = {
            Target(section.name, row.key)
            for section in comparison.sections
            for row in section.rows
            if row.status != "equal"
        }
        index = self.cursor + step
        while 0 <= index < len(self._page.stops):
            if self._target(index) in differ:
                self.cursor = index
                return True
            index += step
        return False

    def select(self, target: Target) -> None:
        """Put the cursor on a target, or on its section."""
        self.cursor = self._place(target)

    # Folding.

    def fold(self, name: SectionName) -> None:
        """Fold or unfold a section."""
        if self.comparison is not None:
            self.looking = self.looking.fold(self.comparison, name)

    def fold_all(self) -> None:
        """Fold all sections, or show the page as it was first."""
        if self.comparison is not None:
            self.looking = self.looking.fold_all(self.comparison)

    # The mouse.

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the click was; a click on a head opens or folds it."""
        y = self.scroll_offset.y + event.y
        for index, stop in enumerate(self._page.stops):
            last = self._page.stops[index + 1].line if index + 1 < len(self._page.stops) else y + 1
            inside = stop.line == y and stop.start <= event.x < (stop.end or self.size.width)
            if inside or (stop.end is None and stop.line < y < last):
                self.cursor = index
                target = self.target
                if target is not None and (target.key is None or event.chain == 2):
                    self.post_message(self.Opened(self, target))
                return
