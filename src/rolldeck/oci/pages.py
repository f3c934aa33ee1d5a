"""Listings that come in pages (distribution-spec 1.1 "Content Discovery"), with every limit.

A registry may be broken or hostile: a page that leads back, away from the registry, or to nothing
new ends the listing, which then says that it is not complete.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from rolldeck.errors import IntegrityError, NotFoundError, UnavailableError
from rolldeck.oci.address import Origin
from rolldeck.oci.registry import Listing
from rolldeck.text import clean_line

PAGE_SIZE = 1000
"""Names asked for per page."""

PAGE_LIMIT = 16 * 1024 * 1024
"""Largest page read, in bytes."""

MOST_PAGES = 1_000
MOST_NAMES = 100_000

_LINK = re.compile(r'[ \t,]*<([^<>\r\n]*)>((?:[ \t]*;[ \t]*[!-:<-~]+?=(?:"[^"]*"|[^\s;,"]*))*)')
_NEXT = re.compile(r';[ \t]*rel=(?:"(?:[^"]*[ \t])?next(?:[ \t][^"]*)?"|next(?![^\s;,]))', re.I)


def next_page(origin: Origin, path: str, link: str) -> str | None:
    """Return the path of the next page that a Link header (RFC 8288) names.

    None where it names none; raises ValueError where that leaves the registry's origin.
    """
    position = 0
    while found := _LINK.match(link, position):
        position = found.end()
        if _NEXT.search(found.group(2)):
            target: str = urljoin(origin.url + path, found.group(1))
            if Origin.of(target) != origin or urlsplit(target).username is not None:
                raise ValueError(f"another origin: {clean_line(target, 200)}")
            parts = urlsplit(target)
            return parts.path + (f"?{parts.query}" if parts.query else "")
    return None


def collect_names(
    fetch: Callable[[str], tuple[Any, Mapping[str, str]]],
    path: str,
    key: str,
    accept: Callable[[str], bool],
    *,
    origin: Origin,
    reference: str,
) -> Listing:
    """Collect the names under ``key`` of all pages from ``path`` on.

    ``fetch`` returns the JSON and headers of one page. Names that ``accept`` turns down are left
    out. Raises UnavailableError where the first page is no listing, and what ``fetch`` raises for
    it; a later page that cannot be read ends the listing.
    """
    names: dict[str, None] = {}
    seen: set[str] = set()
    complete = True
    following: str | None = f"{path}?n={PAGE_SIZE}"
    while following is not None:
        if following in seen or len(seen) >= MOST_PAGES:
            return Listing(tuple(names), complete=False)
        seen.add(following)
        try:
            document, headers = fetch(following)
            page = _page(document, key, origin, reference)
        except (IntegrityError, NotFoundError, UnavailableError):
            if len(seen) == 1:
                raise
            return Listing(tuple(names), complete=False)
        before = len(names)
        for name in page:
            if isinstance(name, str) and accept(name):
                names[name] = None
            else:
                complete = False
            if len(names) >= MOST_NAMES:
                return Listing(tuple(names), complete=False)
        try:
            following = next_page(origin, following, headers.get("Link", ""))
        except ValueError:
            return Listing(tuple(names), complete=False)
        if following is not None and len(names) == before and page:
            return Listing(tuple(names), complete=False)
    return Listing(tuple(names), complete=complete)


def _page(document: Any, key: str, origin: Origin, reference: str) -> list[Any]:
    page = document.get(key) if isinstance(document, dict) else document
    if page is None and isinstance(document, dict) and key in document:
        page = []
    if not isinstance(page, list):
        raise UnavailableError(
            f"{reference}: {origin.authority} answered without a list of {key}",
            reference=reference,
            hint="Check that the host is an OCI registry.",
        )
    return page
