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
        lines = []
        for moment, entry in self._entries:
            room = max(width - len(moment) - 5, 20)
            text = clean_line(entry, 1000)
            parts = [text[start : start + room] for start in range(0, len(text), room)]
            lines.append(Line((Span(f" {moment}  ", "dim"), Span(parts[0]))))
            indent = " " * (len(moment) + 3)
            lines += [Line((Span(indent + part),)) for part in parts[1:]]
        return lines
