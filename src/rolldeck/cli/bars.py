"""Progress on a terminal: a line with a bar for each part and for the whole, redrawn in place."""

from __future__ import annotations

import contextlib
import threading
import time

from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text

from rolldeck.columns import cut
from rolldeck.pace import Pace, watched
from rolldeck.progress import Progress
from rolldeck.progress_rows import progress_rows
from rolldeck.text import clean_line

_REFRESH = 0.2
"""Seconds between two looks at the counters."""

_LINES_LEFT = 4
"""Lines of the terminal that parts do not take."""


class Bars:
    """Draws the parts of a progress and their sum, and takes them away at the end."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._pace = Pace(progress)
        self._title = clean_line(title, 200)

    def run(self, ended: threading.Event) -> None:
        """Draw a few times a second until ``ended`` is set."""
        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        live = Live(console=console, auto_refresh=False, transient=True)
        # A terminal that is gone needs no bars; the transfer goes on.
        with contextlib.suppress(OSError), live:
            # Whoever kills this process finds the cursor where it was.
            console.show_cursor(True)
            while not ended.is_set():
                self._pace.sample(time.monotonic())
                live.update(self.rendered(console.size, time.monotonic()), refresh=True)
                ended.wait(_REFRESH)

    def rendered(self, size: ConsoleDimensions, now: float) -> Text:
        """Return the lines as they are to be drawn now."""
        text = Text(cut(self._title, size.width), no_wrap=True)
        paces = [*watched(self._pace.parts, size.height - _LINES_LEFT), self._pace]
        for row in progress_rows(paces, size.width, now, "total"):
            text.append(f"\n{row.name}  ")
            if row.filled or row.empty:
                text.append(row.filled, "cyan").append(row.empty, "dim").append("  ")
            text.append(f"{row.figures}  ").append(row.doing, "dim")
        return text
