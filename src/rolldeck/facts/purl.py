"""Package URLs: ``pkg:pypi/numpy@2.1.0``."""

from __future__ import annotations

from urllib.parse import unquote

from rolldeck.facts.packages import UNKNOWN, canonical_name
from rolldeck.text import clean_line

SCHEME = "pkg:"
_PYTHON = ("pypi", "conda")


def read_purl(purl: str) -> tuple[str, str] | None:
    """Return name and version: Python packages by normalized name, others as ``type:name``."""
    rest = purl.removeprefix(SCHEME).partition("#")[0].partition("?")[0].strip("/")
    path, mark, version = rest.rpartition("@")
    kind, _, label = (path if mark else rest).partition("/")
    label, version = (clean_line(unquote(part), 250) for part in (label, version if mark else ""))
    if not label:
        return None
    kind = clean_line(kind).lower()
    return canonical_name(label) if kind in _PYTHON else f"{kind}:{label}", version or UNKNOWN
