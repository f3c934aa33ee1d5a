"""Authorization of requests to one registry: Basic, or tokens of its token server.

One refresh runs at a time per scope, and the requests that wait for it share its token. A scope may
hold several, separated by spaces; the login is that for the repository of the first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolldeck.errors import DeniedError, UnavailableError
from rolldeck.oci.address import Origin, canonical_host
from rolldeck.oci.failures import denied, untrusted_realm
from rolldeck.oci.scope import actions_of, covers, merge_scopes, repository_of
from rolldeck.oci.secret import Credential, CredentialSource, Secret, UnusableLogin

if TYPE_CHECKING:
    from rolldeck.oci.challenge import Challenge
    from rolldeck.oci.token import Token, TokenExchange


@dataclass(frozen=True, slots=True)
class _Standing:
    """As whom the requests of a scope were made, for messages and for the next token.

    ``asked`` is the scope that the token server was asked for; ``withheld`` the token server that
    did not get the login; ``problem`` why there is no login where there should be one.
    """

    login: str = "without a login"
    asked: str = ""
    withheld: Origin | None = None
    problem: str = ""


class Authenticator:
    """Knows the Authorization header for each scope of one registry; thread-safe."""

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
        self._tokens: dict[str, Token] = {}
        self._basic: dict[str, Secret] = {}
        self._standings: dict[str, _Standing] = {}

    def authorization(self, scope: str) -> str | None:
        """Return the header to send at once: a token that still lives, or Basic; else None."""
        with self._lock:
            token = self._tokens.get(scope)
            if token is not None and self._monotonic() < token.expires:
                return token.header.reveal()
            basic = self._basic.get(repository_of(scope))
            return basic.reveal() if basic else None

    def answer(
        self, challenges: Sequence[Challenge], scope: str, used: str | None, reference: str
    ) -> str:
        """Return the header to repeat a request with that was refused with the header ``used``.

        Raises DeniedError when there is none, and what the token server's answer means.
        """
        with self._lock:
            refreshing = self._refreshing.setdefault(scope, threading.Lock())
        with refreshing:
            present = self.authorization(scope)
            if present is not None and present != used:
                return present
            credential, problem = self._find(scope)
            bearer = next((c for c in challenges if c.scheme == "bearer"), None)
            if bearer is not None:
                return self._token(bearer, scope, credential, problem, reference)
            header = credential.authorization() if credential else None
            basic = any(challenge.scheme == "basic" for challenge in challenges)
            with self._lock:
                self._standings[scope] = _Standing(_shown(credential), problem=problem)
            if credential is None or header is None or header == used or not basic:
                raise self.denied(scope, reference)
            with self._lock:
                self._basic[repository_of(scope)] = Secret(header)
            return header

    def denied(self, scope: str, reference: str, detail: str = "") -> DeniedError:
        """Return the error for a request that is refused with all that we have."""
        with self._lock:
            standing = self._standings.get(scope, _Standing())
        if standing.withheld is not None:
            return untrusted_realm(reference, self._host, standing.withheld)
        login = standing.login
        if actions := actions_of(scope):
            login += f" (scope {actions})"
        error = denied(reference, self._host, login, detail)
        if standing.problem:
            error.hint = f"{standing.problem}. {error.hint}"
        return error

    def _find(self, scope: str) -> tuple[Credential | None, str]:
        """Return the login for a scope's repository, and why there is none that can be used."""
        place = "/".join(filter(None, (self._host, repository_of(scope))))
        try:
            return self._credentials(place), ""
        except UnusableLogin as problem:
            return None, str(problem)

    def _token(
        self,
        challenge: Challenge,
        scope: str,
        credential: Credential | None,
        problem: str,
        reference: str,
    ) -> str:
        # Imported late: most registries do not ask.
        from rolldeck.oci.challenge import judge_realm
        from rolldeck.oci.token import ask_token, parse_token

        realm = judge_realm(self._origin, challenge.parameters.get("realm", ""), self._token_hosts)
        withheld = realm.origin if credential is not None and not realm.trusted else None
        if withheld is not None:
            credential = None
        wanted = self._wanted(challenge, scope)
        with self._lock:
            self._standings[scope] = _Standing(_shown(credential), wanted, withheld, problem)
        service = challenge.parameters.get("service", "")
        status, body = ask_token(self._exchange, realm, service, wanted, credential)
        if status in (400, 401, 403, 404):
            raise self.denied(scope, reference)
        if status != 200:
            raise UnavailableError(
                f"{reference}: the token server {realm.origin.authority} answered {status}",
                reference=reference,
                hint="The registry's token server is set up wrongly or has a problem.",
            )
        token = parse_token(body, self._monotonic(), realm, reference)
        with self._lock:
            self._tokens[scope] = token
        return token.header.reveal()

    def _wanted(self, challenge: Challenge, scope: str) -> str:
        """Return the scope to ask the token server for."""
        from rolldeck.oci.challenge import asks_for_more

        wanted = challenge.parameters.get("scope", "") or scope
        if asks_for_more([challenge]):
            with self._lock:
                before = self._standings.get(scope, _Standing()).asked
            wanted = merge_scopes(before, wanted)
        # A registry names what its own request needs, not what a mount needs elsewhere.
        return merge_scopes(scope, wanted) if " " in scope else wanted

    def asked_already(self, challenges: Sequence[Challenge], scope: str) -> bool:
        """Whether the token server was asked for all that the registry says is missing."""
        with self._lock:
            asked = self._standings.get(scope, _Standing()).asked
        missing = (c.parameters.get("scope", "") for c in challenges if c.scheme == "bearer")
        return all(covers(asked, text) for text in missing)


def _shown(credential: Credential | None) -> str:
    if credential is None:
        return "without a login"
    return f"as {credential.user or 'the holder of a token'} (login from {credential.source})"
