"""Text from outside, made safe to show.

Every string that comes out of a registry, an archive or a foreign file passes through here once,
where bytes become text. Terminal control sequences, bidirectional overrides, line separators and
lone surrogates are shown as escapes, so no later code needs to know that text can be hostile.
"""

from __future__ import annotations

import re
from typing import Any

_LIMIT = 4096
"""Longest single value shown, in characters: one huge line must not freeze a layout."""

_HOSTILE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def _escape(match: re.Match[str]) -> str:
    point = ord(match.group())
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"


def clean(text: str, limit: int = _LIMIT) -> str:
    """Return ``text`` safe for a terminal, cut to ``limit`` characters; newline and tab stay."""
    text = text.replace("\r\n", "\n")
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    # Nothing hostile is printable; the pattern is made when it is first needed.
    return text if text.isprintable() else re.sub(_HOSTILE, _escape, text)


def clean_line(text: str, limit: int = _LIMIT) -> str:
    """Return ``text`` as one safe line: newlines and tabs become spaces."""
    return clean(" ".join(text.split()) if "\n" in text or "\t" in text else text, limit)


def clean_tree(value: Any) -> Any:
    """Return a JSON document with every string in it, keys included, made safe to show."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): clean_tree(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_tree(item) for item in value]
    return value


def decode(data: bytes, limit: int) -> str:
    """Decode a text file of a version for showing: UTF-8, invalid bytes replaced, cleaned."""
    return clean(data.decode("utf-8-sig", errors="replace"), limit)
