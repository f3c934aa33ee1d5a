"""How hard one registry is asked: all its requests slow down together when it asks for that.

Each request to slow down halves how many run at once, each round of good answers adds one (as TCP
does it); while the registry asks to wait, nobody asks anything.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rolldeck.errors import UnavailableError
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.retry import Clocks

_PAUSE = 1.0
"""Seconds nobody asks after a registry wanted less without saying for how long."""

_LOOK = 0.1
"""Seconds between two looks for a free turn: a cancelled request leaves the queue so soon."""


class Throttle:
    """Turns of the small requests to one registry; thread-safe."""

    def __init__(self, host: str, most: int, patience: float, clocks: Clocks) -> None:
        """At most ``most`` run at once; who would wait longer than ``patience`` seconds fails."""
        self._host = host
        self._most = most
        self._patience = patience
        self._clocks = clocks
        self._turns = threading.Condition()
        self._running = 0
        self._round = 0
        self.until = 0.0
        """When asking goes on, by the monotonic clock."""
        self.allowed = most
        """How many may run at once now."""
        self.answered = 0
        """Good answers so far."""

    @contextmanager
    def turn(self, interrupt: Interrupt, waited_for: float = 0.0) -> Iterator[None]:
        """Wait for a turn and hold it for the block; raises UnavailableError and CancelledError.

        A pause until ``waited_for`` or earlier is not waited for: the caller does so by itself.
        """
        self._take(interrupt, waited_for)
        try:
            yield
        except BaseException:
            self._give(good=False)
            raise
        self._give(good=True)

    def slow_down(self, seconds: float | None) -> None:
        """Let nobody ask for as long as the registry said, and fewer at once afterwards."""
        with self._turns:
            now = self._clocks.monotonic()
            if now >= self.until:
                # One burst of refusals counts once: it answers what ran before the first of them.
                self.allowed = max(1, min(self.allowed, self._running) // 2)
                self._round = 0
            self.until = max(self.until, now + (seconds or _PAUSE))

    def _take(self, interrupt: Interrupt, waited_for: float) -> None:
        while True:
            with self._turns:
                until = self.until
                wait = until - self._clocks.monotonic() if until > waited_for else 0.0
                if wait <= 0:
                    if self._running < self.allowed:
                        self._running += 1
                        return
                    self._turns.wait(_LOOK)
            if wait > self._patience:
                raise UnavailableError(
                    f"{self._host} asks to slow down",
                    reference=self._host,
                    hint=f"Try again in {wait / 60:.0f} min.",
                )
            if wait > 0:
                self._sleep(wait, interrupt)
                waited_for = until
            interrupt.check()

    def _sleep(self, seconds: float, interrupt: Interrupt) -> None:
        if self._clocks.sleep is not None:
            self._clocks.sleep(seconds)
        else:
            interrupt.wait(seconds)

    def _give(self, *, good: bool) -> None:
        with self._turns:
            self._running -= 1
            if good:
                self.answered += 1
                self._round += 1
                if self._round >= self.allowed and self.allowed < self._most:
                    self.allowed += 1
                    self._round = 0
            self._turns.notify()
