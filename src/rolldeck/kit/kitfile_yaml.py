"""The Kitfile that lies beside unpacked files, byte for byte as ``kit unpack`` writes it.

A later ``kit unpack`` refuses a directory whose Kitfile differs from its own text. kit decodes the
config into its structures and encodes those with yaml.v3: fixed field order, unknown fields and
layer digests dropped, map keys sorted, every number a float64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rolldeck.errors import IntegrityError
from rolldeck.kit.go_yaml import FlowList, go_yaml, sorted_keys
from rolldeck.kit.kitfile_fields import KITFILE, in_order

_DEPTH_LIMIT = 256
"""Deepest nesting of free-form values written; far above what JSON documents have."""


def kitfile_yaml(kitfile: Mapping[str, Any]) -> bytes:
    """Return the Kitfile text for a config document; raises IntegrityError for a malformed one."""
    ordered = in_order(kitfile, KITFILE, layers=False)
    package = ordered.get("package", {})
    document = _go_values(ordered, 0)
    if "authors" in package:
        document["package"]["authors"] = FlowList(map(_go_text, package["authors"]))
    return go_yaml(document).encode()


def _go_values(value: Any, depth: int) -> Any:
    """Return the value as Go has it after decoding JSON; maps keep their order at the top."""
    if depth > _DEPTH_LIMIT:
        raise IntegrityError("The Kitfile is nested too deeply")
    if isinstance(value, str):
        return _go_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _go_float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise IntegrityError("The Kitfile holds a number that is no JSON number")
    if isinstance(value, list):
        return [_go_values(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {
            _go_text(key): _sorted(item) if key == "parameters" else item
            for key, item in ((key, _go_values(item, depth + 1)) for key, item in value.items())
        }
    return value


def _go_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise IntegrityError("The Kitfile holds a number that is too large") from None


def _go_text(text: str) -> str:
    # Go decodes a lone surrogate of a JSON string as the replacement character.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted_keys(list(value))}
    return value
