"""A model's signature: the inputs it takes and the outputs it gives, with their types.

Both the form of the run record and that of MLflow (column or tensor specifications, possibly as
JSON text) are read. Undeclared is None and differs from declared empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rolldeck.facts.document import items, mapping, name, scalar, unique
from rolldeck.text import clean_line

_ROLES = (("inputs", "input"), ("outputs", "output"), ("params", "param"))
_TYPE_LIMIT = 200
_MOST_TEXT = 4 * 1024 * 1024
"""Longest JSON text read as a signature, in characters."""


def read_signature(value: Any) -> tuple[tuple[str, str], ...] | None:
    """Return ``(name, type)`` pairs such as ``("input mean radius", "double")``.

    An optional field's type ends in ``, optional``, that of a parameter in its default value; a
    field without a name goes by its index.
    Returns None where neither inputs nor outputs are declared.
    """
    document = mapping(value)
    if _fields(document.get("inputs")) is None and _fields(document.get("outputs")) is None:
        return None
    names: list[str] = []
    types: list[str] = []
    for key, role in _ROLES:
        for index, field in enumerate(_fields(document.get(key)) or ()):
            described = mapping(field)
            names.append(f"{role} {name(described.get('name')) or index}")
            types.append(_type(described, field) + _default(role, described))
    return tuple(zip(unique(names), types, strict=True))


def _fields(value: Any) -> list[Any] | None:
    """Return the declared fields, None where nothing is declared."""
    if isinstance(value, str) and len(value) <= _MOST_TEXT:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return items(value) if isinstance(value, list) else None


def _type(field: Mapping[str, Any], raw: Any) -> str:
    if not field:
        return clean_line(str(scalar(raw)), _TYPE_LIMIT) if isinstance(raw, str) else "undeclared"
    tensor = mapping(field.get("tensor-spec"))
    described = _one_type(field.get("type") if not tensor else None)
    if tensor:
        dtype = name(tensor.get("dtype")) or "undeclared"
        described = f"tensor {dtype} {_shape(tensor.get('shape'))}".rstrip()
    elif _shape(field.get("shape")):
        described = f"{described} {_shape(field.get('shape'))}"
    return f"{described}, optional" if field.get("required") is False else described


def _default(role: str, field: Mapping[str, Any]) -> str:
    """Return what callers get who leave a parameter out."""
    if role != "param" or "default" not in field:
        return ""
    return f" = {_one_value(field['default'])}"


def _one_value(value: Any) -> str:
    return _one_type(value) if isinstance(value, (dict, list)) else str(scalar(value))


def _one_type(value: Any) -> str:
    """Return a type's name, nested types as JSON text."""
    if isinstance(value, (dict, list)):
        try:
            return clean_line(json.dumps(value, sort_keys=True), _TYPE_LIMIT)
        except (TypeError, ValueError, RecursionError):
            return "nested too deep to show"
    return name(value) or "undeclared"


def _shape(value: Any) -> str:
    if not isinstance(value, list):
        return ""
    sizes = (str(scalar(size)) for size in value[:16] if not isinstance(size, (dict, list)))
    return f"[{', '.join(sizes)}]"
