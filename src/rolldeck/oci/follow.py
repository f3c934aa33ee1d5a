"""Hashing what a sink holds while another thread still appends to it.

Receiving and hashing overlap, so a verified transfer takes as long as the slower of the two. The
digest of the first n bytes costs nothing on the way: a copy of the running hash. Such prefixes are
kept every 64 MiB; when the transfer goes on in a later process, they say up to where what it left
is undamaged.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rolldeck.errors import IntegrityError
from rolldeck.fsops import storage
from rolldeck.oci.model import Descriptor
from rolldeck.oci.registry import StreamSink

PREFIX_STEP = 64 * 1024 * 1024
"""Bytes between two known prefixes: the most that a resumed transfer fetches twice."""

_CHUNK = 1024 * 1024
"""Bytes to wait for before going on."""

_MOST = 4 * 1024 * 1024
"""Bytes hashed at once where so many wait; more would delay a cancel."""

_LONGEST_LAG = 64 * 1024 * 1024
"""Bytes that receiving may be ahead of hashing: what is hashed should still be in memory."""

_BREATH = 8 * 1024 * 1024
"""Bytes to hash before receiving goes on; more would delay a cancel."""


_WRITE_BACK = 16 * 1024 * 1024
"""Bytes after which the disk is told to begin, while the next ones still arrive."""


class DamagedPartError(Exception):
    """What the sink holds is not what was once received; up to ``good`` bytes it is."""

    def __init__(self, good: int) -> None:
        super().__init__(f"damaged after {good} bytes")
        self.good = good


class Follower:
    """Hashes the first bytes of one sink as they arrive, each once."""

    def __init__(self, blob: Descriptor, sink: StreamSink) -> None:
        """The sink's prefixes are compared with what is read, and new ones are kept there."""
        self._blob = blob
        self._sink = sink
        self._changed = threading.Condition()
        self._stopped = False
        self._awaited = blob.size
        self._failure: Exception | None = None
        self._prefixes: dict[int, str] = {}
        self.restart(0)
        self._prefixes.update(sink.prefixes)

    def restart(self, available: int) -> None:
        """Begin with the first byte again, of ``available`` bytes that are there."""
        self._hash = hashlib.new(self._blob.digest.partition(":")[0])
        self._good = (0, self._hash.copy())
        self._position = 0
        self._given_to_disk = 0
        self._available = available
        if not available:
            self._prefixes.clear()

    def rewind(self) -> None:
        """Go on from the last good prefix, after DamagedPartError; the sink ends there now."""
        self._position, self._hash = self._good[0], self._good[1].copy()
        self._given_to_disk = min(self._given_to_disk, self._position)
        self._available = self._position
        self._prefixes = {
            size: digest for size, digest in self._prefixes.items() if size <= self._position
        }
        self._failure = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hash in a thread of its own during the block; keep the digest of what was reached."""
        self._stopped = False
        self._failure = None
        thread = threading.Thread(target=self._run, name="rolldeck hash")
        thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._stopped = True
                self._changed.notify_all()
            thread.join()
            if self._good[0] < self._position < self._blob.size and self._failure is None:
                self._sink.keep_prefix(self._position, self._hash.hexdigest())

    def grow(self, count: int) -> None:
        """Tell that ``count`` more bytes are in the sink; waits while the hash is far behind.

        Raises DamagedPartError where what lay in the sink before is not what it was.
        """
        with self._changed:
            self._available += count
            ready = self._available - self._position
            if ready >= _CHUNK:
                self._changed.notify_all()
            if ready > _LONGEST_LAG:
                self._awaited = self._available - _LONGEST_LAG + _BREATH
                while self._position < self._awaited and self._failure is None:
                    self._changed.wait(1)
                self._awaited = self._blob.size
        self._raise_failure()

    def finish(self, check: Callable[[], None]) -> None:
        """Wait until the whole blob is hashed; calls ``check`` meanwhile, which may raise.

        Raises IntegrityError where the bytes are not the blob, DamagedPartError as ``grow``.
        """
        with self._changed:
            self._changed.notify_all()
            while self._position < self._blob.size and self._failure is None:
                self._changed.wait(0.05)
                check()
        self._raise_failure()
        actual = f"{self._blob.digest.partition(':')[0]}:{self._hash.hexdigest()}"
        if actual != self._blob.digest:
            raise IntegrityError(
                f"Digest mismatch: asked for {self._blob.digest}, got {actual}",
                reference=self._blob.digest,
            )

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            with storage():
                while count := self._await_bytes():
                    with self._sink.view(self._position, count) as found:
                        if not found:
                            raise DamagedPartError(self._good[0])
                        self._hash.update(found)
                        self._position += len(found)
                    if self._position >= self._awaited:
                        with self._changed:
                            self._changed.notify_all()
                    ready = self._position - self._given_to_disk
                    if ready >= _WRITE_BACK:
                        self._sink.write_back(self._given_to_disk, ready)
                        self._given_to_disk = self._position
                    self._look_at_prefix()
        except Exception as failure:
            self._failure = failure
        finally:
            self._sink.close_view()
            with self._changed:
                self._changed.notify_all()

    def _await_bytes(self) -> int:
        """Wait for a whole chunk, the next prefix or the end; 0 when nothing is left to do."""
        with self._changed:
            while not self._stopped and self._position < self._blob.size:
                ready = self._available - self._position
                if ready >= _CHUNK or (ready and self._available >= self._blob.size):
                    prefixes = [size for size in self._prefixes if size > self._position]
                    stop = min([*prefixes, (self._position // PREFIX_STEP + 1) * PREFIX_STEP])
                    return min(ready, _MOST, stop - self._position)
                self._changed.notify_all()
                self._changed.wait(1)
        return 0

    def _look_at_prefix(self) -> None:
        known = self._prefixes.get(self._position)
        if known is None and self._position % PREFIX_STEP:
            return
        digest = self._hash.hexdigest()
        if known is not None and known != digest:
            raise DamagedPartError(self._good[0])
        self._good = (self._position, self._hash.copy())
        if known is None:
            self._prefixes[self._position] = digest
            self._sink.keep_prefix(self._position, digest)
