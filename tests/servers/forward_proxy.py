"""An HTTP proxy: CONNECT for https, whole addresses for http; it remembers what it was asked.

Names that are in no DNS lead where ``routes`` says.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Passed:
    """One request to the proxy; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]


class ForwardProxy:
    """Listens on ``host``; with a ``login`` (an Authorization value) it wants that.

    ``refuse`` is a status line to answer everything with.
    """

    def __init__(self) -> None:
        self.asked: list[Passed] = []
        self.routes: dict[str, str] = {}
        self.login: str | None = None
        self.refuse: str | None = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), client.makefile("rb") as stream:
            line = stream.readline().decode().split()
            headers = {}
            while text := stream.readline().decode().strip():
                name, _, value = text.partition(":")
                headers[name.lower()] = value.strip()
            if len(line) != 3:
                return
            self.asked.append(Passed(line[0], line[1], headers))
            if self.refuse or (self.login and headers.get("proxy-authorization") != self.login):
                status = self.refuse or "407 Proxy Authentication Required"
                client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            is_tunnel = line[0] == "CONNECT"
            goal = line[1] if is_tunnel else urlsplit(line[1]).netloc
            with self._connect(goal) as server:
                if is_tunnel:
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                else:
                    parts = urlsplit(line[1])
                    path = parts.path + (f"?{parts.query}" if parts.query else "")
                    kept = {k: v for k, v in headers.items() if not k.startswith("proxy-")}
                    kept["connection"] = "close"
                    head = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
                    server.sendall(f"{line[0]} {path} HTTP/1.1\r\n{head}\r\n".encode())
                    server.sendall(stream.read(int(headers.get("content-length", "0"))))
                    with server.makefile("rb") as reply:
                        client.sendall(reply.readline() + b"Connection: close\r\n")
                        while piece := reply.read1(65536):
                            client.sendall(piece)
                    return
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join(30)

    def _connect(self, goal: str) -> socket.socket:
        host, _, port = self.routes.get(goal, goal).rpartition(":")
        return socket.create_connection((host, int(port)), 10)


def _pump(source: socket.socket, goal: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            goal.sendall(piece)
    with suppress(OSError):
        goal.shutdown(socket.SHUT_WR)


@contextmanager
def forward_proxy() -> Iterator[ForwardProxy]:
    """Run a proxy until the block ends."""
    proxy = ForwardProxy()
    try:
        yield proxy
    finally:
        proxy.close()
