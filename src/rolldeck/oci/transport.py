"""The one HTTP policy: every request to a registry goes through here.

Blocking; called from worker threads. What it decides: encryption, authorization, redirects,
retries, timeouts and limits. Neither proxies nor ``.netrc`` are taken from the environment.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from urllib3 import HTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from rolldeck import __version__
from rolldeck.errors import UnavailableError
from rolldeck.oci.address import Origin, registry_origin
from rolldeck.oci.auth import Authenticator
from rolldeck.oci.call import Answer, Call, Timeouts, redirect_target
from rolldeck.oci.challenge import Realm, parse_challenges
from rolldeck.oci.connections import close_pool, open_pool, tls_context
from rolldeck.oci.failures import (
    ERROR_BODY_LIMIT,
    connection_failure,
    error_detail,
    not_a_registry,
    status_failure,
)
from rolldeck.oci.interrupt import Interrupt, current_interrupt
from rolldeck.oci.reply import Reply
from rolldeck.oci.retry import Attempts, Clocks, RetryPolicy, TransientFailure, parse_retry_after
from rolldeck.oci.secret import CredentialSource, no_credentials

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_TOKEN_LIMIT = 1024 * 1024
"""Largest answer of a token server read, in bytes."""

_PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers that never leave the registry's origin, in lower case."""


