"""Copying through SSH and multiplexers: OSC 52, and tmux's own buffer where it runs."""

from __future__ import annotations

import os
import subprocess

_TIMEOUT = 1.0
"""Seconds that tmux may take; a stuck server must not hold the deck."""


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
