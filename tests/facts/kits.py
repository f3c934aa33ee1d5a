"""Kits made on the spot: a Kitfile with the parameters under test, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from rolldeck.facts import Facts
from rolldeck.kit.model import Kit
from rolldeck.oci import Manifest, digest_of, parse_manifest

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
