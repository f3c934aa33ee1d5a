"""What refers to a manifest (distribution-spec 1.1 "Listing Referrers"), with every limit."""

from __future__ import annotations

from urllib.parse import quote

from rolldeck.errors import IntegrityError, UnavailableError
from rolldeck.oci.address import repository_path
from rolldeck.oci.call import Answer, Call
from rolldeck.oci.digest import Digest, parse_digest
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.model import INDEX, MANIFEST_LIMIT, Descriptor, parse_manifest
from rolldeck.oci.pages import next_page
from rolldeck.oci.transport import HttpTransport

_NO_API = (400, 404, 405, 501)
"""Answers of registries that know no such request."""

_MOST_PAGES = 100
_MOST = 10_000
"""Most referrers of one manifest that are listed."""


def list_referrers(
    transport: HttpTransport,
    repository: str,
    digest: Digest,
    artifact_type: str | None,
    interrupt: Interrupt,
) -> tuple[Descriptor, ...] | None:
    """List the manifests whose subject is ``digest``, of one artifact type where that is given.

    None where the registry has no referrers API. Raises UnavailableError where the list has no
    end, or goes on elsewhere: a part of it would hide what was said of a version.
    """
    reference = f"{transport.host}/{repository}@{digest[:80]}"
    path = repository_path(transport.host, repository)
    scope = f"repository:{path.removeprefix('/v2/')}:pull"
    query = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
    following: str | None = f"{path}/referrers/{parse_digest(digest, reference=reference)}{query}"
    found: dict[Digest, Descriptor] = {}
    seen: set[str] = set()
    while following is not None:
        if following in seen or len(seen) >= _MOST_PAGES or len(found) > _MOST:
            raise _endless(transport.host, reference)
        seen.add(following)
        call = Call("GET", following, reference, scope, {"Accept": INDEX}, _NO_API)
        answer = transport.request(call, MANIFEST_LIMIT, interrupt)
        page = _page(answer, reference)
        if page is None:
            if found or len(seen) > 1:
                raise _endless(transport.host, reference)
            return None
        found |= {item.digest: item for item in page}
        try:
            following = next_page(transport.origin, following, answer.headers.get("Link", ""))
        except ValueError:
            raise _endless(transport.host, reference) from None
    # Filtering is optional for a registry.
    wanted = (artifact_type,) if artifact_type else ()
    return tuple(item for item in found.values() if not wanted or item.artifact_type in wanted)


def _page(answer: Answer, reference: str) -> tuple[Descriptor, ...] | None:
    """Return one page; None where the answer is none, as of a registry without the API."""
    if answer.status in _NO_API or answer.media_type not in (INDEX, "application/json"):
        return None
    try:
        index = parse_manifest(answer.body, INDEX, reference=reference)
    except IntegrityError:
        return None
    return index.manifests if "manifests" in index.document else None


def _endless(host: str, reference: str) -> UnavailableError:
    return UnavailableError(
        f"{reference}: {host} does not list all that refers to it",
        reference=reference,
        hint="The registry answers wrongly; tell who runs it.",
    )
