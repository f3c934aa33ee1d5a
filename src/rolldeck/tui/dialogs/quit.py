"""The question before quitting while a job runs."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from rolldeck.text import clean_line
from rolldeck.tui.dialogs.dialog import Dialog


class QuitDialog(Dialog[bool]):
    """Names the jobs that would be cancelled; ``y`` quits."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names

    def compose(self) -> ComposeResult:
        """Return the question and its buttons."""
        count = len(self._names)
        with Vertical(classes="box") as box:
            box.border_title = Content("Quit?")
            words = [
                f"{count} job{'s' if count != 1 else ''} still run{'s' if count == 1 else ''}:"
            ]
            words += [f"  {clean_line(name, 90)}" for name in self._names[:6]]
            words.append("Quitting cancels; nothing half done becomes visible.")
            yield Static(Content("\n".join(words)), classes="words")
            with Horizontal(classes="buttons"):
                yield Button(Content("Cancel"), id="cancel", compact=True)
                yield Button(
                    Content.assemble(("y", "$text-primary bold"), " quit"),
                    id="accept",
                    compact=True,
                )

    def on_mount(self) -> None:
        """Put the focus on what does no harm."""
        self.query_one("#cancel", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if not self.deaf:
            self.dismiss(True if event.button.id == "accept" else None)

    def action_dialog_accept(self) -> None:
        """Quit."""
        self.dismiss(True)
