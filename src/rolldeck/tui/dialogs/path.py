"""A question for a directory."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, Static

from rolldeck.text import clean_line
from rolldeck.tui.dialogs.dialog import Dialog

_MOST_ENTRIES = 2000
"""Entries of a directory looked at for a suggestion: a huge one must not hold the deck."""


class DirectorySuggester(Suggester):
    """Suggests the first directory that begins with what was typed."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole path of a directory, None where none begins so."""
        return await asyncio.to_thread(complete, value)


def complete(value: str) -> str | None:
    """Return the first directory that begins with ``value``."""
    head, slash, start = value.rpartition("/")
    parent = Path((head or "/") if slash else ".").expanduser()
    try:
        entries = list(islice(parent.iterdir(), _MOST_ENTRIES))
        names = [item.name for item in entries if item.name.startswith(start) and item.is_dir()]
    except OSError:
        return None
    return f"{head}{slash}{min(names)}" if start and names else None


class PathDialog(Dialog[Path]):
    """Asks for a directory; enter takes it, the right arrow takes a suggestion."""

    deaf_time = 0.0

    def __init__(self, title: str, proposal: str, explanation: str) -> None:
        super().__init__()
        self._title = title
        self._proposal = proposal
        self._explanation = explanation

    def compose(self) -> ComposeResult:
        """Return the question and its field."""
        with Vertical(classes="box") as box:
            box.border_title = Content(clean_line(self._title, 100))
            box.border_subtitle = Content("enter takes it · esc cancels")
            yield Static(Content(clean_line(self._explanation, 300)), classes="hint")
            field = Input(self._proposal, suggester=DirectorySuggester(), compact=True, id="path")
            field.cursor_blink = False
            yield field

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if text:
            self.dismiss(Path(text).expanduser())
