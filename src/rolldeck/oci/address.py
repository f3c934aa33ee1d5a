"""Where a registry is: scheme, host and port, and what may be spoken over plain HTTP.

An origin is the triple of RFC 6454; credentials and pages never leave it unless ``auth.py`` says
so. Docker Hub's three names are one registry.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from rolldeck.errors import UsageError
from rolldeck.oci.digest import Digest, parse_digest
from rolldeck.oci.reference import is_repository, is_tag
from rolldeck.text import clean_line

_PORTS = {"http": 80, "https": 443}

DOCKER_HUB = "docker.io"
_HUB_API = "registry-1.docker.io"
_HUB_NAMES = frozenset({DOCKER_HUB, "index.docker.io", _HUB_API})


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host (lower case, IPv6 without brackets) and port of a URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of an absolute http or https URL; raises ValueError for any other."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"not an http or https URL: {clean_line(url, 200)}")
        host = parts.hostname.rstrip(".")
        if not host or any(c.isspace() or c in "@\\%" for c in host):
            raise ValueError(f"not a host: {clean_line(host, 200)}")
        return cls(parts.scheme, host, parts.port or _PORTS[parts.scheme])

    @property
    def authority(self) -> str:
        """The host, with its port unless that is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The origin as a URL without a path."""
        return f"{self.scheme}://{self.authority}"


def shown_url(url: str) -> str:
    """Return a URL from outside as it may be shown: without login, query and fragment.

    A query often carries a signature that opens what it names.
    """
    plain = url.partition("?")[0].partition("#")[0]
    scheme, mark, rest = plain.partition("://")
    authority, slash, path = rest.partition("/")
    authority = authority.rpartition("@")[2]
    return clean_line(f"{scheme}{mark}{authority}{slash}{path}" if mark else plain, 200)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by name or number: localhost, 127.0.0.0/8, ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public_address(address: str) -> bool:
    """Whether an IP address is routed on the public internet, also when IPv4 hides in IPv6."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


def canonical_host(host: str) -> str:
    """Return the one name of a registry: lower case, Docker Hub as docker.io."""
    host = host.lower()
    return DOCKER_HUB if host in _HUB_NAMES else host


def registry_origin(host: str, plain_http: bool | None = None) -> Origin:
    """Return the origin of the registry ``host[:port]``; raises UsageError.

    ``plain_http`` is the user's setting; without one only a loopback host is spoken to in plain
    HTTP.
    """
    name = _HUB_API if canonical_host(host) == DOCKER_HUB else host
    try:
        origin = Origin.of(f"https://{name}")
        if any(c in "/?#@\\" or c.isspace() or not c.isprintable() for c in name):
            raise ValueError(name)
    except ValueError:
        raise UsageError(
            f"Not a registry host: {clean_line(host, 200)!r}",
            reference=clean_line(host, 200),
            hint="A registry is named host or host:port.",
        ) from None
    if plain_http is None:
        plain_http = is_loopback(origin.host)
    if not plain_http:
        return origin
    return Origin.of(f"http://{name}")


def repository_path(host: str, repository: str) -> str:
    """Return ``/v2/<repository>`` for a registry's API; raises UsageError for a bad name."""
    if not is_repository(repository):
        raise UsageError(
            f"Not a repository name: {clean_line(repository, 80)!r}",
            reference=f"{host}/{clean_line(repository, 80)}",
            hint="Repository names are lower case letters, digits and . _ - /",
        )
    if canonical_host(host) == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return f"/v2/{quote(repository)}"


def manifest_name(reference: str, name: str) -> tuple[str, Digest | None]:
    """Check the tag or digest ``name`` before it enters a URL.

    Returns it, and again as a digest when it is one. Raises IntegrityError for a malformed digest
    and UsageError for what can be neither.
    """
    if ":" in name:
        digest = parse_digest(name, reference=reference)
        return digest, digest
    if not is_tag(name):
        raise UsageError(
            f"Not a tag: {clean_line(name, 80)!r}",
            reference=reference,
            hint="Tags are at most 128 letters, digits and . _ -",
        )
    return name, None
