"""Connections that can be interrupted, and that can refuse private addresses.

HTTP itself is the standard library's ``http.client``; urllib3 would add its pool, which is short,
and a sixth to the time that a small command takes (docs/transport.md). What is added here: sockets
are announced to the thread's ``Interrupt``; uploads are sent by ``sending.py``; proxies; and where
strangers are asked, every resolved address is looked at before any is connected to (no request
forgery into the private network, not even after a change of the name's address).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import replace
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from rolldeck.oci.address import Origin, is_public_address
from rolldeck.oci.interrupt import announce
from rolldeck.oci.proxy import Proxy
from rolldeck.oci.sending import send_piece

_SAME_MACHINE = 128 * 1024
"""Bytes that may wait for a server on this machine: of more, what it reads has left the processor's
cache, and a push takes a tenth longer (measured). A server elsewhere needs many under way."""


class UnreachableError(OSError):
    """No connection could be made; the text says why."""


class NoSuchHostError(UnreachableError):
    """A host's name is not known, or where it ``may_pass``: was not told just now."""

    def __init__(self, *, may_pass: bool) -> None:
        super().__init__("host not found")
        self.may_pass = may_pass


class BadHostError(OSError):
    """What cannot be a host's name."""


class PrivateAddressError(OSError):
    """A host that must be public resolves to a private, loopback or link-local address."""


class ProxyLineError(OSError):
    """The proxy could not be reached, or made no connection; ``__cause__`` says why."""


class TunnelRefusedError(OSError):
    """A proxy does not connect to a host; it said ``status`` and ``words``."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status} {words}")
        self.status = status
        self.words = words


def _in_ascii(host: str) -> str:
    """Return a host's name as it is asked for (RFC 5890); raises BadHostError."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadHostError(host) from None


def _resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    try:
        # As bytes a plain name needs no tables of Unicode.
        return list(socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM))
    except socket.gaierror as error:
        raise NoSuchHostError(may_pass=error.errno == socket.EAI_AGAIN) from error
    except UnicodeError:
        raise BadHostError(host) from None


def _open_line(host: str, port: int, patience: float, *, public_only: bool) -> socket.socket:
    """Connect to the first address of a host that answers within ``patience`` seconds."""
    found = _resolve(host, port)
    if public_only and not all(is_public_address(str(entry[4][0])) for entry in found):
        raise PrivateAddressError(host)
    failure = UnreachableError("no address")
    for family, kind, protocol, _, address in found:
        line = socket.socket(family, kind, protocol)
        try:
            line.settimeout(patience)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            announce(line)
            line.connect(address)
            if line.getsockname()[0] == address[0]:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SAME_MACHINE)
            return line
        except TimeoutError:
            failure = UnreachableError("no answer")
        except OSError as error:
            failure = UnreachableError(error.strerror or str(error))
        except BaseException:
            line.close()
            raise
        line.close()
    raise failure


class Connection(HTTPConnection):
    """One connection to a server, made when it is first used; not thread-safe."""

    def __init__(
        self,
        origin: Origin,
        context: ssl.SSLContext | None,
        proxy: Proxy | None,
        *,
        public_only: bool,
    ) -> None:
        """Speak TLS where there is a ``context``; ``public_only`` means no private address.

        Raises BadHostError and HTTPException for what cannot be a host's name.
        """
        origin = replace(origin, host=_in_ascii(origin.host))
        place = origin if proxy is None else Origin.of(proxy.url)
        super().__init__(place.host, place.port)
        self._origin = origin
        self._context = context
        self._proxy = proxy
        self._public_only = public_only
        self.torn = False
        """Whether half a body was sent; the response can still be read, nothing sent any more."""

    def open(self, patience: float) -> None:
        """Connect, TLS included; each step may take ``patience`` seconds.

        Raises OSError; ProxyLineError where it is the proxy's fault.
        """
        try:
            self.sock = _open_line(self.host, self.port, patience, public_only=self._public_only)
            if self._proxy is not None and self._context is not None:
                self._open_tunnel(self._proxy)
        except (OSError, HTTPException) as error:
            if self._proxy is None:
                raise
            raise ProxyLineError from error
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self._origin.host)

    def _open_tunnel(self, proxy: Proxy) -> None:
        # That of http.client cannot name an IPv6 address before Python 3.11.9.
        host = f"[{self._origin.host}]" if ":" in self._origin.host else self._origin.host
        goal = f"{host}:{self._origin.port}"
        headers = {"Host": goal, **proxy.headers}
        lines = [f"CONNECT {goal} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        with HTTPResponse(self.sock, method="CONNECT") as answer:
            answer.begin()
            if answer.status != 200:
                raise TunnelRefusedError(answer.status, answer.reason)

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[memoryview] | None,
        patience: float,
    ) -> HTTPResponse:
        """Send a request on the open connection and return the answer, its body unread.

        Waits ``patience`` seconds for each step. Raises OSError and HTTPException.
        """
        if self._proxy is not None and self._context is None:
            target = self._origin.url + target
            headers = {**headers, **self._proxy.headers}
        self.sock.settimeout(patience)
        try:
            self.request(method, target, body, {"Host": self._origin.authority, **headers})
        except BrokenPipeError:
            # What the server says of it matters more than the rest of the body.
            self.torn = True
        return self.getresponse()

    def send(self, data: Any) -> None:
        """Send headers, a small body, or a piece of a large one."""
        if not isinstance(data, memoryview):
            super().send(data)
            return
        try:
            send_piece(self.sock, data)
        except ConnectionResetError:
            raise BrokenPipeError from None


def check_public(host: str) -> None:
    """Raise PrivateAddressError for a host known here to be private; a proxy may know others."""
    with contextlib.suppress(NoSuchHostError, BadHostError):
        if not all(is_public_address(str(entry[4][0])) for entry in _resolve(_in_ascii(host), 0)):
            raise PrivateAddressError(host)
