"""Kits made on the spot: a Kitfile with the parameters under test, and nothing else."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

from rolldeck.facts import Facts
from rolldeck.kit.model import Kit
from rolldeck.oci import Manifest, digest_of, parse_manifest
from rolldeck.text import clean_line

CONFIG_TYPE = "application/vnd.kitops.modelkit.config.v1+json"


def make_manifest(layers: list[dict[str, Any]], annotations: dict[str, str]) -> Manifest:
    """Return the manifest of a ModelKit with these layers."""
    document = {
        "schemaVersion": 2,
        "config": {"mediaType": CONFIG_TYPE, "digest": digest_of(b"{}"), "size": 2},
        "layers": layers,
        "annotations": annotations,
    }
    return parse_manifest(json.dumps(document).encode(), None, reference="test")


def make_kit(parameters: Any, annotations: dict[str, str] | None = None) -> Kit:
    """Return a kit with these ``model.parameters``, which need not be JSON."""
    manifest = make_manifest([], annotations or {})
    kitfile = {"manifestVersion": "1.0.0", "model": {"name": "m", "parameters": parameters}}
    return Kit(manifest, "modelkit", (), kitfile, kitfile)


def lineage_of(facts: Facts) -> dict[str, str]:
    """Return a version's lineage by name."""
    return {item.name: item.value for item in facts.lineage}


def is_clean(node: Any) -> bool:
    """Whether every text in facts is safe to show."""
    if isinstance(node, str):
        return clean_line(node, len(node) + 1) == node
    if isinstance(node, (tuple, list)):
        return all(is_clean(item) for item in node)
    return not is_dataclass(node) or all(
        is_clean(getattr(node, field.name)) for field in fields(node)
    )
