"""A blob on its way from one registry to another: a few buffers between two threads.

The one that receives is slowed down to the pace of the one that sends, so no more than a few MiB
are in memory, and none on the disk.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from rolldeck.errors import CancelledError, RolldeckError

_MOST = 8 * 1024 * 1024
"""Bytes in memory at most: enough that neither side waits for a moment's delay of the other."""

_LOOK = 0.05
"""Seconds between two looks whether a wait should end: less than a cancel may take."""


class BlobStream:
    """A ``Sink`` whose bytes are read elsewhere, once and in order."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pieces: deque[memoryview] = deque()
        self._held = 0
        self._received = 0
        self._again = 0
        self._closed = False
        self._ended = False
        self._failure: RolldeckError | None = None

    def write(self, chunk: memoryview, /) -> None:
        """Hand bytes on, once there is room; raises CancelledError after ``close``."""
        known = min(self._again, len(chunk))
        self._again -= known
        piece = memoryview(bytes(chunk[known:]))
        with self._changed:
            while self._held >= _MOST and not self._closed:
                self._changed.wait(_LOOK)
            if self._closed:
                raise CancelledError("Cancelled.")
            if piece:
                self._pieces.append(piece)
                self._held += len(piece)
                self._received += len(piece)
                self._changed.notify_all()

    def rewind(self, size: int, /) -> None:
        """Take the bytes after the first ``size`` once more: those handed on already are dropped.

        Whether they are the same is told by the digest of what the reader got.
        """
        self._again = self._received - size

    def end(self, failure: RolldeckError | None = None) -> None:
        """Tell that nothing more comes, or why it does not."""
        with self._changed:
            self._ended = True
            self._failure = failure
            self._changed.notify_all()

    def readinto(self, buffer: memoryview, check: Callable[[], None]) -> int:
        """Fill ``buffer`` as far as bytes are there; waits for the first, 0 at the end.

        Calls ``check`` while it waits. Raises what the sender of the bytes met.
        """
        with self._changed:
            while not self._pieces and not self._ended:
                self._changed.wait(_LOOK)
                check()
            count = 0
            while self._pieces and count < len(buffer):
                piece = self._pieces.popleft()
                taken = min(len(piece), len(buffer) - count)
                buffer[count : count + taken] = piece[:taken]
                count += taken
                if taken < len(piece):
                    self._pieces.appendleft(piece[taken:])
            self._held -= count
            self._changed.notify_all()
            if not count and self._failure is not None:
                raise self._failure
            return count

    def close(self) -> None:
        """Want no more; whoever writes is told at its next write."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
