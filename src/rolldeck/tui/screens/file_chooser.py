"""Choose one of the files whose text differs."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from rolldeck.text import clean_line
from rolldeck.tui.keymap import bindings


class FileChooser(ModalScreen[str | None]):
    """Lists files; its result is the chosen one, or None where nothing was chosen."""

    CSS_PATH = "compare.tcss"

    BINDINGS = bindings("move", "dialog")

    def __init__(self, files: Sequence[tuple[str, str]]) -> None:
        """Take the files as names with a short remark each."""
        super().__init__()
        self._files = tuple(files)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        choices = OptionList(
            *(
                Option(Content.assemble(clean_line(name), "  ", (clean_line(note), "$text-muted")))
                for name, note in self._files
            ),
            id="files",
        )
        choices.border_title = Content("Which file?")
        choices.border_subtitle = Content("enter opens · esc goes back")
        yield choices

    @property
    def _choices(self) -> OptionList:
        return self.query_one("#files", OptionList)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._files[event.option_index][0])

    def action_move_down(self) -> None:
        """Go to the next file."""
        self._choices.action_cursor_down()

    def action_move_up(self) -> None:
        """Go to the file before."""
        self._choices.action_cursor_up()

    def action_move_first(self) -> None:
        """Go to the first file."""
        self._choices.action_first()

    def action_move_last(self) -> None:
        """Go to the last file."""
        self._choices.action_last()

    def action_move_open(self) -> None:
        """Choose the file under the cursor."""
        self._choices.action_select()

    def action_dialog_accept(self) -> None:
        """Choose the file under the cursor."""
        self._choices.action_select()

    def action_dialog_refuse(self) -> None:
        """Choose nothing."""
        self.dismiss(None)
