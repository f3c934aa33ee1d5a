"""A narrow line to a registry: both directions together carry so many bytes per second.

Bytes are only held back; requests are counted by their first line.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 4096
_REQUEST = re.compile(rb"^(GET|HEAD|PUT|POST|PATCH|DELETE) (\S+) HTTP/1\.1\r\n", re.MULTILINE)


class SlowProxy:
    """Listens on ``host`` until it is closed; then connections are refused."""

    def __init__(self, upstream: str, bytes_per_second: int) -> None:
        name, _, port = upstream.partition(":")
        self._upstream = (name, int(port))
        self._rate = bytes_per_second
        self._free = 0.0
        self._lock = threading.Lock()
        self.requests: list[str] = []
        """Method and path of every request, in order."""
        self.bytes = 0
        """Bytes that went through, both ways."""
        self._open: list[socket.socket] = []
        self._stalled = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Refuse connections from now on, and end those that are open."""
        # Shut down first: an accept that waits would keep the port open.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def stall(self) -> None:
        """Carry nothing from now on; connections are taken and stay silent."""
        self._stalled = True

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._upstream)
            self._open += [client, server]
            for source, goal in ((client, server), (server, client)):
                counts = source is client
                threading.Thread(
                    target=self._carry, args=(source, goal, counts), daemon=True
                ).start()

    def _carry(self, source: socket.socket, goal: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_PIECE):
                if counts:
                    self.requests += [
                        f"{found[1].decode()} {found[2].decode()}"
                        for found in _REQUEST.finditer(data)
                    ]
                self._wait(len(data))
                if not self._stalled:
                    goal.sendall(data)
        for end in (source, goal):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _wait(self, size: int) -> None:
        """Hold some bytes back for as long as the line is busy with them."""
        with self._lock:
            self.bytes += size
            self._free = max(self._free, time.monotonic()) + size / self._rate
            end = self._free
        time.sleep(max(end - time.monotonic(), 0))


@contextmanager
def slow_proxy(upstream: str, bytes_per_second: int = 64_000) -> Iterator[SlowProxy]:
    """Run a narrow line to ``host:port`` until the block ends."""
    proxy = SlowProxy(upstream, bytes_per_second)
    try:
        yield proxy
    finally:
        proxy.close()
