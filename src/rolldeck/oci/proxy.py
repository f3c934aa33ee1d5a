"""Which proxy a request goes through: the settings, else the standard environment variables.

``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY`` in both cases, as Docker and kit honour them;
``.netrc`` is never read. A proxy's own login goes to that proxy alone.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from rolldeck.errors import UsageError
from rolldeck.oci.address import Origin, is_loopback
from rolldeck.oci.secret import Secret
from rolldeck.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Proxy:
    """A proxy: its URL without the login, the login, and where it is configured."""

    url: str
    login: Secret | None
    source: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers that only the proxy gets."""
        if self.login is None:
            return {}
        encoded = base64.b64encode(self.login.reveal().encode()).decode("ascii")
        return {"Proxy-Authorization": f"Basic {encoded}"}


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies for one registry and what it leads to.

    ``by_scheme`` has the proxy of http and https requests. Hosts in ``bypass`` are asked without
    one, and hosts of this machine, too, unless ``loopback``.
    """

    by_scheme: Mapping[str, Proxy] = field(default_factory=dict)
    bypass: tuple[str, ...] = ()
    loopback: bool = False

    def choose(self, origin: Origin) -> Proxy | None:
        """Return the proxy for requests to ``origin``, None for none."""
        proxy = self.by_scheme.get(origin.scheme)
        if proxy is None or (is_loopback(origin.host) and not self.loopback):
            return None
        return None if self._bypassed(origin) else proxy

    def _bypassed(self, origin: Origin) -> bool:
        if not self.bypass:
            return False
        from urllib.request import proxy_bypass

        host = f"{origin.host}:{origin.port}"
        if proxy_bypass(host, {"no": ",".join(self.bypass)}):
            return True
        try:
            address = ipaddress.ip_address(origin.host)
        except ValueError:
            return False
        # The standard library knows names alone; Docker and kit know networks, too.
        return any(address in network for network in map(_network, self.bypass) if network)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip().strip("[]"), strict=False)
    except ValueError:
        return None


def proxies_for(host: str, settings: Settings) -> Proxies:
    """Return the proxies for a registry: its own settings, the general ones, the environment.

    Raises UsageError for what is no address of a proxy, without showing it.
    """
    own = settings.registries.get(host)
    proxy, source = settings.proxy, "proxy in the settings"
    no_proxy, is_own = settings.no_proxy, False
    if own is not None and own.proxy is not None:
        proxy, source, is_own = own.proxy, f"proxy of {host} in the settings", True
    if own is not None and own.no_proxy is not None:
        no_proxy = own.no_proxy
    found, bypass = _environment()
    if proxy is not None:
        one = _parse(proxy, source) if proxy else None
        found = {"http": one, "https": one} if one else {}
    return Proxies(found, bypass if no_proxy is None else tuple(no_proxy), is_own)


def _environment() -> tuple[dict[str, Proxy], tuple[str, ...]]:
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}, ()
    # Imported late: few have a proxy.
    from urllib.request import getproxies_environment

    found = getproxies_environment()
    proxies = {
        scheme: _parse(found[scheme], f"{scheme.upper()}_PROXY")
        for scheme in ("http", "https")
        if found.get(scheme)
    }
    bypass = (part.strip() for part in found.get("no", "").split(","))
    return proxies, tuple(filter(None, bypass))


def _parse(text: str, source: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        origin = Origin.of(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
        if origin.scheme != "http" or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError
    except ValueError:
        raise UsageError(
            f"{source} is not the address of a proxy",
            reference=source,
            hint="Write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT; proxies that are"
            " spoken to by https or SOCKS are not known.",
        ) from None
    login = None
    if parts.username is not None:
        login = Secret(f"{unquote(parts.username)}:{unquote(parts.password or '')}")
    return Proxy(f"{origin.scheme}://{origin.authority}", login, source)
