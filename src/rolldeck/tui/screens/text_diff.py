"""The text of one file of two versions, side by side."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from rolldeck.commands import Scope, command, footer_commands
from rolldeck.errors import CancelledError
from rolldeck.text import clean_line
from rolldeck.tui.keymap import bindings
from rolldeck.tui.models.file_texts import FilePair, describe_bytes
from rolldeck.tui.models.text_rows import TextDiff, text_diff
from rolldeck.tui.widgets.breadcrumb import Breadcrumb
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.side_by_side import SideBySide

_NOT_HERE = ("move.open", "filter.open", "command.type", "view.refresh", "deck.quit")
"""Commands that the footer leaves out: they do nothing here, or are known."""


class TextDiffScreen(Screen[None]):
    """One file on both sides, line by line; what is not text is described."""

    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere", "text")
    AUTO_FOCUS = "SideBySide"

    scope: ClassVar[Scope] = "text"
    """Whose keys are shown first in help."""

    @dataclass
    class TextCompared(Message):
        """The lines of both sides were compared; None where they are not text."""

        diff: TextDiff | None
        words: tuple[str, ...] = ()
        """What is to be said instead."""

    def __init__(self, pair: FilePair, labels: tuple[str, str]) -> None:
        super().__init__()
        self.pair = pair
        self.labels = labels
        self.compared = False
        """Whether the lines were compared and are shown."""

    def compose(self) -> ComposeResult:
        """Lay out the way here, the lines and the keys."""
        yield Breadcrumb()
        page = SideBySide(self.labels, id="text")
        page.add_class("page")
        page.border_title = Content(clean_line(self.pair.path, 200))
        page.border_subtitle = Content("comparing …")
        yield page
        words = Vertical(Static("", markup=False), id="words", classes="page")
        words.display = False
        words.border_title = Content(clean_line(self.pair.path, 200))
        yield words
        footer = KeyFooter()
        footer.commands = (
            command("hit.next"),
            command("hit.previous"),
            *footer_commands("text", hidden=_NOT_HERE),
        )
        footer.titles = {"hit.next": "next change", "hit.previous": "previous"}
        yield footer

    def on_mount(self) -> None:
        """Compare the lines off the loop."""
        labels = " ↔ ".join(self.labels)
        self.query_one(Breadcrumb).path = (labels, self.pair.path)
        self._compare(self.pair)

    @property
    def _page(self) -> SideBySide:
        return self.query_one(SideBySide)

    @work(thread=True, exclusive=True, group="text", exit_on_error=False)
    def _compare(self, pair: FilePair) -> None:
        worker = get_current_worker()

        def check() -> None:
            if worker.is_cancelled:
                raise CancelledError("The page was closed")

        with suppress(CancelledError):
            if pair.textual:
                message = self.TextCompared(text_diff(pair.a, pair.b, check))
            else:
                message = self.TextCompared(None, describe_bytes(pair, self.labels))
            check()
            self.post_message(message)

    @on(TextCompared)
    def _text_compared(self, message: TextCompared) -> None:
        self.compared = True
        if message.diff is None:
            self._page.display = False
            words = self.query_one("#words")
            words.display = True
            words.query_one(Static).update(Content("\n".join(message.words)))
            return
        self._page.diff = message.diff

    @on(SideBySide.ChangeReached)
    def _describe(self) -> None:
        """Say at the bottom how much differs, and which change is the current one."""
        if not self.compared:
            return
        page = self._page
        diff = page.diff
        parts = [f"+{diff.added} -{diff.removed}"]
        if page.changes:
            parts.append(f"change {page.change + 1} of {page.changes}")
        else:
            parts.append("both sides are equal")
        parts.append(f"{page.context} lines of context")
        if page.shift:
            parts.append(f"from column {page.shift + 1}")
        if diff.notice:
            parts.append(clean_line(diff.notice))
        page.border_subtitle = Content(" · ".join(parts))

    # Actions.

    def action_hit_next(self) -> None:
        """Go to the next change."""
        if not self._page.next_change(1):
            self.notify("No change below", markup=False)

    def action_hit_previous(self) -> None:
        """Go to the change before."""
        if not self._page.next_change(-1):
            self.notify("No change above", markup=False)

    def action_text_less(self) -> None:
        """Show fewer equal lines around each change."""
        self._page.context = _step(self._page.context, -1)

    def action_text_more(self) -> None:
        """Show more equal lines around each change."""
        self._page.context = _step(self._page.context, 1)

    def action_view_back(self) -> None:
        """Go back to the comparison."""
        self.dismiss(None)


_STEPS = (0, 1, 3, 6, 12, 25, 50, 100, 1_000_000)
"""How many lines of context there can be; the last shows the whole file."""


def _step(context: int, step: int) -> int:
    """Return the next larger or smaller number of lines of context."""
    position = _STEPS.index(context) if context in _STEPS else 2
    return _STEPS[max(0, min(position + step, len(_STEPS) - 1))]
