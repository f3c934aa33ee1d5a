"""What a row of a listing says of a version, from its manifest and its config."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rolldeck.errors import RolldeckError
from rolldeck.facts import Facts, collect
from rolldeck.kit import kind_of, read_kit
from rolldeck.oci import Manifest
from rolldeck.text import clean_line


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What a manifest tells; once ``loaded``, also what its config tells."""

    kind: str = ""
    size: int | None = None
    created: datetime | None = None
    name: str | None = None
    version: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    loaded: bool = False
    problem: str | None = None


def facts_of_manifest(manifest: Manifest) -> RowFacts:
    """Return kind and size, which need no config."""
    size = sum(item.size for item in manifest.layers or manifest.manifests)
    return RowFacts(kind_of(manifest), size)


def facts_of_kit(manifest: Manifest, config: bytes | None) -> RowFacts:
    """Return all that a row says; a config that is no kit's becomes its problem."""
    try:
        kit = read_kit(manifest, config)
    except RolldeckError as error:
        return unreadable(facts_of_manifest(manifest), error)
    package = kit.package
    return RowFacts(
        kit.kind,
        kit.size,
        kit.created,
        _line(package.get("name")),
        _line(package.get("version")),
        _headline(collect(kit, {})),
        loaded=True,
    )


def unreadable(facts: RowFacts, error: RolldeckError) -> RowFacts:
    """Return what is known of a version whose config cannot be read, and why it cannot."""
    return replace(facts, loaded=True, problem=error.message)


def _headline(facts: Facts) -> dict[str, float]:
    """Return the metrics by name, with slice and data set only where a name occurs twice."""
    count = Counter(item.name for item in facts.metrics)
    return {
        item.name if count[item.name] == 1 else item.key: item.value
        for item in facts.metrics
        if item.value is not None
    }


def _line(value: object) -> str | None:
    return clean_line(value, 200) if isinstance(value, str) and value else None
