"""The page of triage: the cursor rests on its generations."""

from __future__ import annotations

from rolldeck.actions import Triage, TriageRow
from rolldeck.tui.models.lines import Line, Stop, line, wrap
from rolldeck.tui.models.triage_lines import TriagePage, triage_page
from rolldeck.tui.widgets.cursor_view import CursorView


class TriageView(CursorView):
    """Shows one triage; what stands below the generations tells of the one under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.triage: Triage | None = None
        self._sheet = TriagePage([], 0)
        self._words = "Reading …"

    def say(self, words: str) -> None:
        """Show words where there is no triage: why not, and what to do."""
        self._words = words
        self._lay_out()
        self.rebuilt(0)

    def show(self, triage: Triage, number: int | None) -> None:
        """Show a triage with the cursor on a generation, else on the newest."""
        self.triage = triage
        numbers = [row.number for row in triage.rows]
        cursor = numbers.index(number) if number in numbers else 0
        self.cursor = cursor
        self._lay_out()
        self.rebuilt(cursor)

    def tell_more(self) -> None:
        """Tell of the generation that the cursor came to."""
        self._lay_out()
        self.set_extent()

    def _lay_out(self) -> None:
        width = max(self.size.width, 20)
        if self.triage is not None:
            self._sheet = triage_page(self.triage, self.row, width)
        else:
            texts = [part for text in self._words.split("\n") for part in wrap(text, width - 2)]
            self._sheet = TriagePage([line(f" {text}") for text in texts], 0)

    @property
    def row(self) -> TriageRow | None:
        """The selected generation."""
        rows = self.triage.rows if self.triage is not None else ()
        return rows[self.cursor] if self.cursor < len(rows) else None

    def on_resize(self) -> None:
        """Lay it out for the new width."""
        self._lay_out()
        self.rebuilt(self.cursor)

    # What the cursor needs to know.

    @property
    def stop_count(self) -> int:
        """How many generations there are."""
        return len(self.triage.rows) if self.triage is not None else 0

    def stop(self, index: int) -> Stop:
        """Return a generation."""
        return Stop(self._sheet.first + index, index)

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        return len(self._sheet.lines)

    def line_at(self, y: int) -> Line:
        """Return a line."""
        return self._sheet.lines[y]
