"""The bottom line: the keys that matter here, most used first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from rolldeck.commands import Command
from rolldeck.text import clean_line
from rolldeck.tui.models.lines import cut


class KeyFooter(Widget):
    """Shows keys with their titles, as many as fit, help always; a click runs one."""

    DEFAULT_CSS = """
    KeyFooter {
        height: 1;
    }
    """

    @dataclass
    class Clicked(Message):
        """A key was clicked."""

        command: Command

    commands: reactive[tuple[Command, ...]] = reactive(())
    """What is offered, most used first."""
    titles: reactive[dict[str, str]] = reactive(dict)
    """Other words for a title where this pane has better ones, by command id."""
    note: reactive[str] = reactive("")
    """A short note at the right: what is marked."""

    def render(self) -> RenderResult:
        """Return the line."""
        content = Content(" ")
        for command in self._fitting():
            content = (
                content
                + Content.styled(command.labels[0], "$text-primary bold")
                + f" {self._title(command)}  "
            )
        note = self._note()
        gap = self.size.width - content.cell_length - len(note) - 1
        if note and gap >= 0:
            content = content + " " * gap + Content.styled(note, "$text-warning")
        return content

    def _note(self) -> str:
        return cut(clean_line(self.note, 60), max(self.size.width // 3, 10))

    def _title(self, command: Command) -> str:
        return self.titles.get(command.id, command.title)

    def _width(self, command: Command) -> int:
        return len(command.labels[0]) + 1 + len(self._title(command)) + 2

    def _fitting(self) -> Sequence[Command]:
        """Return what fits beside the note: from the least used, commands are left out."""
        note = self._note()
        room = self.size.width - 1 - (len(note) + 1 if note else 0)
        chosen = list(self.commands)
        while len(chosen) > 1 and sum(map(self._width, chosen)) - 2 > room:
            chosen.pop(-2)
        return chosen

    def on_click(self, event: events.Click) -> None:
        """Run the command whose key was clicked."""
        x = 1
        for command in self._fitting():
            end = x + self._width(command)
            if x <= event.x < end - 2:
                self.post_message(self.Clicked(command))
                return
            x = end
