"""Moving bytes from a socket to a file inside the kernel (splice(2)).

Python never sees the bytes, which saves a copy and the lock of the interpreter; only an
unencrypted socket can be spliced.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager

from rolldeck import fsops

_PIPE_SIZE = 1024 * 1024


class Pipe:
    """A pipe of 1 MiB where the system allows, between one socket and one file."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        self.size = 65536
        # Unprivileged users share a limit; the default size is slower, and no error.
        with contextlib.suppress(OSError):
            self.size = fcntl.fcntl(self._in, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)

    def close(self) -> None:
        """Close both ends."""
        os.close(self._out)
        os.close(self._in)

    def take(self, source: int, most: int, patience: float) -> int:
        """Take at most ``most`` bytes from a socket; 0 at its end.

        Raises TimeoutError when nothing comes for ``patience`` seconds.
        """
        while True:
            try:
                return os.splice(source, self._in, min(most, self.size))
            except BlockingIOError:
                _wait(source, patience)

    def give(self, target: int, count: int) -> None:
        """Append ``count`` bytes, all that were taken, to a file; raises StorageError."""
        try:
            fsops.splice(self._out, target, count)
        except OSError as error:
            raise fsops.storage_error(error, fsops.name_of(target)) from error


def receive(source: int, buffer: memoryview, patience: float) -> int:
    """Read from a socket into a buffer; 0 at its end. Raises as ``Pipe.take``."""
    while True:
        try:
            return os.readv(source, [buffer])
        except BlockingIOError:
            _wait(source, patience)


def _wait(source: int, patience: float) -> None:
    poll = select.poll()
    poll.register(source, select.POLLIN)
    if not poll.poll(patience * 1000):
        raise TimeoutError


@contextmanager
def open_pipe() -> Iterator[Pipe]:
    """Have a pipe for the block; raises StorageError where there are no descriptors left."""
    with fsops.storage():
        pipe = Pipe()
    try:
        yield pipe
    finally:
        pipe.close()
