"""What went wrong on the wire, told as one of the user's errors.

The only place where exceptions of urllib3 and status codes become rolldeck's errors; it also says
which of them may pass by themselves.
"""

from __future__ import annotations

import json
import socket
import ssl

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from rolldeck.errors import DeniedError, NotFoundError, RolldeckError, UnavailableError
from rolldeck.oci.address import Origin
from rolldeck.oci.connections import PrivateAddressError
from rolldeck.oci.retry import TransientFailure
from rolldeck.text import clean_line

ERROR_BODY_LIMIT = 64 * 1024
"""Most bytes read of an error's body."""

_SHOWN = 300
"""Most characters shown of an error's body."""

_CHECK_NETWORK = "Check the network and the address, then run the same command again."


def connection_failure(
    error: HTTPError | OSError, origin: Origin, reference: str
) -> TransientFailure | RolldeckError:
    """Return what to raise for an error below HTTP while talking to ``origin``."""
    host = origin.authority
    if isinstance(error, PrivateAddressError):
        return DeniedError(
            f"{reference}: the token server {host} is in a private network",
            reference=reference,
            hint=f"If that is right, add {host} to token_hosts in the settings.",
        )
    if isinstance(error, SSLError | ssl.SSLError):
        return _tls_failure(error, host, reference)
    if isinstance(error, NameResolutionError):
        cause = error.__cause__
        gone = UnavailableError(
            f"{reference}: host not found: {origin.host}",
            reference=reference,
            hint="Check the spelling of the host, and the network.",
        )
        passing = isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN
        return TransientFailure(gone) if passing else gone
    if isinstance(error, LocationValueError):
        return UnavailableError(
            f"{reference}: not an address: {clean_line(host, 200)}",
            reference=reference,
            hint="Check the spelling of the host.",
        )
    if isinstance(error, ReadTimeoutError | TimeoutError):
        reason = "stopped answering"
    elif isinstance(error, NewConnectionError):
        reason = f"cannot be reached: {clean_line(str(error).rpartition(': ')[2], _SHOWN)}"
    elif isinstance(error, ConnectTimeoutError):
        reason = "cannot be reached: no answer"
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
    error: SSLError | ssl.SSLError, host: str, reference: str
) -> TransientFailure | RolldeckError:
    cause: BaseException = error
    while not isinstance(cause, ssl.SSLError) and cause.args:
        if not isinstance(cause.args[0], BaseException):
            break
        cause = cause.args[0]
    if isinstance(cause, ssl.SSLCertVerificationError):
        return UnavailableError(
            f"{reference}: the certificate of {host} is not valid:"
            f" {clean_line(cause.verify_message, _SHOWN)}",
            reference=reference,
            hint="If the registry has its own authority, name its certificate as ca_file in the"
            " settings; check this machine's clock.",
        )
    reason = clean_line(str(getattr(cause, "reason", None) or cause), _SHOWN)
    failure = UnavailableError(
        f"{reference}: no encrypted connection to {host}: {reason}",
        reference=reference,
        hint="If the registry speaks plain HTTP, use --plain-http or set plain_http for it.",
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
        text = body[: 4 * _SHOWN].decode("utf-8", errors="replace").strip()
        parts = [] if text.startswith("<") else [text]
    return clean_line(": ".join(part for part in parts if part), _SHOWN)


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
            f" login: docker login {host}",
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
        hint=f"Log in with: docker login {host} or kit login {host}; the account must be allowed"
        " to read it.",
    )
