"""The incident note, shown as it was copied."""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Span, wrap
from rolldeck.tui.screens.page import PageScreen


class NoteScreen(PageScreen):
    """A text to read; nothing of it is markup."""

    def __init__(self, text: str) -> None:
        super().__init__("Incident note · copied", ("incident note",))
        self._text = text

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        return [
            Line((Span(f" {part}"),))
            for text in self._text.splitlines()
            for part in wrap(clean_line(text), width - 2)
        ]
