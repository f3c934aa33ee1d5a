"""A proxy in front of a registry that cuts, stalls and falsifies answers as it is told.

It understands just enough HTTP for GET and HEAD. Every body byte that leaves it is counted, by the
kind of path, so that tests can say how often a byte was fetched.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_PIECE = 32 * 1024
_SEND_BUFFER = 32 * 1024
"""Small, so that what was sent is what arrived."""


@dataclass
class Fault:
    """What is done to one answer.

    ``cut`` ends the connection after that many body bytes, with a reset where ``reset``; ``stall``
    stops there until the proxy ends or ``release`` is set; ``ignore_range`` asks for the whole
    blob; ``headers`` replaces headers of the answer, None removes one; ``change`` makes other
    bytes of a body's piece, given its offset in the body; ``raw`` is sent instead of any answer;
    ``drip`` sends the body, or ``raw``, a byte at a time with that many seconds between.
    """

    cut: int | None = None
    reset: bool = False
    stall: int | None = None
    ignore_range: bool = False
    headers: dict[str, str | None] = field(default_factory=dict)
    change: Callable[[int, bytes], bytes] | None = None
    raw: bytes | None = None
    drip: float = 0

    @classmethod
    def status(cls, line: str, headers: str = "", body: bytes = b"") -> Fault:
        """The proxy answers by itself: ``line`` is status and reason, ``headers`` lines."""
        length = f"Content-Length: {len(body)}\r\n"
        lines = "".join(f"{header}\r\n" for header in headers.splitlines())
        return cls(raw=f"HTTP/1.1 {line}\r\n{length}{lines}\r\n".encode() + body)


class FaultProxy:
    """Listens on ``host``; the n-th GET of a blob meets the n-th of ``faults``, the rest none.

    With ``for_ever`` the last of ``faults`` meets all the rest.
    """

    def __init__(self, upstream: str) -> None:
        host, _, port = upstream.partition(":")
        self._upstream = (host, int(port))
        self.only = "/blobs/"
        """Faults meet paths that contain this."""
        self.methods = ("GET",)
        """Faults meet requests of these methods."""
        self.faults: list[Fault] = []
        self.for_ever = False
        self.requests: list[tuple[str, str | None]] = []
        """(path, Range) of every request that faults may meet."""
        self.sent: Counter[str] = Counter()
        """Body bytes by path."""
        self.release = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def blob_bytes(self) -> int:
        """Body bytes of blobs that were sent."""
        return sum(count for path, count in self.sent.items() if "/blobs/" in path)

    def close(self) -> None:
        self._ended.set()
        self.release.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, suppress(OSError), client.makefile("rb") as requests:
            while not self._ended.is_set():
                head = _read_head(requests)
                if not head or not self._answer(client, head):
                    return

    def _answer(self, client: socket.socket, head: list[bytes]) -> bool:
        """Answer one request; False when the connection is over."""
        method, path, _ = head[0].decode().split(" ", 2)
        fault = Fault()
        if method in self.methods and self.only in path:
            found = [line for line in head if line.lower().startswith(b"range:")]
            with self._lock:
                number = len(self.requests)
                self.requests.append(
                    (path, found[0].split(b":", 1)[1].strip().decode() if found else None)
                )
            if number < len(self.faults):
                fault = self.faults[number]
            elif self.for_ever and self.faults:
                fault = self.faults[-1]
        if fault.raw is not None:
            self._send(client, fault.raw, fault.drip)
            return b"Connection: close" not in fault.raw.partition(b"\r\n\r\n")[0]
        dropped = {b"connection", b"range"} if fault.ignore_range else {b"connection"}
        kept = [line for line in head if line.split(b":")[0].lower() not in dropped]
        with socket.create_connection(self._upstream) as server:
            server.sendall(b"\r\n".join([*kept, b"Connection: close", b"", b""]))
            with server.makefile("rb") as reply:
                answer = _with_headers(_read_head(reply), {"Connection": None, **fault.headers})
                client.sendall(b"\r\n".join([*answer, b"", b""]))
                if method == "HEAD":
                    return True
                return self._relay(client, reply, path, fault)

    def _send(self, client: socket.socket, data: bytes, drip: float) -> None:
        if not drip:
            client.sendall(data)
            return
        for number in range(len(data)):
            if self._ended.wait(drip):
                return
            client.sendall(data[number : number + 1])

    def _relay(self, client: socket.socket, reply: object, path: str, fault: Fault) -> bool:
        done = 0
        limits = [limit for limit in (fault.cut, fault.stall) if limit is not None]
        end = min(limits, default=None)
        while end is None or done < end:
            most = _PIECE if end is None else min(_PIECE, end - done)
            piece = reply.read(most)  # type: ignore[attr-defined]
            if not piece:
                return True
            # Counted before: who has the last byte may look at once.
            with self._lock:
                self.sent[path] += len(piece)
            self._send(client, fault.change(done, piece) if fault.change else piece, fault.drip)
            done += len(piece)
        if fault.stall is not None:
            self.release.wait(60)
        if fault.reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


def _read_head(stream: object) -> list[bytes]:
    lines = []
    while line := stream.readline().rstrip(b"\r\n"):  # type: ignore[attr-defined]
        lines.append(line)
    return lines


def _with_headers(head: list[bytes], changes: dict[str, str | None]) -> list[bytes]:
    names = {name.lower().encode() for name in changes}
    kept = [line for line in head if line.split(b":")[0].lower() not in names]
    status = changes.get("status")
    if status is not None:
        kept[0] = re.sub(rb" \d+ .*", b" " + status.encode(), kept[0])
    new = (f"{k}: {v}".encode() for k, v in changes.items() if v is not None and k != "status")
    return [*kept, *new]


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """Run a proxy in front of ``host:port`` until the block ends."""
    proxy = FaultProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
