"""A page whose content is still being read when it opens: how much came is shown meanwhile."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

from textual.content import Content
from textual.timer import Timer

from rolldeck.commands import Command, footer_commands
from rolldeck.errors import RolldeckError
from rolldeck.progress import Progress
from rolldeck.tui.failures import told
from rolldeck.tui.models.file_lines import reading_words
from rolldeck.tui.models.lines import Line, Span, wrap
from rolldeck.tui.screens.page import PageScreen
from rolldeck.tui.widgets.page_view import PageView

if TYPE_CHECKING:
    from rolldeck.tui.app import Deck

_TICK = 0.25
"""Seconds between two looks at how much was read."""


class ReadingPage(PageScreen):
    """Reads in the background while it is open; closing it ends the reading."""

    def __init__(self, title: str, path: tuple[str, ...]) -> None:
        super().__init__(title, path)
        self.progress = Progress()
        self.problem: RolldeckError | None = None
        self._ticker: Timer | None = None

    @property
    def deck(self) -> Deck:
        """The app, as what it is."""
        return cast("Deck", self.app)

    def read(self) -> Coroutine[Any, Any, None]:
        """Return what reads and posts the result."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Give the page the keys and begin to read."""
        self.start()

    def start(self) -> None:
        """Read, from the beginning."""
        self.progress = Progress()
        self.problem = None
        self.query_one(PageView).border_subtitle = Content(reading_words(0))
        if self._ticker is None:
            self._ticker = self.set_interval(_TICK, self._tick)
        self.run_worker(self.read(), group="read", exclusive=True, exit_on_error=False)

    def _tick(self) -> None:
        self.query_one(PageView).border_subtitle = Content(reading_words(self.progress.done))

    def ended(self, words: str, problem: RolldeckError | None = None) -> None:
        """Show what was read, or why it could not be; ``words`` stand below it."""
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        self.problem = problem
        self.query_one(PageView).border_subtitle = Content(words)
        self.lay_out()

    def problem_lines(self, width: int) -> list[Line]:
        """Return why there is nothing to show."""
        if self.problem is None:
            return [Line((Span(f" {reading_words(0)}", "dim"),))]
        texts = [part for text in told(self.problem).split("\n") for part in wrap(text, width - 4)]
        lines = [Line((Span(" × " if not number else "   ", "worse"), Span(text)))
                 for number, text in enumerate(texts)]  # fmt: skip
        return [*lines, Line((Span("   r tries again.", "dim"),))]

    def footer(self) -> tuple[Command, ...]:
        """Return the commands of the footer."""
        return footer_commands("everywhere", ("command.type", "move.open"))

    def action_view_refresh(self) -> None:
        """Read again."""
        self.start()
        self.lay_out()

    def on_unmount(self) -> None:
        """End the reading."""
        self.progress.cancel()
