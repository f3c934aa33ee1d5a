"""Progress and cancellation of one running action, shared between its threads and a front end.

The counters are plain integers: workers add to them, a front end reads them a few times a second.
No callback runs per chunk, so progress costs the transfer nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rolldeck.errors import CancelledError


class Progress:
    """How far an action is, in bytes, and whether it should stop.

    ``total`` grows as work is discovered; ``done`` counts bytes; ``note`` is one short line.
    """

    def __init__(self) -> None:
        self.total = 0
        self.done = 0
        self.note = ""
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._hooks: list[Callable[[], None]] = []

    def expect(self, size: int) -> None:
        """Add ``size`` bytes to the total."""
        with self._lock:
            self.total += size

    def advance(self, size: int) -> None:
        """Add ``size`` bytes to what is done; negative when work must be repeated."""
        with self._lock:
            self.done += size

    @property
    def cancelled(self) -> bool:
        """Whether someone asked the action to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ask the action to stop; takes effect at its next check or blocking call."""
        self._cancelled.set()
        with self._lock:
            hooks = list(self._hooks)
        for hook in hooks:
            hook()

    def check(self) -> None:
        """Raise CancelledError when the action should stop."""
        if self._cancelled.is_set():
            raise CancelledError("Cancelled.")

    @contextmanager
    def on_cancel(self, hook: Callable[[], None]) -> Iterator[None]:
        """Run ``hook`` on cancel while the block lasts, so a blocked read can be cut short."""
        with self._lock:
            self._hooks.append(hook)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._hooks.remove(hook)
