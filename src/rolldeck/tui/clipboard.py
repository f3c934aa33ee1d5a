"""Copying through SSH and multiplexers: OSC 52, and tmux's own buffer where it runs."""

from __future__ import annotations

import os
import subprocess

from textual.app import App

_TIMEOUT = 1.0
"""Seconds that tmux may take; a stuck server must not hold the deck."""


def copy(app: App[None], text: str) -> None:
    """Copy a text, and show it, since no terminal tells whether it took it."""
    app.copy_to_clipboard(text)
    where = " (also in tmux)" if load_tmux_buffer(text) else ""
    app.notify(text, title=f"Copied{where}", markup=False)


def load_tmux_buffer(text: str) -> bool:
    """Give ``text`` to tmux, which drops OSC 52 of programs by default; False without tmux."""
    if not os.environ.get("TMUX"):
        return False
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
