"""The log of command lines that do what the deck did."""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Span, wrap
from rolldeck.tui.screens.page import PageScreen


class LogScreen(PageScreen):
    """Each act of this run as a line for a shell, oldest first."""

    def __init__(self, entries: Sequence[tuple[str, str]]) -> None:
        super().__init__("Log · the same on the command line", ("log",))
        self._entries = entries

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        if not self._entries:
            text = "Nothing was done yet. What you compare, pull, pin or roll back is listed here."
            return [Line((Span(f" {part}", "dim"),)) for part in wrap(text, width - 2)]
        return [
            Line((Span(f" {moment}  ", "dim"), Span(clean_line(line, 1000))))
            for moment, line in self._entries
        ]
