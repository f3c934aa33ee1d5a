"""A question that one line answers, checked before it is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from rolldeck.text import clean_line
from rolldeck.tui.dialogs.dialog import Dialog

Answer = TypeVar("Answer")


class LineDialog(Dialog[Answer], Generic[Answer]):
    """Asks for a line; ``read`` makes the answer of it, or raises ValueError that says why not."""

    deaf_time = 0.0

    def __init__(
        self, title: str, proposal: str, explanation: str, read: Callable[[str], Answer]
    ) -> None:
        super().__init__()
        self._title = title
        self._proposal = proposal
        self._explanation = explanation
        self._read = read

    def compose(self) -> ComposeResult:
        """Return the question, its field, and room for what is wrong with an answer."""
        with Vertical(classes="box") as box:
            box.border_title = Content(clean_line(self._title, 100))
            box.border_subtitle = Content("enter takes it · esc cancels")
            yield Static(Content(clean_line(self._explanation, 300)), classes="hint")
            field = Input(self._proposal, compact=True, id="line")
            field.cursor_blink = False
            yield field
            yield Static("", classes="problem", id="line-problem", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            answer = self._read(event.value.strip())
        except ValueError as error:
            self.query_one("#line-problem", Static).update(Content(clean_line(str(error), 200)))
        else:
            self.dismiss(answer)
