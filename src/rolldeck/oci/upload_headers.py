"""What a registry says of an upload in its headers: where it goes on, and how far it is."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from rolldeck.oci.address import Origin
from rolldeck.oci.call import redirect_target

_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,19})")


def upload_url(registry: Origin, base: str, location: str, reference: str) -> str:
    """Return where an upload goes on; raises UnavailableError for what is not followed.

    A registry behind a proxy that ends the encryption may name itself without it: then its own,
    encrypted address is meant.
    """
    parts = urlsplit(location)
    named = parts.hostname or ""
    if parts.scheme == "http" and registry.scheme == "https" and named == registry.host:
        location = urlunsplit(("https", registry.authority, parts.path, parts.query, ""))
    return redirect_target(base, Origin.of(base), location, reference)


def held_bytes(text: str | None, default: int | None) -> int | None:
    """Return how many bytes a Range header (``0-499``) says are there; None for no such header.

    ``0-0`` is what registries say of an upload that has nothing yet.
    """
    if text is None:
        return default
    found = _RANGE.fullmatch(text.strip())
    last = int(found.group(1)) if found else None
    return None if last is None else last + 1 if last else 0


def whole_number(text: str | None) -> int:
    """Return the number in a header; 0 where it is none."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
