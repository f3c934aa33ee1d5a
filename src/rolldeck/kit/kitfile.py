"""A local Kitfile: YAML in, the config blob's JSON out, both as kit would have it.

Fields that hold text keep the text as it stands (``version: 1.10`` is ``1.10``); free-form
parameters get the value that Go's yaml.v3 reads. Unknown fields are errors, as in kit.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from rolldeck.kit.go_json import go_json, sorted_deep
from rolldeck.kit.kitfile_fields import KITFILE, Field, in_order
from rolldeck.kit.read import elements
from rolldeck.kit.strict_yaml import YamlNode, load_yaml, yaml_error

KITFILE_NAMES = ("Kitfile", "kitfile", ".kitfile")
"""What kit looks for in a directory, in this order."""

LayerDigests = tuple[str, str]
"""Digest and diffId of an element's layer."""


def read_kitfile(data: bytes, name: str = "Kitfile") -> dict[str, Any]:
    """Return a Kitfile as a JSON document without its empty fields.

    Raises UsageError, naming the line, for anything that kit would not accept, and for anchors,
    aliases, merge keys and tags, which rolldeck does not.
    """
    return _object(load_yaml(data, name), KITFILE, name)


def config_json(kitfile: Mapping[str, Any], layers: Iterable[LayerDigests | None] = ()) -> bytes:
    """Return the config blob for a Kitfile, byte for byte as kit writes it.

    ``layers`` gives the digests of each element in kit's order (``read.elements``), None where an
    element has no layer (a reference to another kit, a remote dataset).
    """
    document = copy.deepcopy(dict(kitfile))
    for (_, element), digests in zip(elements(document), layers, strict=False):
        if digests is not None and isinstance(element, dict):
            element["digest"], element["diffId"] = digests
    ordered = in_order(document, KITFILE, layers=True)
    # Go's omitempty never leaves out a struct: package is written even when it is empty.
    manifest_version = ordered.pop("manifestVersion")
    package = ordered.pop("package", {})
    return go_json(
        {
            "manifestVersion": manifest_version,
            "package": package,
            **{key: _sorted_parameters(value) for key, value in ordered.items()},
        }
    )


def _sorted_parameters(value: Any) -> Any:
    """Sort the keys of free-form values; everything else is already in kit's order."""
    if isinstance(value, list):
        return [_sorted_parameters(item) for item in value]
    if isinstance(value, Mapping) and "parameters" in value:
        return {**value, "parameters": sorted_deep(value["parameters"])}
    return value


def _object(node: YamlNode, fields: tuple[Field, ...], name: str) -> dict[str, Any]:
    if not isinstance(node.value, dict):
        raise yaml_error(name, node.line, "a mapping is expected here")
    known = {field.name: field for field in fields}
    document: dict[str, Any] = {}
    for key, item in node.value.items():
        field = known.get(key)
        if field is None:
            line = item.key.line if item.key else item.line
            raise yaml_error(name, line, f"unknown field {key}", f"Known here: {', '.join(known)}.")
        if not item.is_null:
            document[key] = _value(item, field, name)
    return document


def _value(node: YamlNode, field: Field, name: str) -> Any:
    if field.kind == "any":
        return node.plain()
    if field.kind == "object":
        return _object(node, field.fields, name)
    if field.kind == "text":
        if not isinstance(node.value, str):
            raise yaml_error(name, node.line, f"{field.name} must be text")
        return node.value
    if not isinstance(node.value, list):
        raise yaml_error(name, node.line, f"{field.name} must be a list")
    items = [item for item in node.value if not item.is_null]
    if field.kind == "objects":
        return [_object(item, field.fields, name) for item in items]
    for item in items:
        if not isinstance(item.value, str):
            raise yaml_error(name, item.line, f"{field.name} must be a list of texts")
    return [item.value for item in items]
