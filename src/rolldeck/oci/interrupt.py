"""Cutting a blocked network call short, from another thread.

A thread that waits in ``recv`` notices nothing; what wakes it is a shutdown of its socket. Each
operation owns one ``Interrupt``, and the connection in use is announced to it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rolldeck.errors import CancelledError

_current = threading.local()


class Interrupt:
    """Stops one operation (``cancel``) or only its present connection (``drop``)."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._committed = False
        self._commitments = 0
        self._questions = 0
        self._awaiting = False
        self.received = 0
        """Body bytes received so far, for a watch that looks for stalls."""

    @property
    def cancelled(self) -> bool:
        """Whether the operation was told to stop."""
        return self._cancelled.is_set()

    @property
    def committed(self) -> bool:
        """Whether the thread holds something that must be given back before anyone goes on."""
        return self._committed

    @property
    def commitment_number(self) -> int | None:
        """Which block of ``commitment`` the thread is in; None outside."""
        return self._commitments if self._committed else None

    @property
    def question_number(self) -> int | None:
        """Which request the thread awaits the answer of; None while it awaits none."""
        return self._questions if self._awaiting else None

    def cancel(self) -> None:
        """Stop the operation for good; its blocked call ends at once."""
        with self._lock:
            self._cancelled.set()
        self.drop()

    def drop(self) -> None:
        """Break the connection in use, so that a stalled call ends and may be tried again."""
        with self._lock:
            if self._line is not None:
                with contextlib.suppress(OSError):
                    self._line.shutdown(socket.SHUT_RDWR)

    def check(self) -> None:
        """Raise CancelledError when the operation was told to stop."""
        if self._cancelled.is_set():
            raise CancelledError("Cancelled.")

    def wait(self, seconds: float) -> None:
        """Sleep, unless cancelled, which raises CancelledError at once."""
        self._cancelled.wait(seconds)
        self.check()

    @contextmanager
    def commitment(self) -> Iterator[None]:
        """Mark a block that must end before a cancelled caller may go on."""
        with self._lock:
            self.check()
            self._commitments += 1
            self._committed = True
        try:
            yield
        finally:
            self._committed = False

    @contextmanager
    def question(self) -> Iterator[None]:
        """Mark a block that sends a request and returns with the headers of its answer."""
        self._questions += 1
        self._awaiting = True
        try:
            yield
        finally:
            self._awaiting = False

    def attach(self, line: socket.socket) -> None:
        """Take ``line`` as the connection in use; raises CancelledError when it is too late."""
        # A duplicate outlives the TLS wrapping, which takes the descriptor from the first object.
        duplicate = socket.socket(fileno=os.dup(line.fileno()))
        with self._lock:
            previous, self._line = self._line, duplicate
        if previous is not None:
            previous.close()
        if self._cancelled.is_set():
            self.drop()
            self.check()

    def detach(self) -> None:
        """Forget the connection in use."""
        with self._lock:
            previous, self._line = self._line, None
        if previous is not None:
            previous.close()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Announce connections that this thread opens or reuses in the block to this object."""
        before = getattr(_current, "interrupt", None)
        _current.interrupt = self
        try:
            yield
        finally:
            _current.interrupt = before


def current_interrupt() -> Interrupt:
    """Return the one applied in this thread, or a fresh one where none is."""
    interrupt: Interrupt | None = getattr(_current, "interrupt", None)
    return interrupt or Interrupt()


def announce(line: socket.socket) -> None:
    """Tell the thread's current interrupt, if any, which connection is in use."""
    interrupt: Interrupt | None = getattr(_current, "interrupt", None)
    if interrupt is not None:
        interrupt.attach(line)
