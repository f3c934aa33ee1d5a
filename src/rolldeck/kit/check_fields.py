"""Checks of a Kitfile's fields: which there are, what they hold. Touches no files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from rolldeck.kit.finding import Findings, closest
from rolldeck.kit.go_scalar import resolve
from rolldeck.kit.kitfile_elements import elements_of
from rolldeck.kit.kitfile_fields import KITFILE, LAYER_FIELDS, Field
from rolldeck.kit.strict_yaml import Place, YamlNode

MANIFEST_VERSION = "1.0.0"

_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_PART_TYPE = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]*")
_PART_TYPE_LIMIT = 64

_OTHER_WORDS = {
    "author": "authors",
    "dataset": "datasets",
    "data": "datasets",
    "desc": "description",
    "doc": "docs",
    "documentation": "docs",
    "file": "path",
    "hyperparameters": "parameters",
    "licence": "license",
    "metrics": "parameters",
    "models": "model",
    "params": "parameters",
    "prompt": "prompts",
}
"""What people write for a field whose name is too far from it to be found by its letters."""


def check_fields(root: YamlNode, findings: Findings) -> None:
    """Check names and types of all fields, and the values that have rules of their own."""
    _object(root, KITFILE, "the Kitfile", findings)
    if not isinstance(root.value, dict):
        return
    _manifest_version(root, findings)
    _package_name(root, findings)
    if "mcpServers" in root.value and not root.value["mcpServers"].is_null:
        found = root.value["mcpServers"]
        hint = "Use kit for MCP bundles."
        findings.error(found.key or found.place, "mcpServers cannot be packed", hint)
    for element in elements_of(root):
        kind = element.text("type") if element.kind == "modelpart" else ""
        if kind and not _PART_TYPE.fullmatch(kind):
            hint = "Letters, digits, dots, dashes and underscores; a letter or digit first."
            findings.error(element.place("type"), f"{kind!r} cannot be the type of a part", hint)
        elif len(kind) > _PART_TYPE_LIMIT:
            findings.error(element.place("type"), f"a type has at most {_PART_TYPE_LIMIT} letters")
        if parameters := element.value("parameters"):
            _parameters(parameters, findings)


def _manifest_version(root: YamlNode, findings: Findings) -> None:
    assert isinstance(root.value, dict)
    found = root.value.get("manifestVersion")
    hint = f"Write manifestVersion: {MANIFEST_VERSION}"
    if found is None or found.is_null:
        if not root.partial:
            findings.warning(Place(1, 1), "manifestVersion is missing", hint)
    elif isinstance(found.value, str) and found.value != MANIFEST_VERSION and not found.partial:
        text = f"kit does not know the manifestVersion {found.value}"
        findings.warning(found.place, text, hint)


def _package_name(root: YamlNode, findings: Findings) -> None:
    assert isinstance(root.value, dict)
    package = root.value.get("package")
    fields = package.value if package and isinstance(package.value, dict) else {}
    name = fields.get("name")
    is_partial = root.partial or (package is not None and package.partial)
    if (name is None or name.is_null or name.value == "") and not is_partial:
        place = (package.key if package else None) or Place(1, 1)
        findings.info(place, "package.name is missing", "It is what lists of kits show.")


def _object(node: YamlNode, fields: tuple[Field, ...], where: str, findings: Findings) -> None:
    if node.is_null or (node.partial and node.value == ""):
        return
    if not isinstance(node.value, dict):
        findings.error(node.place, f"{where} must be a mapping", _mapping_hint(node, fields))
        return
    known = {field.name: field for field in fields}
    for key, item in node.value.items():
        field = known.get(key)
        if field is None:
            text = f'unknown field "{key}" in {where}'
            findings.error(item.key or item.place, text, _meant(key, known))
        elif not item.is_null and not (item.partial and item.value == ""):
            _value(item, field, findings)


def _mapping_hint(node: YamlNode, fields: tuple[Field, ...]) -> str | None:
    names = {field.name for field in fields}
    if isinstance(node.value, str) and "path" in names:
        return f"Write path: {node.value}"
    if isinstance(node.value, list) and "parts" in names:
        return "There is one model; further weights are its parts."
    return "Write fields as 'name: value', without '- '." if isinstance(node.value, list) else None


def _meant(key: str, known: dict[str, Field]) -> str:
    """Say what an unknown field was probably meant to be."""
    if any(key == field.name for field in LAYER_FIELDS):
        return "kit writes it into the packed config; leave it out here."
    meant = _OTHER_WORDS.get(key.casefold())
    if meant in known:
        return f'Did you mean "{meant}"?'
    homes = [home for home in _homes(key, KITFILE, "the Kitfile") if home]
    near = closest(key, known)
    if homes and (near is None or near.casefold() != key.casefold()):
        return f"It belongs in {' or '.join(dict.fromkeys(homes))}."
    return f'Did you mean "{near}"?' if near else f"Known here: {', '.join(known)}."


def _homes(key: str, fields: tuple[Field, ...], where: str) -> Iterator[str]:
    for field in fields:
        if field.name == key:
            yield where
        yield from _homes(key, field.fields, field.name)


def _value(node: YamlNode, field: Field, findings: Findings) -> None:
    if field.kind == "any":
        return
    if field.kind == "object":
        _object(node, field.fields, field.name, findings)
    elif field.kind == "text":
        if not isinstance(node.value, str):
            hint = (
                "One element has one path; make an element of each."
                if field.name == "path"
                else None
            )
            findings.error(node.place, f"{field.name} must be text", hint)
    elif not isinstance(node.value, list):
        findings.error(node.place, f"{field.name} must be a list", _list_hint(node, field))
    elif field.kind == "objects":
        for item in node.value:
            if item.is_null and not item.partial:
                text = f"an empty element in {field.name}; it is passed over"
                findings.warning(item.place, text, "Give it a path, or remove it.")
            _object(item, field.fields, f"an element of {field.name}", findings)
    else:
        for item in node.value:
            if not isinstance(item.value, str):
                findings.error(item.place, f"{field.name} must be a list of texts")


def _list_hint(node: YamlNode, field: Field) -> str:
    if isinstance(node.value, str):
        return f"Write [{node.value}]" if field.kind == "texts" else f"Write '- path: {node.value}'"
    return "Begin each element with '- '."


def _parameters(node: YamlNode, findings: Findings) -> None:
    if isinstance(node.value, dict):
        for item in node.value.values():
            _parameters(item, findings)
    elif isinstance(node.value, list):
        for item in node.value:
            _parameters(item, findings)
    elif not node.quoted and not node.partial:
        _number(node.value, node.place, findings)


def _number(text: str, place: Place, findings: Findings) -> None:
    found = resolve(text)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return
    if isinstance(found, float) and not math.isfinite(found):
        findings.error(place, f"{text}: JSON has no such number", "Put it in quotes.")
    elif _OCTAL.fullmatch(text):
        hint = "Put it in quotes to keep it as it stands."
        findings.warning(place, f"{text} is read as an octal number: {found}", hint)
    elif isinstance(found, int) and int(float(found)) != found:
        text = f"{text} has more digits than kit keeps: it reads {int(float(found))}"
        findings.warning(place, text, "Put it in quotes to keep it as it stands.")
