"""The line in which a filter is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class FilterBar(Horizontal):
    """Reads a filter and says how much it leaves; there only while it is used."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1;
        display: none;
    }
    FilterBar.-open {
        display: block;
    }
    FilterBar Label {
        width: auto;
        padding: 0 1;
    }
    FilterBar Input {
        width: 1fr;
        height: 1;
        border: none;
        padding: 0;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "clear", show=False),
        Binding("down", "leave", "to the list", show=False),
        Binding("tab", "leave", "to the list", show=False),
    ]

    @dataclass
    class Changed(Message):
        """The filter was typed on."""

        text: str

    @dataclass
    class Left(Message):
        """The user went back to the list; the filter stays if ``kept``."""

        kept: bool

    def _build(self) -> Input:
        """Mount the parts of the line when it is first needed: the start need not wait for them."""
        field = Input(placeholder="text   !not this   column:text", id="filter-text", compact=True)
        field.cursor_blink = False
        sign = Label("/", id="filter-sign", markup=False)
        self.mount_all((sign, field, Label("", id="filter-count", markup=False)))
        return field

    @property
    def is_open(self) -> bool:
        """Whether the line is there."""
        return self.has_class("-open")

    def open(self, text: str) -> None:
        """Show the line with a filter to go on with."""
        self.add_class("-open")
        fields = self.query(Input)
        field = fields.first() if fields else self._build()
        with self.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        field.focus()

    def close(self) -> None:
        """Take the line away."""
        self.remove_class("-open")

    def set_count(self, shown: int, total: int) -> None:
        """Say how many rows the filter leaves."""
        for label in self.query("#filter-count").results(Label):
            label.update(f"{shown} of {total}")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()

    def action_leave(self) -> None:
        """Go back to the list and keep the filter."""
        self.post_message(self.Left(bool(self.query_one(Input).value)))

    def action_clear(self) -> None:
        """Empty the filter and go back to the list."""
        self.query_one(Input).value = ""
        self.post_message(self.Changed(""))
        self.post_message(self.Left(False))
