"""What went wrong at a proxy, told as one of the user's errors."""

from __future__ import annotations

from http.client import HTTPException

from rolldeck.errors import RolldeckError, UnavailableError
from rolldeck.oci.connections import ProxyLineError, TunnelRefusedError, UnreachableError
from rolldeck.oci.proxy import Proxy
from rolldeck.oci.retry import TransientFailure
from rolldeck.text import clean_line

_LOGIN_WANTED = 407


def proxy_failure(
    error: HTTPException | OSError, host: str, proxy: Proxy, reference: str
) -> TransientFailure | RolldeckError | None:
    """Return what to raise where a proxy failed on the way to ``host``; None where it did not."""
    if not isinstance(error, ProxyLineError):
        return None
    cause = error.__cause__
    name = proxy.url.partition("://")[2]
    if isinstance(cause, TunnelRefusedError):
        status, words = cause.status, clean_line(cause.words, 100)
        if status == _LOGIN_WANTED:
            return proxy_login_wanted(host, proxy, reference)
        failure = UnavailableError(
            f"{reference}: the proxy {name} does not connect to {host}: {status} {words}".rstrip(),
            reference=reference,
            hint=f"Ask who runs the proxy ({proxy.source}), or name {host} in no_proxy.",
        )
        return TransientFailure(failure) if status >= 500 else failure
    reason = "no answer"
    if isinstance(cause, UnreachableError):
        reason = clean_line(str(cause), 200)
    return TransientFailure(
        UnavailableError(
            f"{reference}: the proxy {name} cannot be reached: {reason}",
            reference=reference,
            hint=f"Check {proxy.source} and the network, then run the same command again.",
        )
    )


def proxy_login_wanted(host: str, proxy: Proxy, reference: str) -> UnavailableError:
    """Return the error for a proxy that asks for a login (407), or does not take the one it got."""
    name = proxy.url.partition("://")[2]
    what = "does not take the login it was given" if proxy.login else "asks for a login"
    return UnavailableError(
        f"{reference}: the proxy {name} on the way to {host} {what} (407)",
        reference=reference,
        hint=f"Write it into the proxy's address ({proxy.source}): http://USER:PASSWORD@{name}",
    )
