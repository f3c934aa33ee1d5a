"""A page of lines to read, with a search."""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.tui.models.lines import Line, Stop
from rolldeck.tui.widgets.cursor_view import CursorView


class PageView(CursorView):
    """Shows given lines; the cursor rests on each of them."""

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines = list(lines)
        self.needle = ""
        """What is searched for, in folded case."""

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._lines = list(lines)
        self.rebuilt(self.cursor)

    @property
    def stop_count(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    def stop(self, index: int) -> Stop:
        """Return a line."""
        return Stop(index, index)

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    def line_at(self, y: int) -> Line:
        """Return a line."""
        return self._lines[y]

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.rebuilt(self.cursor)

    # Searching.

    @property
    def hits(self) -> list[int]:
        """The numbers of the lines that hold what is searched for."""
        if not self.needle:
            return []
        return [
            number for number, line in enumerate(self._lines) if self.needle in line.text.casefold()
        ]

    def search(self, text: str) -> int:
        """Search for a text and go to its next line from here; returns how many hold it."""
        self.needle = text.casefold()
        hits = self.hits
        if hits:
            self.move_to(next((hit for hit in hits if hit >= self.cursor), hits[0]))
        return len(hits)

    def next_hit(self, step: int) -> bool:
        """Go to the next hit, or the one before; False where there is none."""
        hits = self.hits
        if not hits:
            return False
        if step > 0:
            self.move_to(next((hit for hit in hits if hit > self.cursor), hits[0]))
        else:
            self.move_to(next((hit for hit in reversed(hits) if hit < self.cursor), hits[-1]))
        return True
