"""A blob on its way from the event loop's side to a thread that reads it like a file."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from types import TracebackType

from rolldeck.errors import CancelledError
from rolldeck.oci import Descriptor, Registry
from rolldeck.progress import Progress

_ROOM = 4 * 1024 * 1024
"""Bytes that may wait to be read; whoever writes more waits too."""


class _NobodyReads(Exception):
    """Ends a transfer whose reader has enough."""


class BlobPipe:
    """Streams a blob out of a registry; read in one thread, written (as a ``Sink``) in another.

    Where a transfer begins again, what was given already is left out; whether the second try
    brought the same bytes shows in the digest of the whole.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._taken = 0
        self._position = 0
        self._ended = False
        self._closed = False
        self._failure: BaseException | None = None
        self._transfer: Future[None] | None = None

    def start(
        self,
        loop: asyncio.AbstractEventLoop,
        registry: Registry,
        repository: str,
        blob: Descriptor,
    ) -> None:
        """Begin the transfer on the loop; called from the thread that reads."""
        fetching = registry.fetch_blob(repository, blob, self, Progress())
        self._transfer = asyncio.run_coroutine_threadsafe(fetching, loop)
        self._transfer.add_done_callback(self._end)

    def _end(self, transfer: Future[None]) -> None:
        with self._changed:
            self._ended = True
            if transfer.cancelled():
                self._failure = CancelledError("Cancelled.")
            else:
                self._failure = transfer.exception()
            self._changed.notify_all()

    # Written by the transfer.

    def write(self, chunk: memoryview, /) -> None:
        """Take the next bytes; waits while enough lie here."""
        with self._changed:
            fresh = bytes(chunk[max(self._taken - self._position, 0) :])
            self._position += len(chunk)
            if fresh:
                self._pieces.append(fresh)
                self._taken += len(fresh)
                self._waiting += len(fresh)
                self._changed.notify_all()
            while self._waiting > _ROOM and not self._closed:
                self._changed.wait()
            if self._closed:
                raise _NobodyReads

    def rewind(self, size: int, /) -> None:
        """Expect the bytes behind the first ``size`` again."""
        with self._changed:
            self._position = size

    # Read like a file.

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end; raises what the transfer raised."""
        with self._progress.on_cancel(self._wake), self._changed:
            while not self._pieces and not self._ended:
                self._progress.check()
                self._changed.wait()
            self._progress.check()
            if not self._pieces:
                if self._failure is not None:
                    raise self._failure
                return b""
            piece = self._pieces.popleft()
            if len(piece) > size:
                self._pieces.appendleft(piece[size:])
                piece = piece[:size]
            self._waiting -= len(piece)
            self._changed.notify_all()
            return piece

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End the transfer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._transfer is not None:
            self._transfer.cancel()

    def __enter__(self) -> BlobPipe:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
