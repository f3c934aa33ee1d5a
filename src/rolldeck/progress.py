"""Progress and cancellation of one running action, shared between its threads and a front end.

The counters are plain integers: workers add to them, a front end reads them a few times a second.
No callback runs per chunk, so progress costs the transfer nothing.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from rolldeck.errors import CancelledError
from rolldeck.units import duration

PartState = Literal["waiting", "resuming", "receiving", "sending", "packing", "verifying", "done"]


class Pause(NamedTuple):
    """A wait before the next try: until when, by the monotonic clock in seconds, and why."""

    until: float
    why: str

    def said(self, now: float) -> str:
        """Return it as a person reads it: ``waiting 12 s as the registry asked``."""
        return f"waiting {duration(math.ceil(self.until - now))} {self.why}"


class Progress:
    """How far an action, or one part of it, is in bytes, and whether it should stop.

    ``total`` grows as work is discovered; ``done`` counts bytes, ``skipped`` those of them that
    were there before and need not move; ``note`` is one short line. What its parts count is in
    its own counts; cancelling a part cancels the whole.
    """

    def __init__(self, name: str = "", whole: Progress | None = None) -> None:
        """``name`` says in few words which part of ``whole`` this is."""
        self.name = name
        self.state: PartState = "waiting"
        self.note = ""
        self.pause: Pause | None = None
        self._whole = whole
        self._parts: list[Progress] = []
        self._events: list[str] = whole._events if whole else []
        self._total = self._done = self._skipped = 0
        self._resumed_at: int | None = None
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._hooks: list[Callable[[], None]] = []

    def part(self, name: str, size: int = 0) -> Progress:
        """Add a part, such as a blob of ``size`` bytes, and return its progress."""
        part = Progress(name, self)
        part.expect(size)
        self._parts.append(part)
        return part

    @property
    def parts(self) -> tuple[Progress, ...]:
        """The parts so far, in the order in which they were added."""
        return tuple(self._parts)

    @property
    def total(self) -> int:
        """Bytes to do, as far as is known."""
        return self._total + sum(part.total for part in self.parts)

    @property
    def done(self) -> int:
        """Bytes done."""
        return self._done + sum(part.done for part in self.parts)

    @property
    def skipped(self) -> int:
        """Bytes of ``done`` that were there before."""
        return self._skipped + sum(part.skipped for part in self.parts)

    @property
    def events(self) -> tuple[str, ...]:
        """What is worth a line of its own, oldest first, of the whole and all its parts."""
        return tuple(self._events)

    @property
    def percent(self) -> int:
        """How much is done, rounded down; 0 before the total is known."""
        return min(self.done * 100 // self.total, 100) if self.total else 0

    def expect(self, size: int) -> None:
        """Add ``size`` bytes to the total."""
        with self._lock:
            self._total += size

    def advance(self, size: int) -> None:
        """Add ``size`` bytes to what is done; negative when work must be repeated."""
        with self._lock:
            self._done += size
            self._skipped = min(self._skipped, self._done)

    def skip(self, size: int) -> None:
        """Add ``size`` bytes to what is done that need not move."""
        with self._lock:
            self._done += size
            self._skipped += size

    def resume(self) -> None:
        """Tell that it goes on behind the bytes that are done."""
        self.state = "resuming"
        self._resumed_at = self.percent
        self.tell(" ".join(filter(None, ("resuming", self.name, f"at {self.percent} %"))))

    def wait(self, seconds: float, why: str, now: float) -> None:
        """Tell that it waits for some seconds from ``now``, by the monotonic clock, and why."""
        self.pause = Pause(now + seconds, why)
        self.tell(self.pause.said(now))

    def go_on(self) -> None:
        """Tell that the wait is over."""
        self.pause = None

    def tell(self, event: str) -> None:
        """Add a line to the events."""
        self._events.append(event)

    def said(self, now: float) -> str:
        """Return what is worth telling beside the numbers; ``now`` is by the monotonic clock."""
        if self.pause is not None:
            return self.pause.said(now)
        if self.note:
            return self.note
        telling = [part for part in self.parts if part.pause or part.note]
        resumed = [part for part in self.parts if part._resumption()]
        if telling or resumed:
            return [*telling, *resumed][0].said(now)
        return self._resumption() or (self.state if self._whole and not self._parts else "")

    def _resumption(self) -> str:
        if self._resumed_at is None or self.state not in ("resuming", "receiving"):
            return ""
        return f"{'resuming' if self.state == 'resuming' else 'resumed'} at {self._resumed_at} %"

    @property
    def cancelled(self) -> bool:
        """Whether someone asked the action to stop."""
        return self._cancelled.is_set() if self._whole is None else self._whole.cancelled

    def cancel(self) -> None:
        """Ask the action to stop; takes effect at its next check or blocking call."""
        if self._whole is not None:
            self._whole.cancel()
            return
        self._cancelled.set()
        with self._lock:
            hooks = list(self._hooks)
        for hook in hooks:
            hook()

    def check(self) -> None:
        """Raise CancelledError when the action should stop."""
        if self.cancelled:
            raise CancelledError("Cancelled.")

    @contextmanager
    def on_cancel(self, hook: Callable[[], None]) -> Iterator[None]:
        """Run ``hook`` on cancel while the block lasts, so a blocked read can be cut short."""
        if self._whole is not None:
            with self._whole.on_cancel(hook):
                yield
            return
        with self._lock:
            self._hooks.append(hook)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._hooks.remove(hook)
