"""One request to a registry, the answer to it, and where a redirect may lead it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urljoin

from rolldeck.errors import UnavailableError
from rolldeck.oci.address import Origin, shown_url
from rolldeck.oci.sending import Body


class Timeouts(NamedTuple):
    """Seconds to wait for a connection (TLS included) and for the next bytes; no total.

    A body slower than 16 KiB/s over ``stall`` seconds counts as stalled.
    """

    connect: float = 15.0
    read: float = 30.0
    stall: float = 60.0


class Answer(NamedTuple):
    """A response read whole; ``length`` is its Content-Length in bytes, where it has one."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    media_type: str
    length: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the registry.

    ``path`` starts with ``/``; ``reference`` is what messages name; ``scope`` is the token scope;
    ``allow`` lists statuses other than 2xx that are answers and no errors. ``url`` is set where the
    registry named a whole address for what follows; another host gets no login. ``patience`` is
    how many seconds the answer may take, where that is not the usual time.
    """

    method: str
    path: str
    reference: str
    scope: str
    headers: Mapping[str, str]
    allow: Collection[int] = ()
    body: bytes | Body | None = None
    url: str | None = None
    patience: float | None = None


def redirect_target(url: str, origin: Origin, location: str, reference: str) -> str:
    """Return where ``location``, answered by ``url``, leads; raises UnavailableError.

    Never from an encrypted address to one that is not, nor to another scheme.
    """
    target = urljoin(url, location)
    try:
        goal = Origin.of(target)
        downgrade = origin.scheme == "https" and goal.scheme == "http"
        reason = "to an unencrypted address" if downgrade else ""
    except ValueError:
        reason = "to what is no web address"
    if reason:
        raise UnavailableError(
            f"{reference}: {origin.authority} redirects {reason}: {shown_url(target)}",
            reference=reference,
            hint="Such a redirect is never followed; tell who runs the registry.",
        )
    return target
