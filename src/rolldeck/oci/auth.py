"""Authorization of requests to one registry: Basic, or tokens of its token server.

Follows the distribution project's token specification: GET with Basic or without a login, POST
with a refresh token where the login is an identity token. One refresh runs at a time per scope,
and the requests that wait for it share its token.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rolldeck.errors import DeniedError, IntegrityError, UnavailableError
from rolldeck.oci.address import Origin, canonical_host
from rolldeck.oci.challenge import Challenge, Realm, judge_realm
from rolldeck.oci.failures import denied
from rolldeck.oci.model import parse_json
from rolldeck.oci.secret import Credential, CredentialSource, Secret

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
class _Token:
    header: Secret
    expires: float


class Authenticator:
    """Knows the Authorization header for each scope of one registry."""

    def __init__(
        self,
        origin: Origin,
        host: str,
        credentials: CredentialSource,
        token_hosts: Collection[str],
        exchange: TokenExchange,
        monotonic: Callable[[], float],
    ) -> None:
        self._origin = origin
        self._host = canonical_host(host)
        self._credentials = credentials
        self._token_hosts = token_hosts
        self._exchange = exchange
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._refreshing: dict[str, threading.Lock] = {}
        self._tokens: dict[str, _Token] = {}
        self._basic: Secret | None = None
        self._login = "without a login"

    def authorization(self, scope: str) -> str | None:
        """Return the header to send at once: a token that still lives, or Basic; else None."""
        with self._lock:
            token = self._tokens.get(scope)
            if token is not None and self._monotonic() < token.expires:
                return token.header.reveal()
            return self._basic.reveal() if self._basic else None

    def answer(
        self, challenges: Sequence[Challenge], scope: str, used: str | None, reference: str
    ) -> str:
        """Return the header to repeat a request with that met 401 with the header ``used``.

        Raises DeniedError when there is none, and what the token server's answer means.
        """
        with self._lock:
            refreshing = self._refreshing.setdefault(scope, threading.Lock())
        with refreshing:
            present = self.authorization(scope)
            if present is not None and present != used:
                return present
            credential = self._credentials(self._host)
            bearer = next((c for c in challenges if c.scheme == "bearer"), None)
            if bearer is not None:
                return self._token(bearer, scope, credential, reference)
            header = credential.authorization() if credential else None
            basic = any(challenge.scheme == "basic" for challenge in challenges)
            if credential is None or header is None or header == used or not basic:
                raise self.denied(reference)
            with self._lock:
                self._basic = Secret(header)
                self._login = _shown(credential)
            return header

    def denied(self, reference: str, detail: str = "") -> DeniedError:
        """Return the error for a request that is refused with all that we have."""
        return denied(reference, self._host, self._login, detail)

    def _token(
        self, challenge: Challenge, scope: str, credential: Credential | None, reference: str
    ) -> str:
        realm = judge_realm(self._origin, challenge.parameters.get("realm", ""), self._token_hosts)
        withheld = credential is not None and not realm.trusted
        if withheld:
            credential = None
        question = {"service": challenge.parameters.get("service", "")}
        question["scope"] = challenge.parameters.get("scope") or scope
        question = {key: value for key, value in question.items() if value}
        login = _shown(credential)
        status, body = self._ask(realm, question, credential)
        if status in (400, 401, 403, 404):
            refusal = denied(reference, self._host, login)
            if withheld:
                refusal.hint = (
                    f"Your login for {self._host} was not sent to {realm.origin.authority}; if"
                    " that is its token server, add it to token_hosts in the settings."
                )
            raise refusal
        if status != 200:
            raise UnavailableError(
                f"{reference}: the token server {realm.origin.authority} answered {status}",
                reference=reference,
                hint="The registry's token server is set up wrongly or has a problem.",
            )
        token = _parse_token(body, self._monotonic(), realm, reference)
        with self._lock:
            self._tokens[scope] = token
            self._login = login
        return token.header.reveal()

    def _ask(
        self, realm: Realm, question: Mapping[str, str], credential: Credential | None
    ) -> tuple[int, bytes]:
        headers = {"Accept": "application/json"}
        if credential is not None and credential.identity is not None:
            form = dict(question)
            form["grant_type"] = "refresh_token"
            form["client_id"] = "rolldeck"
            form["refresh_token"] = credential.identity.reveal()
            headers_form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode(form).encode("ascii")
            status, answer = self._exchange("POST", realm.url, headers_form, body, realm)
            if status not in (404, 405):
                return status, answer
        basic = credential.authorization() if credential else None
        if credential is not None and basic is not None:
            headers["Authorization"] = basic
            question = {**question, "account": credential.user}
        parts = urlsplit(realm.url)
        query = urlencode([*parse_qsl(parts.query), *question.items()])
        url = urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))
        return self._exchange("GET", url, headers, None, realm)


def _shown(credential: Credential | None) -> str:
    if credential is None:
        return "without a login"
    return f"as {credential.user or 'the holder of a token'} (login from {credential.source})"


def _parse_token(body: bytes, now: float, realm: Realm, reference: str) -> _Token:
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
    return _Token(Secret(f"Bearer {token}"), now + max(life - _MARGIN, life / 2))
