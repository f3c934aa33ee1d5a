"""A choice among a few."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from rolldeck.text import clean_line
from rolldeck.tui.dialogs.dialog import Dialog


class ChooseDialog(Dialog[int]):
    """Asks for one of several lines; answers with its number."""

    def __init__(self, title: str, choices: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Return the choices."""
        with Vertical(classes="box") as box:
            box.border_title = Content(clean_line(self._title, 100))
            box.border_subtitle = Content("enter chooses · esc cancels")
            yield OptionList(
                *(Option(Content(clean_line(text, 200))) for text in self._choices), markup=False
            )

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if not self.deaf:
            self.dismiss(event.option_index)
