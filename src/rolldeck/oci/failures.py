"""What went wrong on the wire, told as one of the user's errors.

The only place where exceptions of http.client and of sockets, and status codes, become rolldeck's
errors; it also says which of them may pass by themselves.
"""

from __future__ import annotations

import json
import ssl
from http.client import HTTPException

from rolldeck.errors import (
    DeniedError,
    NotFoundError,
    RolldeckError,
    UnavailableError,
    UntrustedRealmError,
)
from rolldeck.oci.address import Origin
from rolldeck.oci.connections import (
    BadHostError,
    NoSuchHostError,
    PrivateAddressError,
    UnreachableError,
)
from rolldeck.oci.proxy import Proxy
from rolldeck.oci.retry import TransientFailure
from rolldeck.secret import redact
from rolldeck.text import clean_line

ERROR_BODY_LIMIT = 64 * 1024
"""Most bytes read of an error's body."""

_SHOWN = 300
"""Most characters shown of an error's body."""

_CHECK_NETWORK = "Check the network and the address, then run the same command again."


def connection_failure(
    error: HTTPException | OSError, origin: Origin, reference: str, proxy: Proxy | None = None
) -> TransientFailure | RolldeckError:
    """Return what to raise for an error below HTTP while talking to ``origin``, maybe by proxy."""
    host = origin.authority
    if proxy is not None:
        # Imported late: few have a proxy.
        from rolldeck.oci.proxy_failures import proxy_failure

        if failure := proxy_failure(error, host, proxy, reference):
            return failure
    if isinstance(error, PrivateAddressError):
        return UntrustedRealmError(
            f"{reference}: the token server {host} is in a private network",
            registry=reference,
            token_host=host,
            hint=_trust_hint(reference, host),
        )
    if isinstance(error, ssl.SSLError):
        return _tls_failure(error, host, reference)
    if isinstance(error, NoSuchHostError):
        gone = UnavailableError(
            f"{reference}: host not found: {origin.host}",
            reference=reference,
            hint="Check the spelling of the host, and the network.",
        )
        return TransientFailure(gone) if error.may_pass else gone
    if isinstance(error, BadHostError):
        return UnavailableError(
            f"{reference}: not an address: {clean_line(host, 200)}",
            reference=reference,
            hint="Check the spelling of the host.",
        )
    if isinstance(error, TimeoutError):
        reason = "stopped answering"
    elif isinstance(error, UnreachableError):
        reason = f"cannot be reached: {clean_line(str(error), _SHOWN)}"
    else:
        reason = "broke the connection"
    return TransientFailure(
        UnavailableError(
            f"{host} {reason}" if reference == host else f"{reference}: {host} {reason}",
            reference=reference,
            hint=_CHECK_NETWORK,
        )
    )


def _tls_failure(
    cause: ssl.SSLError, host: str, reference: str
) -> TransientFailure | RolldeckError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return UnavailableError(
            f"{reference}: the certificate of {host} is not valid:"
            f" {clean_line(cause.verify_message, _SHOWN)}",
            reference=reference,
            hint="If the registry has its own authority, name its certificate as ca_file in the"
            " settings; check this machine's clock.",
        )
    reason = clean_line(cause.reason or str(cause), _SHOWN)
    failure = UnavailableError(
        f"{reference}: no encrypted connection to {host}: {reason}",
        reference=reference,
        hint="If the registry speaks plain HTTP, use --plain-http or set plain_http for it; if it"
        " wants a client certificate, name client_cert and client_key in the settings.",
    )
    broken = isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return TransientFailure(failure) if broken else failure


def not_a_registry(host: str, reference: str) -> UnavailableError:
    """Return the error for a web page where a registry's answer should be."""
    return UnavailableError(
        f"{reference}: {host} answered with a web page: not a registry",
        reference=reference,
        hint="Check the host; a proxy or a network's login page may stand in between.",
    )


def error_codes(body: bytes) -> set[str]:
    """Return the codes in the body of an error (distribution-spec "Error Codes")."""
    try:
        return {str(item.get("code")) for item in json.loads(body)["errors"]}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return set()


def error_detail(body: bytes) -> str:
    """Return the registry's own words (distribution-spec "Error Codes") as one clean line."""
    try:
        first = json.loads(body)["errors"][0]
        parts = [str(first[key]) for key in ("code", "message") if first.get(key)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        text = body.decode("utf-8", errors="replace").strip()
        parts = [] if text.startswith("<") else [text]
    # Before it is cut: a part of a secret is not recognized.
    return clean_line(redact(": ".join(part for part in parts if part)), _SHOWN)


def status_failure(
    status: int, body: bytes, host: str, reference: str, retry_after: float | None
) -> TransientFailure | RolldeckError:
    """Return what to raise for a status that the caller did not expect, other than 401."""
    detail = error_detail(body)
    told = f" ({detail})" if detail else ""
    if status == 403:
        return denied(reference, host, None, detail)
    if status == 404:
        return NotFoundError(
            f"Not found: {reference}{told}",
            reference=reference,
            hint=f"Check the spelling. A private repository may also look like this without a"
            f" login: rolldeck login {host}",
        )
    if status in (408, 429) or status >= 500:
        reason = "asks to slow down" if status == 429 else f"answered {status}"
        return TransientFailure(
            UnavailableError(
                f"{reference}: {host} {reason}{told}",
                reference=reference,
                hint="The registry has a problem or is busy: try again later.",
            ),
            retry_after,
            too_fast=status == 429,
        )
    return UnavailableError(
        f"{reference}: {host} refused the request with {status}{told}",
        reference=reference,
        hint="Check that the host is an OCI registry.",
    )


def denied(reference: str, host: str, login: str | None, detail: str = "") -> DeniedError:
    """Return the error for a refused request; ``login`` says as whom it was made."""
    told = f" ({detail})" if detail else ""
    return DeniedError(
        f"Access denied to {reference}{f' {login}' if login else ''}{told}",
        reference=reference,
        hint=f"Log in with: rolldeck login {host} (docker login and kit login count, too); the"
        " account must be allowed to do it.",
    )


def untrusted_realm(reference: str, host: str, token_server: Origin) -> UntrustedRealmError:
    """Return the error for a request refused because its login was kept from a token server."""
    named = token_server.authority
    return UntrustedRealmError(
        f"Access denied to {reference}: your login for {host} was not sent to {token_server.url},"
        f" which {host} names as its token server",
        registry=host,
        token_host=named,
        hint=_trust_hint(host, named),
    )


def _trust_hint(registry: str, token_host: str) -> str:
    return (
        f"If it is right that {token_host} gets the login: rolldeck login {registry}"
        f" --trust-token-host {token_host}, or add it to token_hosts of the registry in the"
        " settings."
    )
