"""The deck: the terminal app over ``rolldeck.actions``."""

from __future__ import annotations

from rolldeck.tui.run import run_deck

__all__ = ["run_deck"]
