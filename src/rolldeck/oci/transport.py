"""The one HTTP policy: every request to a registry goes through here.

Blocking; called from worker threads. What it decides: encryption, authorization, redirects,
retries, timeouts, proxies and limits. ``.netrc`` is never read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rolldeck import __version__
from rolldeck.errors import UnavailableError
from rolldeck.oci.address import Origin, registry_origin
from rolldeck.oci.auth import Authenticator
from rolldeck.oci.call import Answer, Call, Timeouts, redirect_target
from rolldeck.oci.failures import (
    ERROR_BODY_LIMIT,
    connection_failure,
    error_detail,
    not_a_registry,
    status_failure,
)
from rolldeck.oci.interrupt import Interrupt, current_interrupt
from rolldeck.oci.pool import Response
from rolldeck.oci.proxy import Proxies
from rolldeck.oci.reply import Reply
from rolldeck.oci.retry import Attempts, Clocks, RetryPolicy, TransientFailure, retry_after
from rolldeck.oci.routes import Routes
from rolldeck.oci.secret import CredentialSource, no_credentials
from rolldeck.oci.throttle import Throttle
from rolldeck.progress import Progress

if TYPE_CHECKING:
    from rolldeck.oci.challenge import Realm

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_FOLLOWING = frozenset({"GET", "HEAD"})
"""Methods that follow a redirect: nobody may send what changes something to another place."""

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
        client_cert: Path | None = None,
        client_key: Path | None = None,
        proxies: Proxies | None = None,
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
        The client certificate is shown to the registry and to such hosts alone.
        """
        self.host = host
        self.origin = registry_origin(host, plain_http)
        self.retry = retry or RetryPolicy()
        self.clocks = clocks or Clocks()
        self.token_hosts = token_hosts
        self._timeouts = timeouts or Timeouts()
        self._routes = Routes(ca_file, client_cert, client_key, proxies or Proxies(), connections)
        self.throttle = Throttle(host, connections, self.retry.budget, self.clocks)
        self._authenticator = Authenticator(
            self.origin, host, credentials, token_hosts, self._ask_token, self.clocks.monotonic
        )

    @property
    def patience(self) -> float:
        """Seconds that an answer may take."""
        return self._timeouts.read

    def attempts(
        self,
        interrupt: Interrupt,
        policy: RetryPolicy | None = None,
        progress: Progress | None = None,
    ) -> Attempts:
        """Return the tries of a new operation."""
        return Attempts(policy or self.retry, self.clocks, interrupt, progress)

    def request(
        self, call: Call, limit: int, interrupt: Interrupt, attempts: Attempts | None = None
    ) -> Answer:
        """Send a request, repeat it where that may help, and read its whole body.

        Raises IntegrityError for a body beyond ``limit`` bytes, and NotFoundError, DeniedError,
        UnavailableError and CancelledError.
        """

        tries = attempts or self.attempts(interrupt)
        answered, waited_for = self.throttle.answered, 0.0

        def once() -> Answer:
            nonlocal answered, waited_for
            try:
                with (
                    self.throttle.turn(interrupt, waited_for),
                    self.exchange(call, interrupt) as reply,
                ):
                    return self._read(reply, call.method, limit)
            except TransientFailure as failure:
                waited_for = self.throttle.until
                if failure.too_fast and self.throttle.answered > answered:
                    # The registry goes on answering others: this one only waits for its turn.
                    answered = self.throttle.answered
                    tries.progressed()
                raise

        return tries.run(once)

    def _read(self, reply: Reply, method: str, limit: int) -> Answer:
        body = b""
        if method == "HEAD":
            # Otherwise the connection would not be used again.
            reply.finish()
        else:
            body = reply.read(limit)
        return Answer(reply.status, reply.headers, body, reply.media_type, reply.length)

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

    def is_authorized(self, call: Call) -> bool:
        """Whether such a request is sent with a login or a token."""
        return self._authenticator.authorization(call.scope) is not None

    def refuse_web_page(self, media_type: str, start: bytes, reference: str) -> None:
        """Raise UnavailableError when an answer is a web page instead of a registry's."""
        if "html" in media_type or start.lstrip().startswith(b"<"):
            raise not_a_registry(self.origin.authority, reference)

    def exchange(self, call: Call, interrupt: Interrupt) -> Reply:
        """Send a request once, and again where a login is asked for; the caller closes the reply.

        Raises TransientFailure for what may pass, and the typed errors for what will not.
        """
        with interrupt.applied():
            reply = self._authorized(call, interrupt)
        if 200 <= reply.status < 300 or reply.status in call.allow:
            return reply
        with reply:
            body = reply.read_start(ERROR_BODY_LIMIT)
            if reply.status in (401, 403):
                raise self._authenticator.denied(call.scope, call.reference, error_detail(body))
            asked = retry_after(reply.headers, self.clocks.wall())
            failure = status_failure(
                reply.status, body, reply.origin.authority, call.reference, asked
            )
            if isinstance(failure, TransientFailure) and (failure.too_fast or asked):
                self.throttle.slow_down(asked)
            raise failure

    def knock(self, call: Call, interrupt: Interrupt) -> Reply:
        """Send a request once and without a login; whatever comes is an answer.

        Raises TransientFailure and UnavailableError where nobody answers.
        """
        with interrupt.applied():
            return self._follow(call, None, interrupt)

    def _authorized(self, call: Call, interrupt: Interrupt) -> Reply:
        if call.url is not None and Origin.of(call.url) != self.origin:
            return self._follow(call, None, interrupt)
        used = self._authenticator.authorization(call.scope)
        reply = self._follow(call, used, interrupt)
        for is_first in (True, False):
            if reply.status not in (401, 403) or reply.redirected:
                break
            # Imported late: most registries do not ask.
            from rolldeck.oci.challenge import asks_for_more, parse_challenges

            challenges = parse_challenges(reply.headers.all("WWW-Authenticate"))
            more = asks_for_more(challenges) and not self._authenticator.asked_already(
                challenges, call.scope
            )
            # Once the login was taken, only a scope that was not asked for can help.
            if not more and (reply.status == 403 or not is_first):
                break
            with reply:
                reply.read_start(ERROR_BODY_LIMIT)
            used = self._authenticator.answer(challenges, call.scope, used, call.reference)
            reply = self._follow(call, used, interrupt)
        return reply

    def _follow(self, call: Call, authorization: str | None, interrupt: Interrupt) -> Reply:
        url = call.url or self.origin.url + call.path
        headers = dict(call.headers)
        if authorization is not None:
            headers["Authorization"] = authorization
        for hop in range(_MOST_REDIRECTS + 1):
            origin = Origin.of(url)
            interrupt.check()
            response = self._send(
                call.method,
                url,
                headers,
                call.body() if callable(call.body) else call.body,
                origin,
                call.reference,
                identified=origin == self.origin,
                patience=call.patience,
            )
            reply = Reply(
                response,
                origin,
                redirected=origin != self.origin or hop > 0,
                reference=call.reference,
                interrupt=interrupt,
                clocks=self.clocks,
                stall=self._timeouts.stall,
                patience=self._timeouts.read,
            )
            location = reply.headers.get("Location")
            if reply.status not in _REDIRECTS or not location or call.method not in _FOLLOWING:
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
        identified: bool,
        public_only: bool = False,
        patience: float | None = None,
    ) -> Response:
        complete = {
            "User-Agent": f"rolldeck/{__version__}",
            "Accept-Encoding": "identity",
            **headers,
        }
        timeouts = self._timeouts
        if patience is not None:
            timeouts = timeouts._replace(read=patience)
        proxy = self._routes.proxy(origin)
        try:
            pool = self._routes.pool(origin, identified=identified, public_only=public_only)
            with current_interrupt().question():
                response = pool.send(method, url, complete, body, timeouts)
        except (HTTPException, OSError) as error:
            raise connection_failure(error, origin, reference, proxy) from error
        if response.raw.status == 407 and proxy is not None:
            # Imported late: few have a proxy.
            from rolldeck.oci.proxy_failures import proxy_login_wanted

            response.close()
            raise proxy_login_wanted(origin.authority, proxy, reference)
        return response

    def _ask_token(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, realm: Realm
    ) -> tuple[int, bytes]:
        reference = self.host
        response = self._send(
            method,
            url,
            headers,
            body,
            realm.origin,
            reference,
            identified=realm.trusted,
            public_only=realm.public_only,
        )
        reply = Reply(
            response,
            realm.origin,
            redirected=False,
            reference=reference,
            interrupt=current_interrupt(),
            clocks=self.clocks,
            stall=self._timeouts.stall,
            patience=self._timeouts.read,
        )
        with reply:
            if reply.status in (408, 429) or reply.status >= 500:
                asked = retry_after(reply.headers, self.clocks.wall())
                detail = reply.read_start(ERROR_BODY_LIMIT)
                failure = status_failure(
                    reply.status, detail, realm.origin.authority, reference, asked
                )
                assert isinstance(failure, TransientFailure)
                raise failure
            return reply.status, reply.read(_TOKEN_LIMIT)

    def close(self) -> None:
        """Close idle connections."""
        self._routes.close()