class HttpTransport:
    """Sends requests to one registry; thread-safe."""

    def __init__(
        self,
        host: str,
        *,
        plain_http: bool | None = None,
        ca_file: Path | None = None,
        credentials: CredentialSource = no_credentials,
        token_hosts: Collection[str] = (),
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        clocks: Clocks | None = None,
        connections: int = 16,
    ) -> None:
        """Prepare for ``host[:port]``, which connects nowhere yet; raises UsageError.

        ``plain_http`` None means: only to a loopback host. ``token_hosts`` are hosts, other than
        the registry, that logins may be sent to when the registry names them as token servers.
        """
        self.host = host
        self.origin = registry_origin(host, plain_http)
        self.retry = retry or RetryPolicy()
        self.clocks = clocks or Clocks()
        self._ca_file = ca_file
        times = timeouts or Timeouts()
        self._stall = times.stall
        self._patience = times.read
        self._timeout = Timeout(connect=times.connect, read=times.read)
        self._connections = connections
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, bool], PoolManager] = {}
        self._authenticator = Authenticator(
            self.origin, host, credentials, token_hosts, self._ask_token, self.clocks.monotonic
        )

    @property
    def patience(self) -> float:
        """Seconds that an answer may take."""
        return self._patience

    def attempts(
        self,
        interrupt: Interrupt,
        policy: RetryPolicy | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> Attempts:
        """Return the tries of a new operation."""
        return Attempts(policy or self.retry, self.clocks, interrupt, tell)

    def request(
        self, call: Call, limit: int, interrupt: Interrupt, attempts: Attempts | None = None
    ) -> Answer:
        """Send a request, repeat it where that may help, and read its whole body.

        Raises IntegrityError for a body beyond ``limit`` bytes, and NotFoundError, DeniedError,
        UnavailableError and CancelledError.
        """

        def once() -> Answer:
            with self.exchange(call, interrupt) as reply:
                body = b"" if call.method == "HEAD" else reply.read(limit)
                return Answer(reply.status, reply.headers, body, reply.media_type, reply.length)

        return (attempts or self.attempts(interrupt)).run(once)

    def request_json(self, call: Call, limit: int, interrupt: Interrupt) -> tuple[Any, Answer]:
        """Send a request whose answer is JSON; UnavailableError when it is anything else."""
        answer = self.request(call, limit, interrupt)
        if answer.status in call.allow:
            return None, answer
        self.refuse_web_page(answer.media_type, answer.body[:256], call.reference)
        try:
            return json.loads(answer.body), answer
        except (ValueError, RecursionError):
            raise UnavailableError(
                f"{call.reference}: {self.origin.authority} answered with something that is not"
                " JSON",
                reference=call.reference,
                hint="Check that the host is an OCI registry.",
            ) from None

    def refuse_web_page(self, media_type: str, start: bytes, reference: str) -> None:
        """Raise UnavailableError when an answer is a web page instead of a registry's."""
        if "html" in media_type or start.lstrip().startswith(b"<"):
            raise not_a_registry(self.origin.authority, reference)

    def exchange(self, call: Call, interrupt: Interrupt) -> Reply:
        """Send a request once (twice where a login is asked for); the caller closes the reply.

        Raises TransientFailure for what may pass, and the typed errors for what will not.
        """
        with interrupt.applied():
            reply = self._authorized(call, interrupt)
        if 200 <= reply.status < 300 or reply.status in call.allow:
            return reply
        with reply:
            body = reply.read_start(ERROR_BODY_LIMIT)
            if reply.status in (401, 403):
                raise self._authenticator.denied(call.reference, error_detail(body))
            asked = parse_retry_after(reply.headers.get("Retry-After"), self.clocks.wall())
            raise status_failure(reply.status, body, reply.origin.authority, call.reference, asked)

    def _authorized(self, call: Call, interrupt: Interrupt) -> Reply:
        if call.url is not None and Origin.of(call.url) != self.origin:
            return self._follow(call, None, interrupt)
        used = self._authenticator.authorization(call.scope)
        reply = self._follow(call, used, interrupt)
        if reply.status != 401 or reply.redirected:
            return reply
        with reply:
            challenges = parse_challenges(reply.headers.getlist("WWW-Authenticate"))
            reply.read_start(ERROR_BODY_LIMIT)
        fresh = self._authenticator.answer(challenges, call.scope, used, call.reference)
        return self._follow(call, fresh, interrupt)

    def _follow(self, call: Call, authorization: str | None, interrupt: Interrupt) -> Reply:
        url = call.url or self.origin.url + call.path
        headers = dict(call.headers)
        if authorization is not None:
            headers["Authorization"] = authorization
        for hop in range(_MOST_REDIRECTS + 1):
            origin = Origin.of(url)
            interrupt.check()
            body = call.body() if callable(call.body) else call.body
            response = self._send(
                call.method, url, headers, body, origin, call.reference, patience=call.patience
            )
            reply = Reply(
                response,
                origin,
                redirected=origin != self.origin or hop > 0,
                reference=call.reference,
                interrupt=interrupt,
                clocks=self.clocks,
                stall=self._stall,
                patience=self._patience,
            )
            location = reply.headers.get("Location")
            if reply.status not in _REDIRECTS or not location:
                return reply
            with reply:
                reply.read_start(ERROR_BODY_LIMIT)
            url = redirect_target(url, origin, location, call.reference)
            if Origin.of(url) != origin:
                headers = {k: v for k, v in headers.items() if k.lower() not in _PRIVATE}
        raise UnavailableError(
            f"{call.reference}: {self.origin.authority} redirects in circles",
            reference=call.reference,
            hint="The registry is set up wrongly; tell who runs it.",
        )

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[memoryview] | None,
        origin: Origin,
        reference: str,
        *,
        public_only: bool = False,
        patience: float | None = None,
    ) -> HTTPResponse:
        complete = {
            "User-Agent": f"rolldeck/{__version__}",
            "Accept-Encoding": "identity",
            **headers,
        }
        try:
            response = self._pool(origin.scheme, public_only).urlopen(
                method,
                url,
                body=cast("Any", body),
                headers=complete,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=self._timeout if patience is None else self._patient(patience),
            )
        except (HTTPError, OSError) as error:
            raise connection_failure(error, origin, reference) from error
        assert isinstance(response, HTTPResponse)
        return response

    def _patient(self, seconds: float) -> Timeout:
        return Timeout(connect=self._timeout.connect_timeout, read=seconds)

    def _pool(self, scheme: str, public_only: bool) -> PoolManager:
        with self._lock:
            pool = self._pools.get((scheme, public_only))
            if pool is None:
                context = tls_context(self._ca_file) if scheme == "https" else None
                pool = open_pool(context, self._connections, public_only=public_only)
                self._pools[scheme, public_only] = pool
            return pool

    def _ask_token(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, realm: Realm
    ) -> tuple[int, bytes]:
        reference = self.host
        response = self._send(
            method, url, headers, body, realm.origin, reference, public_only=realm.public_only
        )
        reply = Reply(
            response,
            realm.origin,
            redirected=False,
            reference=reference,
            interrupt=current_interrupt(),
            clocks=self.clocks,
            stall=self._stall,
            patience=self._patience,
        )
        with reply:
            if reply.status in (408, 429) or reply.status >= 500:
                asked = parse_retry_after(reply.headers.get("Retry-After"), self.clocks.wall())
                detail = reply.read_start(ERROR_BODY_LIMIT)
                failure = status_failure(
                    reply.status, detail, realm.origin.authority, reference, asked
                )
                assert isinstance(failure, TransientFailure)
                raise failure
            return reply.status, reply.read(_TOKEN_LIMIT)

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            for pool in self._pools.values():
                close_pool(pool)
            self._pools.clear()
