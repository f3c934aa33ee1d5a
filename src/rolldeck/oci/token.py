"""Asking a token server for a token (distribution "Token Authentication Specification").

POST with a refresh token where the login is an identity token, else GET, with Basic or without a
login.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rolldeck.errors import IntegrityError, UnavailableError
from rolldeck.oci.challenge import Realm
from rolldeck.oci.model import parse_json
from rolldeck.oci.secret import Credential, Secret

_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")
_LIFE = 60.0
"""Seconds that a token lives when its server does not say, as the specification has it."""
_LONGEST_LIFE = 24 * 3600.0
_MARGIN = 5.0
"""Seconds before its end at which a token is no longer used."""


class TokenExchange(Protocol):
    """Sends one request to a token server; returns status and body (at most 1 MiB).

    Raises TransientFailure and the typed errors; redirects are not followed.
    """

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, realm: Realm
    ) -> tuple[int, bytes]: ...


@dataclass(frozen=True, slots=True)
class Token:
    """The Authorization header that carries a token, until ``expires`` on the monotonic clock."""

    header: Secret
    expires: float


def ask_token(
    exchange: TokenExchange,
    realm: Realm,
    service: str,
    scope: str,
    credential: Credential | None,
) -> tuple[int, bytes]:
    """Ask for a token; returns status and body of the answer. ``scope`` may hold several."""
    headers = {"Accept": "application/json"}
    if credential is not None and credential.identity is not None:
        form = {
            "grant_type": "refresh_token",
            "client_id": "rolldeck",
            "refresh_token": credential.identity.reveal(),
            **({"service": service} if service else {}),
            **({"scope": scope} if scope else {}),
        }
        headers_form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        status, answer = exchange(
            "POST", realm.url, headers_form, urlencode(form).encode("ascii"), realm
        )
        if status not in (404, 405):
            return status, answer
    question = [("service", service)] if service else []
    question += [("scope", one) for one in scope.split()]
    basic = credential.authorization() if credential else None
    if credential is not None and basic is not None:
        headers["Authorization"] = basic
        question.append(("account", credential.user))
    parts = urlsplit(realm.url)
    query = urlencode([*parse_qsl(parts.query), *question])
    url = urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))
    return exchange("GET", url, headers, None, realm)


def parse_token(body: bytes, now: float, realm: Realm, reference: str) -> Token:
    """Read a token server's answer, received at ``now``; raises UnavailableError."""
    try:
        document: Any = parse_json(body, what="token", reference=reference)
    except IntegrityError:
        document = None
    token = life = None
    if isinstance(document, dict):
        token = document.get("token") or document.get("access_token")
        life = document.get("expires_in")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise UnavailableError(
            f"{reference}: {realm.origin.authority} answered without a token",
            reference=reference,
            hint="The registry's token server is set up wrongly or something stands in between.",
        )
    if not isinstance(life, int | float) or isinstance(life, bool) or not life > 0:
        life = _LIFE
    life = min(float(life), _LONGEST_LIFE)
    return Token(Secret(f"Bearer {token}"), now + max(life - _MARGIN, life / 2))
