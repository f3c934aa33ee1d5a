"""The comparison of two versions as one page with a cursor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.reactive import reactive

from rolldeck.compare.model import Comparison, SectionName
from rolldeck.tui.models.comparison_files import FileChange
from rolldeck.tui.models.comparison_history import NO_HISTORY, History
from rolldeck.tui.models.comparison_lines import Page, build_page
from rolldeck.tui.models.comparison_state import Target, View
from rolldeck.tui.models.lines import Line, Stop
from rolldeck.tui.widgets.cursor_view import CursorView
from rolldeck.tui.widgets.line_view import TEXT_DIFFERENCE

DENSE_HEIGHT = 28
"""Below this height the page leaves out the empty lines between sections."""


class ComparisonView(CursorView):
    """Shows a comparison; the cursor rests on heads of sections and on rows."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TEXT_DIFFERENCE

    comparison: reactive[Comparison | None] = reactive(None, repaint=False)
    """What is shown."""
    looking: reactive[View] = reactive(View(), repaint=False)
    """How it is looked at."""
    changes: reactive[Mapping[Target, FileChange]] = reactive(dict, repaint=False)
    """How the text of files differs, as far as that is known."""

    history: reactive[History] = reactive(NO_HISTORY, repaint=False)
    """What metrics were in the versions before, once that was read."""

    def __init__(
        self,
        comparison: Comparison,
        remarks: tuple[str, str] = ("", ""),
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._laid_out = Page()
        self._remarks = remarks
        self.set_reactive(ComparisonView.comparison, comparison)

    # The page.

    @property
    def line_count(self) -> int:
        """How many lines the page has."""
        return len(self._laid_out.lines)

    def line_at(self, y: int) -> Line:
        """Return a line of the page."""
        return self._laid_out.lines[y]

    @property
    def stop_count(self) -> int:
        """How many rows and heads there are."""
        return len(self._laid_out.stops)

    def stop(self, index: int) -> Stop:
        """Return a row or head by its number."""
        return self._laid_out.stops[index]

    def stop_at(self, line: int, column: int) -> int | None:
        """Return the row or head at a line, also for the lines below its first."""
        found = super().stop_at(line, column)
        if found is not None:
            return found
        above = [n for n, stop in enumerate(self._laid_out.stops) if stop.line < line]
        whole = bool(above) and self._laid_out.stops[above[-1]].end is None
        blank = line >= self.line_count or not self.line_at(line).spans
        return above[-1] if whole and not blank else None

    @property
    def target(self) -> Target | None:
        """What the cursor is on."""
        return self._laid_out.targets[self.cursor] if self._laid_out.targets else None

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

    def watch_history(self) -> None:
        """Show what has become known of the versions before."""
        self._rebuild()

    def show(self, comparison: Comparison, remarks: tuple[str, str]) -> None:
        """Show another comparison, with what is to be said of its sides."""
        self._remarks = remarks
        self.comparison = comparison

    def _rebuild(self) -> None:
        """Lay the page out again; the cursor stays on what it was on, or on its section."""
        if self.comparison is None or not self.size.width:
            return
        target = self.target
        self._laid_out = build_page(
            self.comparison,
            self.looking,
            self.size.width,
            dense=self.size.height < DENSE_HEIGHT,
            changes=self.changes,
            remarks=self._remarks,
            history=self.history,
        )
        self.rebuilt(self._place(target))

    def _place(self, target: Target | None) -> int:
        """Return where the cursor goes for a target: there, to its section, or to the first row."""
        targets = self._laid_out.targets
        if target is None:
            return next((n for n, item in enumerate(targets) if item.key is not None), 0)
        for wanted in (target, Target(target.section)):
            if wanted in targets:
                return targets.index(wanted)
        return 0

    def _show_cursor(self) -> None:
        """Scroll to all lines of the row; in the first section to the very top."""
        stops = self._laid_out.stops
        first = stops[self.cursor].line
        if first < self.size.height - 2 and self.cursor <= 1:
            self.scroll_to(y=0, animate=False, force=True)
            return
        after = stops[self.cursor + 1].line if self.cursor + 1 < len(stops) else self.line_count
        self.show_line(first, max(min(after - 1, first + self.size.height - 3), first))

    # Moving, where rows are more than one line high.

    def _move_lines(self, lines: int) -> None:
        """Move by screen lines: to the last place that is not further away."""
        if not self.stop_count:
            return
        wanted = self.stop(self.cursor).line + lines
        step = 1 if lines > 0 else -1
        index = self.cursor + step
        while 0 <= index + step < self.stop_count:
            if step * (self.stop(index + step).line - wanted) > 0:
                break
            index += step
        self.move_to(index)

    def action_move_half_down(self) -> None:
        """Move down half a page."""
        self._move_lines(max(self.size.height // 2, 1))

    def action_move_half_up(self) -> None:
        """Move up half a page."""
        self._move_lines(-max(self.size.height // 2, 1))

    def action_move_page_down(self) -> None:
        """Move down a page."""
        self._move_lines(max(self.size.height - 2, 1))

    def action_move_page_up(self) -> None:
        """Move up a page."""
        self._move_lines(-max(self.size.height - 2, 1))

    def move_to_difference(self, step: int) -> bool:
        """Go to the next row that differs, or to the one before; False where there is none."""
        if self.comparison is None:
            return False
        differ = {
            Target(section.name, row.key)
            for section in self.comparison.sections
            for row in section.rows
            if row.status != "equal"
        }
        index = self.cursor + step
        while 0 <= index < self.stop_count:
            if self._laid_out.targets[index] in differ:
                self.move_to(index)
                return True
            index += step
        return False

    # Folding.

    def fold(self, name: SectionName) -> None:
        """Fold or unfold a section."""
        if self.comparison is not None:
            self.looking = self.looking.fold(self.comparison, name)

    def fold_all(self) -> None:
        """Fold all sections, or show the page as it was first."""
        if self.comparison is not None:
            self.looking = self.looking.fold_all(self.comparison)
