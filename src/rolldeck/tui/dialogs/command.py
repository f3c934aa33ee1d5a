"""The line in which a command is typed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from rolldeck.errors import UsageError
from rolldeck.text import clean
from rolldeck.tui.dialogs.dialog import Dialog
from rolldeck.tui.failures import told
from rolldeck.tui.models.typed import Typed, matching, offered, parse_typed, verb_of


class CommandLine(Dialog[Typed]):
    """Reads a command with its arguments; a wrong one is answered where it was typed."""

    deaf_time = 0.0

    def __init__(self, text: str, references: Sequence[str], *, read_only: bool) -> None:
        super().__init__()
        self._text = text
        self._references = references
        self._read_only = read_only

    def compose(self) -> ComposeResult:
        """Return the field, what it can become, and what was wrong."""
        with Vertical(classes="box") as box:
            box.border_title = Content("Command")
            box.border_subtitle = Content("enter runs · → takes a suggestion · esc cancels")
            # Not selected: what is there is the beginning of what will be typed.
            field = Input(
                self._text,
                suggester=self._suggester(),
                select_on_focus=False,
                compact=True,
                id="command",
            )
            field.cursor_blink = False
            yield field
            yield Static("", classes="problem", id="command-problem", markup=False)
            yield Static("", classes="hint", id="command-hint", markup=False)

    def on_mount(self) -> None:
        """Show what can be typed."""
        self._hint(self._text)

    def _suggester(self) -> SuggestFromList:
        verbs = [verb_of(item) for item in offered(self._read_only)]
        forms = [str(item.typed).split() for item in offered(self._read_only)]
        takers = [form[0] for form in forms if form[1:2] == ["REFERENCE"]]
        lines = [f"{verb} {reference}" for verb in takers for reference in self._references]
        return SuggestFromList([*verbs, *lines])

    def _hint(self, text: str) -> None:
        found = matching(text, read_only=self._read_only)
        width = max((len(item.typed or "") for item in found), default=0)
        lines = [f"{(item.typed or '').ljust(width)}   {item.help}" for item in found]
        self.query_one("#command-hint", Static).update(Content("\n".join(lines)))

    def on_key(self, event: events.Key) -> None:
        """Pass on what comes before the field has the focus: keys may come in one piece."""
        field = self.query_one(Input)
        if event.character and event.is_printable:
            field.insert_text_at_cursor(event.character)
        elif event.key == "enter":
            field.post_message(Input.Submitted(field, field.value))
        else:
            return
        event.stop()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#command-problem", Static).update(Content(""))
        self._hint(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            self.dismiss(None)
            return
        try:
            typed = parse_typed(event.value, read_only=self._read_only)
        except UsageError as error:
            self.query_one("#command-problem", Static).update(Content(clean(told(error))))
        else:
            self.dismiss(typed)
