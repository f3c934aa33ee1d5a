"""What a registry supports, found out without changing anything there.

Each question is a function of a transport and an interrupt, for ``HttpRegistry.ask``. The
exception is ``probe_uploads`` with what follows it: it needs the right to push, begins an upload
that it cancels at once, and puts a manifest where the same bytes lie already.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from rolldeck.errors import DeniedError, IntegrityError, NotFoundError, UnavailableError
from rolldeck.oci.address import Origin, repository_path
from rolldeck.oci.call import Answer, Call
from rolldeck.oci.challenge import judge_realm, parse_challenges
from rolldeck.oci.digest import Digest
from rolldeck.oci.failures import ERROR_BODY_LIMIT
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.model import INDEX, Descriptor, Manifest
from rolldeck.oci.pages import PAGE_LIMIT
from rolldeck.oci.ranges import is_rest, range_header
from rolldeck.oci.reference import is_repository
from rolldeck.oci.transport import HttpTransport

_ANY = tuple(status for status in range(300, 500) if status not in (408, 429))
"""Statuses that answer a question, whatever they say."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """How a registry answers who asks for its API (``/v2/``) without a login.

    ``expires`` and ``issuer`` are of its certificate, None without TLS; ``date`` is its clock.
    ``token_server`` is who gives its tokens, ``trusted`` whether that one may get logins.
    """

    origin: Origin
    status: int
    media_type: str
    version: str
    date: datetime | None
    expires: datetime | None
    issuer: str | None
    token_server: str | None
    trusted: bool


def greet(transport: HttpTransport, interrupt: Interrupt) -> Greeting:
    """Ask for the API without a login; raises UnavailableError where nobody answers."""
    call = Call("GET", "/v2/", transport.host, "", {})

    def once() -> Greeting:
        with transport.knock(call, interrupt) as reply:
            expires, issuer = _certificate(reply.certificate or {})
            realm = next(
                (
                    challenge.parameters.get("realm", "")
                    for challenge in parse_challenges(reply.headers.all("WWW-Authenticate"))
                    if challenge.scheme == "bearer"
                ),
                None,
            )
            server = None
            if realm is not None:
                server = judge_realm(transport.origin, realm, transport.token_hosts)
            return Greeting(
                transport.origin,
                reply.status,
                reply.media_type,
                reply.headers.get("Docker-Distribution-Api-Version", ""),
                _date(reply.headers.get("Date")),
                expires,
                issuer,
                server.origin.authority if server else None,
                server.trusted if server else True,
            )

    return transport.attempts(interrupt).run(once)


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _certificate(found: Mapping[str, Any]) -> tuple[datetime | None, str | None]:
    """Return when a certificate (of ``SSLSocket.getpeercert``) ends, and who made it."""
    if "notAfter" not in found:
        return None, None
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)
    names = dict(pair for group in found.get("issuer", ()) for pair in group)
    return ends, names.get("organizationName") or names.get("commonName")


def _ask(
    transport: HttpTransport,
    interrupt: Interrupt,
    method: str,
    repository: str,
    rest: str,
    actions: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    path = repository_path(transport.host, repository)
    scope = f"repository:{path.removeprefix('/v2/')}:{actions}"
    reference = f"{transport.host}/{repository}"
    call = Call(method, path + rest, reference, scope, headers or {}, _ANY, body)
    return transport.request(call, PAGE_LIMIT, interrupt)


def enter(transport: HttpTransport, interrupt: Interrupt) -> None:
    """Ask for the API with the login that there is; DeniedError where it is refused."""
    call = Call("GET", "/v2/", transport.host, "", {})
    transport.request(call, ERROR_BODY_LIMIT, interrupt)


def has_catalog(transport: HttpTransport, interrupt: Interrupt) -> tuple[bool, str | None]:
    """Whether repositories are listed, and the first of them."""
    call = Call(
        "GET", "/v2/_catalog?n=1", transport.host, "registry:catalog:*", {}, (401, 403, 404, 405)
    )
    try:
        document, answer = transport.request_json(call, PAGE_LIMIT, interrupt)
    except (DeniedError, IntegrityError, UnavailableError):
        return False, None
    names = document.get("repositories") if isinstance(document, dict) else None
    if answer.status != 200 or not isinstance(names, list):
        return False, None
    return True, next(
        (name for name in names if isinstance(name, str) and is_repository(name)), None
    )


@dataclass(frozen=True, slots=True)
class RangeAnswer:
    """Whether a part of a blob can be asked for, and which other host blobs come from."""

    honoured: bool
    status: int
    elsewhere: str | None


def probe_ranges(
    transport: HttpTransport, repository: str, blob: Descriptor, interrupt: Interrupt
) -> RangeAnswer:
    """Ask for a blob (of at least 2 bytes) without its first byte; reads nothing of it."""
    path = repository_path(transport.host, repository)
    scope = f"repository:{path.removeprefix('/v2/')}:pull"
    reference = f"{transport.host}/{repository}@{blob.digest}"
    call = Call("GET", f"{path}/blobs/{blob.digest}", reference, scope, range_header(1), _ANY)

    def once() -> RangeAnswer:
        with transport.exchange(call, interrupt) as reply:
            honoured = reply.status == 206 and is_rest(
                reply.headers.get("Content-Range"), 1, blob.size
            )
            elsewhere = reply.origin.authority if reply.origin != transport.origin else None
            return RangeAnswer(honoured, reply.status, elsewhere)

    return transport.attempts(interrupt).run(once)


def has_referrers(
    transport: HttpTransport, repository: str, digest: Digest, interrupt: Interrupt
) -> bool:
    """Whether there is a referrers API (distribution-spec 1.1): it answers with an index."""
    answer = _ask(transport, interrupt, "GET", repository, f"/referrers/{digest}", "pull")
    return answer.status == 200 and INDEX.encode() in answer.body


def allows_deletes(
    transport: HttpTransport, repository: str, interrupt: Interrupt
) -> tuple[bool | None, int]:
    """Whether manifests can be deleted, asked with a digest that cannot exist; and the status.

    None where that does not tell, as for a login that may not delete.
    """
    nothing = f"sha256:{secrets.token_hex(32)}"
    try:
        answer = _ask(transport, interrupt, "DELETE", repository, f"/manifests/{nothing}", "delete")
    except DeniedError:
        return None, 401
    if answer.status in (404, 202):
        return True, answer.status
    if answer.status == 405 or b"UNSUPPORTED" in answer.body:
        return False, answer.status
    return None, answer.status


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """What an upload that was begun and cancelled told.

    ``least_chunk`` is in bytes, 0 where the registry names no limit.
    """

    begun: bool
    status: int
    least_chunk: int = 0
    cancelled: bool = False


def probe_uploads(transport: HttpTransport, repository: str, interrupt: Interrupt) -> UploadAnswer:
    """Begin an upload and cancel it; no byte is sent. DeniedError where pushing is refused."""
    answer = _ask(transport, interrupt, "POST", repository, "/blobs/uploads/", "pull,push")
    if answer.status != 202:
        return UploadAnswer(False, answer.status)
    told = answer.headers.get("OCI-Chunk-Min-Length", "")
    least = int(told) if told.isascii() and told.isdigit() and len(told) < 19 else 0
    path = repository_path(transport.host, repository)
    began = f"{transport.origin.url}{path}/blobs/uploads/"
    try:
        place = urljoin(began, answer.headers.get("Location", ""))
        # A session at another host is left alone: no login goes there.
        if Origin.of(place) != transport.origin:
            return UploadAnswer(True, 202, least)
    except ValueError:
        return UploadAnswer(True, 202, least)
    parts = urlsplit(place)
    rest = parts.path + (f"?{parts.query}" if parts.query else "")
    scope = f"repository:{path.removeprefix('/v2/')}:pull,push"
    call = Call("DELETE", rest, f"{transport.host}/{repository}", scope, {}, _ANY)
    gone = transport.request(call, ERROR_BODY_LIMIT, interrupt)
    return UploadAnswer(True, 202, least, cancelled=gone.status in (202, 204))


def honours_conditions(
    transport: HttpTransport, repository: str, manifest: Manifest, interrupt: Interrupt
) -> bool | None:
    """Whether ``If-None-Match: *`` keeps a PUT from replacing what is there; None: not told.

    Puts a manifest that is there under its own digest, so that nothing changes either way.
    """
    try:
        answer = _ask(
            transport,
            interrupt,
            "PUT",
            repository,
            f"/manifests/{manifest.digest}",
            "pull,push",
            {"Content-Type": manifest.media_type, "If-None-Match": "*"},
            manifest.raw,
        )
    except (DeniedError, NotFoundError):
        return None
    return {412: True, 201: False, 200: False}.get(answer.status)
