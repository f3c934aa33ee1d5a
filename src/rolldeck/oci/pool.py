"""Connections kept open between requests: those of one route, as ``routes.py`` calls it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable, Mapping
from http.client import HTTPResponse
from urllib.parse import quote, urlsplit

from rolldeck.oci.address import Origin
from rolldeck.oci.call import Timeouts
from rolldeck.oci.connections import Connection
from rolldeck.oci.interrupt import announce
from rolldeck.oci.proxy import Proxy
from rolldeck.oci.sending import is_readable

_MOST_SERVERS = 16
"""Servers whose connections are kept: a registry may redirect every blob to another one."""

_AS_THEY_ARE = "!#$%&'()*+,/:;=?@[]~"
"""Characters of an address that are sent as they are (RFC 3986), besides letters and digits."""


class Response:
    """An answer whose headers have come, and the connection that its body comes on; close it."""

    def __init__(self, raw: HTTPResponse, connection: Connection, pool: Pool, origin: Origin):
        self.raw = raw
        self._connection: Connection | None = connection
        self._pool = pool
        self._origin = origin

    @property
    def line(self) -> object:
        """The socket spoken on; None where the server ends the connection, and once closed."""
        return self._connection.sock if self._connection is not None else None

    def close(self) -> None:
        """Give the connection back where the body was read, else close it; once."""
        raw, connection = self.raw, self._connection
        self._connection = None
        if connection is None:
            return
        is_read = raw.isclosed() or (raw.length == 0 and not raw.chunked)
        raw.close()
        if is_read and not raw.will_close and not connection.torn:
            self._pool.keep(self._origin, connection)
        else:
            connection.close()


class Pool:
    """The connections of one route; thread-safe."""

    def __init__(
        self,
        context: ssl.SSLContext | None,
        size: int,
        *,
        public_only: bool = False,
        proxy: Proxy | None = None,
    ) -> None:
        """Keep at most ``size`` idle connections per server.

        Without a ``context`` it is for plain HTTP only. ``public_only`` is for direct connections.
        """
        self._context = context
        self._size = size
        self._public_only = public_only
        self._proxy = proxy
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[Connection]] = {}

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[memoryview] | None,
        timeouts: Timeouts,
    ) -> Response:
        """Send a request once and return the answer to it.

        Raises OSError (see ``connections.py``) and HTTPException.
        """
        origin = Origin.of(url)
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._take(origin)
        try:
            if connection.sock is None:
                connection.open(timeouts.connect)
            else:
                announce(connection.sock)
            raw = connection.ask(
                method, quote(target, safe=_AS_THEY_ARE), headers, body, timeouts.read
            )
        except BaseException:
            connection.close()
            raise
        return Response(raw, connection, self, origin)

    def _take(self, origin: Origin) -> Connection:
        """Take the connection that was used last, unless its server closed it; or a new one."""
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                connection = idle.pop() if idle else None
            if connection is None:
                return Connection(origin, self._context, self._proxy, public_only=self._public_only)
            if not is_readable(connection.sock):
                return connection
            connection.close()

    def keep(self, origin: Origin, connection: Connection) -> None:
        """Take a connection back that can be used again."""
        superfluous = []
        with self._lock:
            # The servers that were asked last come last.
            idle = self._idle.pop(origin, [])
            self._idle[origin] = idle
            if len(idle) < self._size:
                idle.append(connection)
            else:
                superfluous.append(connection)
            if len(self._idle) > _MOST_SERVERS:
                superfluous += self._idle.pop(next(iter(self._idle)))
        for one in superfluous:
            one.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle = [one for kept in self._idle.values() for one in kept]
            self._idle.clear()
        for one in idle:
            one.close()
