"""urllib3 connections that can be interrupted, and that can refuse private addresses.

The only changes to urllib3: sockets are announced to the thread's ``Interrupt``; uploads are sent
by ``sending.py``; and a pool for strangers looks at every resolved address before it connects to
any (no request forgery into the private network, not even after a change of the name's address).
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
from pathlib import Path
from typing import Any

from urllib3 import (
    HTTPConnectionPool,
    HTTPResponse,
    HTTPSConnectionPool,
    PoolManager,
    ProxyManager,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)

from rolldeck.errors import UsageError
from rolldeck.oci.address import is_public_address
from rolldeck.oci.interrupt import announce
from rolldeck.oci.proxy import Proxy
from rolldeck.oci.sending import send_piece

# Its debug log would hold whole addresses, and with them the signatures that open them.
logging.getLogger("urllib3").setLevel(logging.WARNING)


_SAME_MACHINE = 128 * 1024
"""Bytes that may wait for a server on this machine: of more, what it reads has left the processor's
cache, and a push takes a tenth longer (measured). A server elsewhere needs many under way."""


class PrivateAddressError(HTTPError):
    """A host that must be public resolves to a private, loopback or link-local address."""


def _connect(connection: HTTPConnection, *, public_only: bool) -> socket.socket:
    host = connection.host.strip("[]")
    try:
        # As bytes a plain name needs no tables of Unicode.
        name = host.encode("ascii") if host.isascii() else host
        found = socket.getaddrinfo(name, connection.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except UnicodeError:
        raise LocationParseError(host) from None
    if public_only and not all(is_public_address(str(entry[4][0])) for entry in found):
        raise PrivateAddressError(host)
    failure: Exception = NewConnectionError(connection, "no address")
    for family, kind, protocol, _, address in found:
        line = socket.socket(family, kind, protocol)
        try:
            line.settimeout(connection.timeout)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            announce(line)
            line.connect(address)
            if line.getsockname()[0] == address[0]:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SAME_MACHINE)
            return line
        except TimeoutError:
            failure = ConnectTimeoutError(connection, f"no answer in {connection.timeout:g} s")
        except OSError as error:
            failure = NewConnectionError(connection, error.strerror or str(error))
        except BaseException:
            line.close()
            raise
        line.close()
    raise failure


def _end(connection: HTTPConnection) -> None:
    """Let nobody send on a connection after half a body; its response can still be read."""
    if connection.sock is not None:
        connection.sock.close()
        connection.sock = None


class _PlainConnection(HTTPConnection):
    public_only = False
    _torn = False

    def _new_conn(self) -> socket.socket:
        return _connect(self, public_only=self.public_only)

    def request(self, *arguments: Any, **more: Any) -> None:
        if self.sock is not None:
            # A line that was used before; a new one is announced when it connects.
            announce(self.sock)
        super().request(*arguments, **more)

    def send(self, data: Any) -> None:
        if not isinstance(data, memoryview):
            super().send(data)
            return
        try:
            send_piece(self.sock, data)
        except (BrokenPipeError, ConnectionResetError):
            self._torn = True
            raise BrokenPipeError from None

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        announce(self.sock)
        response = super().getresponse()
        if self._torn:
            self._torn = False
            _end(self)
        return response


class _SecureConnection(HTTPSConnection):
    public_only = False
    _torn = False

    def _new_conn(self) -> socket.socket:
        return _connect(self, public_only=self.public_only)

    def request(self, *arguments: Any, **more: Any) -> None:
        if self.sock is not None:
            # A line that was used before; a new one is announced when it connects.
            announce(self.sock)
        super().request(*arguments, **more)

    def send(self, data: Any) -> None:
        if not isinstance(data, memoryview):
            super().send(data)
            return
        try:
            send_piece(self.sock, data)
        except (BrokenPipeError, ConnectionResetError):
            self._torn = True
            raise BrokenPipeError from None

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        announce(self.sock)
        response = super().getresponse()
        if self._torn:
            self._torn = False
            _end(self)
        return response


class _PublicPlainConnection(_PlainConnection):
    public_only = True


class _PublicSecureConnection(_SecureConnection):
    public_only = True


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _PublicPlainPool(HTTPConnectionPool):
    ConnectionCls = _PublicPlainConnection


class _PublicSecurePool(HTTPSConnectionPool):
    ConnectionCls = _PublicSecureConnection


def check_public(host: str) -> None:
    """Raise PrivateAddressError for a host known here to be private; a proxy may know others."""
    with contextlib.suppress(OSError, UnicodeError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        if not all(is_public_address(str(entry[4][0])) for entry in found):
            raise PrivateAddressError(host)


def tls_context(
    ca_file: Path | None, client_cert: Path | None = None, client_key: Path | None = None
) -> ssl.SSLContext:
    """Return a verifying TLS context: the system's authorities, and those in ``ca_file``.

    With ``client_cert`` it proves who asks. Raises UsageError when a file is not what it should be.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file.expanduser())
        except (OSError, RuntimeError):
            raise UsageError(
                f"Not a file of certificates: {ca_file}",
                reference=str(ca_file),
                hint="ca_file is a readable file of PEM certificates.",
            ) from None
    if client_cert is not None:
        try:
            # Without a password of ours OpenSSL would ask for one on the terminal.
            key = client_key.expanduser() if client_key else None
            context.load_cert_chain(client_cert.expanduser(), key, password="")
        except (OSError, RuntimeError):
            raise UsageError(
                f"Not a client certificate with its key: {client_cert}",
                reference=str(client_cert),
                hint="client_cert and client_key are readable PEM files that belong together; the"
                " key is not encrypted.",
            ) from None
    elif client_key is not None:
        raise UsageError(
            f"A client_key without its client_cert: {client_key}",
            reference=str(client_key),
            hint="Name the certificate as client_cert.",
        )
    return context


def open_pool(
    context: ssl.SSLContext | None,
    size: int,
    *,
    public_only: bool = False,
    proxy: Proxy | None = None,
) -> PoolManager:
    """Return a pool that keeps at most ``size`` connections per host; it retries nothing.

    Without a ``context`` it is for plain HTTP only. ``public_only`` is for direct connections.
    """
    options: dict[str, Any] = {"ssl_context": context, "maxsize": size, "block": False}
    if proxy is None:
        pool = PoolManager(num_pools=16, **options)
    else:
        pool = ProxyManager(proxy.url, num_pools=16, proxy_headers=proxy.headers, **options)
    pool.pool_classes_by_scheme = (
        {"http": _PublicPlainPool, "https": _PublicSecurePool}
        if public_only
        else {"http": _PlainPool, "https": _SecurePool}
    )
    return pool


def close_pool(pool: PoolManager) -> None:
    """Close the idle connections of a pool.

    Each host's by itself: urllib3 leaves that to the garbage collector, and an error that is still
    told of keeps them open until then.
    """
    with contextlib.suppress(HTTPError):
        for key in pool.pools.keys():  # noqa: SIM118 - urllib3's container cannot be iterated
            found = pool.pools.get(key)
            if found is not None:
                found.close()
        pool.clear()
