"""A proxy in a process of its own that gives each answer later, and counts what was asked.

Bytes are only held back, not parsed: the line is slow, not narrow.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

COUNTS = b"GET /counts "
"""The request that the proxy answers itself: what was asked since the last one, as JSON."""


class _Client(asyncio.Protocol):
    """One connection from a client, with its own one to the registry."""

    def __init__(self, upstream: tuple[str, int], delay: float, counts: Counter[str]) -> None:
        self._upstream = upstream
        self._delay = delay
        self._counts = counts
        self._waiting: list[bytes] = []
        self._to: asyncio.Transport | None = None
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._client = transport

    def data_received(self, data: bytes) -> None:
        if data.startswith(COUNTS):
            body = json.dumps(self._counts).encode()
            self._counts.clear()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            self._client.write(head.encode() + body)
            self._client.close()
            return
        method, _, rest = data.partition(b" ")
        if method in (b"GET", b"HEAD"):
            path = rest.partition(b" ")[0]
            kinds = ("tags/list", "manifests", "blobs")
            kind = next((name for name in kinds if f"/{name}".encode() in path), "other")
            self._counts[f"{method.decode()} {kind}"] += 1
        if self._to is not None:
            self._to.write(data)
            return
        self._waiting.append(data)
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            to, _ = await loop.create_connection(
                lambda: _Registry(self._client, self._delay), *self._upstream
            )
        except OSError:
            self._client.close()
            return
        self._to = to
        for data in self._waiting:
            to.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self._to is not None:
            self._to.close()


class _Registry(asyncio.Protocol):
    """One connection to the registry: what comes goes to the client, a little later."""

    def __init__(self, client: asyncio.Transport, delay: float) -> None:
        self._client = client
        self._delay = delay
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self._loop.call_later(self._delay, self._client.write, data)

    def connection_lost(self, error: Exception | None) -> None:
        self._loop.call_later(self._delay, self._client.close)


async def _serve(upstream: tuple[str, int], delay: float) -> None:
    counts: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Client(upstream, delay, counts), "127.0.0.1", 0, backlog=256
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@dataclass(frozen=True, slots=True)
class SlowLine:
    """A running proxy."""

    host: str

    def counts(self) -> dict[str, int]:
        """Return what was asked since the last call, by method and kind of path."""
        with urlopen(f"http://{self.host}/counts") as reply:
            found: dict[str, int] = json.load(reply)
        return found


@contextmanager
def slow_line(host: str, delay: float) -> Iterator[SlowLine]:
    """Run a proxy to ``host`` that holds back each answer for ``delay`` seconds."""
    command = [sys.executable, "-m", "benchmarks.list.slow_line", host, str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield SlowLine(f"127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.kill()


if __name__ == "__main__":
    address, _, port = sys.argv[1].partition(":")
    asyncio.run(_serve((address, int(port)), float(sys.argv[2])))
