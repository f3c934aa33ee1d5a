"""The fields of a Kitfile, in the order in which kit writes them.

The same table serves reading a local Kitfile (other fields are errors), writing the config and
writing the Kitfile on unpack, so that none of them can forget a field the others know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rolldeck.errors import IntegrityError

FieldKind = Literal["text", "texts", "any", "object", "objects"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: what it holds, the fields inside, and whether it is written when empty."""

    name: str
    kind: FieldKind = "text"
    fields: tuple[Field, ...] = ()
    always: bool = False


def _texts(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name) for name in names)


_PACKAGE = (*_texts("name", "version", "description", "license"), Field("authors", "texts"))
_PART = _texts("name", "path", "license", "type")
_MODEL = (
    *_texts("name", "path", "license", "framework", "format", "version", "description"),
    Field("parts", "objects", _PART),
    Field("parameters", "any"),
)
_CODE = _texts("path", "description", "license")
_DATASET = (
    *_texts("name", "path", "remotePath", "remoteHash", "description", "license"),
    Field("parameters", "any"),
)
_DOCS = (Field("path", always=True), Field("description"))
_PROMPT = _texts("name", "path", "description")
_MCP_SERVER = _texts("name", "path", "description")

KITFILE = (
    Field("manifestVersion", always=True),
    Field("package", "object", _PACKAGE),
    Field("model", "object", _MODEL),
    Field("code", "objects", _CODE),
    Field("datasets", "objects", _DATASET),
    Field("docs", "objects", _DOCS),
    Field("prompts", "objects", _PROMPT),
    Field("mcpServers", "objects", _MCP_SERVER),
)
"""The top level of a Kitfile."""

LAYER_FIELDS = _texts("digest", "diffId")
"""What the config, but no Kitfile, says of an element's layer; after its other fields."""


def in_order(
    document: Mapping[str, Any], fields: tuple[Field, ...], *, layers: bool, where: str = "Kitfile"
) -> dict[str, Any]:
    """Return the known fields of ``document`` in order, without those that are empty.

    Free-form values are passed on as they are; ``layers`` keeps the digests of the elements.
    Raises IntegrityError where a field holds something else than it should.
    """
    ordered: dict[str, Any] = {}
    for field in fields:
        value = document.get(field.name)
        place = f"{where}.{field.name}"
        if field.kind in ("object", "objects"):
            inner = field.fields + (LAYER_FIELDS if layers and field.name != "package" else ())
            items = value if field.kind == "objects" else [value]
            if value is None:
                continue
            if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
                raise _unexpected(place)
            found = [in_order(item, inner, layers=layers, where=place) for item in items]
            value = found if field.kind == "objects" else found[0]
            if found == [] or (field.name == "package" and not value):
                continue
        elif field.kind == "text":
            value = "" if value is None else value
            if not isinstance(value, str):
                raise _unexpected(place)
            if not value and not field.always:
                continue
        elif field.kind == "texts":
            value = ["" if item is None else item for item in _list(value, place)]
            if not all(isinstance(item, str) for item in value):
                raise _unexpected(place)
            if not value:
                continue
        elif value is None:
            continue
        ordered[field.name] = value
    return ordered


def _list(value: Any, place: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _unexpected(place)
    return value


def _unexpected(place: str) -> IntegrityError:
    return IntegrityError(f"{place} holds another type of value than a Kitfile may")
