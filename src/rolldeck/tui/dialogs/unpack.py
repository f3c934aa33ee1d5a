"""The question before unpacking: into which directory, and what of the version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static

from rolldeck.kit import Filter
from rolldeck.text import clean_line
from rolldeck.tui.dialogs.dialog import Dialog
from rolldeck.tui.dialogs.path import DirectorySuggester
from rolldeck.tui.models.element_choice import Element, choice_words, filters_for
from rolldeck.units import human_size


@dataclass(frozen=True, slots=True)
class UnpackRequest:
    """What was asked for; without ``filters`` all of the version."""

    directory: Path
    filters: tuple[Filter, ...]


class UnpackDialog(Dialog[UnpackRequest]):
    """A directory and a tick list of elements; shows the command line that does the same."""

    deaf_time = 0.0

    def __init__(
        self,
        title: str,
        proposal: str,
        elements: Sequence[Element],
        command_line: Callable[[Path, tuple[Filter, ...]], str],
    ) -> None:
        super().__init__()
        self._title = title
        self._proposal = proposal
        self._elements = elements
        self._command_line = command_line
        self.ticked = set(range(len(elements)))

    def compose(self) -> ComposeResult:
        """Return the directory's field, the list, and what it comes to."""
        with Vertical(classes="box") as box:
            box.border_title = Content(clean_line(self._title, 100))
            box.border_subtitle = Content(
                "enter unpacks · tab list: space ticks, y unpacks · esc cancels"
            )
            hint = "Into a directory; where it has files, what would change is shown first:"
            yield Static(Content(hint), classes="hint")
            field = Input(self._proposal, suggester=DirectorySuggester(), compact=True, id="path")
            field.cursor_blink = False
            yield field
            yield OptionList(*map(self._line, range(len(self._elements))), markup=False)
            yield Static("", id="choice", classes="hint", markup=False)
            yield Static("", id="unpack-line", classes="hint", markup=False)

    def on_mount(self) -> None:
        """Begin with the directory."""
        super().on_mount()
        self.query_one("#path", Input).focus()
        self._show()

    def _line(self, number: int) -> Content:
        item = self._elements[number]
        is_ticked = number in self.ticked
        mark, style = ("✓", "$text-success bold") if is_ticked else ("·", "$text-muted")
        return Content.assemble((mark, style), f" {human_size(item.size):>9}  {item.label}")

    @property
    def _directory(self) -> str:
        return self.query_one("#path", Input).value.strip()

    def _show(self) -> None:
        """Say how much is ticked, and the same as a command line, or why that cannot be."""
        ticked = self.ticked
        filters = filters_for(self._elements, ticked)
        self.query_one("#choice", Static).update(Content(choice_words(self._elements, ticked)))
        if not ticked:
            line = "Tick something."
        elif filters is None:
            line = "No filter says exactly this: elements share a name, or a path has , or : in it."
        else:
            line = self._command_line(Path(self._directory or "."), filters)
        self.query_one("#unpack-line", Static).update(Content(clean_line(line, 400)))

    @on(Input.Changed)
    def _changed(self) -> None:
        self._show()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._toggle(event.option_index)

    def action_dialog_tick(self) -> None:
        """Tick or untick the highlighted element."""
        number = self.query_one(OptionList).highlighted
        if number is not None:
            self._toggle(number)

    def _toggle(self, number: int) -> None:
        self.ticked ^= {number}
        self.query_one(OptionList).replace_option_prompt_at_index(number, self._line(number))
        self._show()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_dialog_accept()

    def action_dialog_accept(self) -> None:
        """Unpack what is ticked."""
        filters = filters_for(self._elements, self.ticked)
        if self._directory and self.ticked and filters is not None:
            self.dismiss(UnpackRequest(Path(self._directory).expanduser(), filters))
