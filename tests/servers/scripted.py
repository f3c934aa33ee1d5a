"""An HTTP server that answers as a test tells it, and remembers what it was asked.

Answers are listed per method and path; the n-th hit gets the n-th answer and the last answer
repeats. What matches nothing gets 404.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """One request that arrived; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Scripted:
    """One answer.

    ``length`` overrides Content-Length (-1 sends none and closes); ``cut`` sends only that many
    bytes of the body and then resets the connection; ``stall`` stops sending after that many
    bytes, until the server ends; ``drip`` sends one byte at a time with that many seconds between.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    cut: int | None = None
    stall: int | None = None
    drip: float | None = None


Answer = Scripted | Callable[[Asked], Scripted]


class ScriptedServer:
    """Runs on a free loopback port; ``asked`` grows with every request.

    ``connections`` counts what was accepted, ``sent`` body bytes.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.scheme = "https" if context else "http"
        self.asked: list[Asked] = []
        self.released = threading.Event()
        self.sent = 0
        self.connections = 0
        self._lock = threading.Lock()
        self._rules: list[tuple[str, re.Pattern[str], list[Answer], list[int]]] = []
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Answer ``method`` on paths (with query) that match the whole regex ``path``."""
        self._rules.append((method, re.compile(path), list(answers), [0]))

    def paths(self, method: str | None = None) -> list[str]:
        """The paths asked for so far, in order."""
        with self._lock:
            return [one.path for one in self.asked if method in (None, one.method)]

    def answer(self, asked: Asked) -> Scripted:
        with self._lock:
            self.asked.append(asked)
            for method, path, answers, hits in self._rules:
                if method == asked.method and path.fullmatch(asked.path):
                    chosen = answers[min(hits[0], len(answers) - 1)]
                    hits[0] += 1
                    break
            else:
                return Scripted(404, b'{"errors": [{"code": "UNKNOWN"}]}')
        return chosen if isinstance(chosen, Scripted) else chosen(asked)

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], owner: ScriptedServer
    ) -> None:
        self.owner = owner
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.owner.connections += 1

    def _serve(self) -> None:
        owner = self.server.owner
        size = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, self.rfile.read(size))
        scripted = owner.answer(asked)
        body = scripted.body
        self.send_response_only(scripted.status)
        if "Date" not in scripted.headers:
            self.send_header("Date", self.date_time_string())
        for name, value in scripted.headers.items():
            self.send_header(name, value)
        if scripted.length is None:
            self.send_header("Content-Length", str(len(body)))
        elif scripted.length >= 0:
            self.send_header("Content-Length", str(scripted.length))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        end = min(x for x in (len(body), scripted.cut, scripted.stall) if x is not None)
        for start in range(0, end, 1) if scripted.drip else ():
            if owner.released.wait(scripted.drip):
                return
            self.connection.sendall(body[start : start + 1])
        for start in range(0, end, 65536) if not scripted.drip else ():
            piece = body[start : min(end, start + 65536)]
            self.connection.sendall(piece)
            owner.sent += len(piece)
        self.wfile.flush()
        if scripted.stall is not None:
            owner.released.wait(60)
            self.close_connection = True
        elif scripted.cut is not None:
            self.close_connection = True
            if scripted.length != -1:
                reset = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def scripted_server(context: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Run a scripted server, with TLS where a context is given, until the block ends."""
    server = ScriptedServer(context)
    try:
        yield server
    finally:
        server.close()
