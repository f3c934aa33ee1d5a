"""The ways to the servers that one registry leads to: directly or by proxy, known or unknown."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

from rolldeck.oci.address import Origin
from rolldeck.oci.connections import check_public
from rolldeck.oci.pool import Pool
from rolldeck.oci.proxy import Proxies, Proxy
from rolldeck.oci.tls import tls_context


class _Route(NamedTuple):
    """What connections have in common: ``identified`` ones show the client certificate."""

    scheme: str
    public_only: bool
    identified: bool
    proxy: Proxy | None


class Routes:
    """Pools of connections, each opened when it is first needed; thread-safe."""

    def __init__(
        self,
        ca_file: Path | None,
        client_cert: Path | None,
        client_key: Path | None,
        proxies: Proxies,
        size: int,
    ) -> None:
        """Keep at most ``size`` connections per host and way."""
        self._ca_file = ca_file
        self._client = (client_cert, client_key)
        self._proxies = proxies
        self._size = size
        self._lock = threading.Lock()
        self._pools: dict[_Route, Pool] = {}

    def proxy(self, origin: Origin) -> Proxy | None:
        """Return the proxy on the way to ``origin``, None for none."""
        return self._proxies.choose(origin)

    def pool(self, origin: Origin, *, identified: bool, public_only: bool) -> Pool:
        """Return the connections to ``origin``.

        With the client certificate where ``identified``. Raises UsageError for a bad certificate
        file, PrivateAddressError where ``public_only`` and known to be private.
        """
        proxy = self.proxy(origin)
        if public_only and proxy is not None:
            check_public(origin.host)
        route = _Route(origin.scheme, public_only and proxy is None, identified, proxy)
        with self._lock:
            if route not in self._pools:
                self._pools[route] = self._open(route)
            return self._pools[route]

    def _open(self, route: _Route) -> Pool:
        context = None
        if route.scheme == "https":
            client = self._client if route.identified else ()
            context = tls_context(self._ca_file, *client)
        return Pool(context, self._size, public_only=route.public_only, proxy=route.proxy)

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()
