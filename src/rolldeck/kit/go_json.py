"""JSON as Go's encoding/json writes it: compact, with its escapes and its numbers.

kit's config and manifest are such documents, and their digests are over these very bytes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from rolldeck.errors import UsageError
from rolldeck.kit.go_number import json_float

_ESCAPED = re.compile('["\\\\\x00-\x1f<>&\u2028\u2029\ud800-\udfff]')
_NAMED = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def go_json(value: Any) -> bytes:
    """Return ``value`` as JSON, mappings in their order; UsageError for NaN and infinity."""
    return "".join(_pieces(value)).encode()


def _pieces(value: Any) -> list[str]:
    if isinstance(value, str):
        return ['"', _ESCAPED.sub(_escape, value), '"']
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UsageError("A number is infinite or not a number, which JSON cannot hold")
        return [json_float(value)]
    if isinstance(value, Mapping):
        pieces = ["{"]
        for key, item in value.items():
            pieces += [",", *_pieces(key), ":"] if len(pieces) > 1 else [*_pieces(key), ":"]
            pieces += _pieces(item)
        return [*pieces, "}"]
    if isinstance(value, list | tuple):
        pieces = ["["]
        for item in value:
            pieces += [","] if len(pieces) > 1 else []
            pieces += _pieces(item)
        return [*pieces, "]"]
    return [json.dumps(value)]


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _NAMED:
        return _NAMED[char]
    return "\\ufffd" if "\ud800" <= char <= "\udfff" else f"\\u{ord(char):04x}"


def sorted_deep(value: Any) -> Any:
    """Return a free-form value with the keys of every map sorted by their UTF-8 bytes."""
    if isinstance(value, Mapping):
        return {key: sorted_deep(value[key]) for key in sorted(value, key=lambda key: key.encode())}
    if isinstance(value, list):
        return [sorted_deep(item) for item in value]
    return value
