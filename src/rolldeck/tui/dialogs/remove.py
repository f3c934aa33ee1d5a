"""A removal: what else uses a version, and a field for the name of what is to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from rolldeck.tui.dialogs.dialog import Dialog
from rolldeck.tui.dialogs.plan import words_of
from rolldeck.tui.models.removal_lines import names_to_type, removal_lines, removal_title

if TYPE_CHECKING:
    from rolldeck.actions import Removal


class RemoveDialog(Dialog[str]):
    """Answers with the tag or the short digest that was typed; nothing else removes anything."""

    def __init__(self, removal: Removal) -> None:
        super().__init__()
        self._removal = removal

    def compose(self) -> ComposeResult:
        """Return what would go, and the field."""
        with Vertical(classes="box") as box:
            box.border_title = Content(removal_title(self._removal))
            box.border_subtitle = Content("enter removes what is named · esc cancels")
            yield words_of(removal_lines(self._removal))
            field = Input("", compact=True, id="name")
            field.cursor_blink = False
            yield field
            yield Static("", classes="problem", id="remove-problem", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        name = event.value.strip()
        if self.deaf or not name:
            return
        if name in names_to_type(self._removal):
            self.dismiss(name)
        else:
            problem = Content("Not one of these names; nothing was removed.")
            self.query_one("#remove-problem", Static).update(problem)
