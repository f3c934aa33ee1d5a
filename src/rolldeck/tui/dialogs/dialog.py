"""What all dialogs have in common: their keys, and that a key pressed by habit does nothing."""

from __future__ import annotations

import time
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.binding import BindingType
from textual.screen import ModalScreen

from rolldeck.tui.keymap import bindings

DEAF_TIME = 0.3
"""Seconds after opening in which keys are ignored: they were meant for what was there before."""

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer], Generic[Answer]):
    """A question over the deck; ``esc`` answers None."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("dialog")

    deaf_time = DEAF_TIME
    """Seconds in which keys are ignored; a class of dialogs that does no harm sets 0."""

    def on_mount(self) -> None:
        """Note when the dialog opened, and clear toasts, which would cover it."""
        self.app.clear_notifications()
        self._opened = time.monotonic()

    @property
    def deaf(self) -> bool:
        """Whether keys are ignored still."""
        opened: float = getattr(self, "_opened", time.monotonic())
        return time.monotonic() - opened < self.deaf_time

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take no keys while deaf."""
        if action.startswith("dialog_") and self.deaf:
            return False
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Swallow a key that no binding took while deaf."""
        if self.deaf:
            event.stop()

    def action_dialog_refuse(self) -> None:
        """Close and do nothing."""
        self.dismiss(None)

    def action_dialog_next(self) -> None:
        """Go to the next field or button."""
        self.focus_next()
