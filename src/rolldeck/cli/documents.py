"""The JSON documents of the verbs that browse and look, and how all of them are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rolldeck.errors import RolldeckError
from rolldeck.units import rfc3339

if TYPE_CHECKING:
    from rolldeck.actions import (
        RepositoryList,
        VersionList,
        VersionRow,
    )
    from rolldeck.compare import Version
    from rolldeck.facts import Facts
    from rolldeck.kit import Layer

Document = dict[str, Any]
"""A document with the keys that docs/json.md promises."""


def print_document(document: Mapping[str, Any]) -> None:
    """Print one strict JSON document; every character outside ASCII is escaped."""
    json.dump(document, sys.stdout, allow_nan=False)
    sys.stdout.write("\n")


def error_document(error: RolldeckError) -> Document:
    """Return the document that tells of an error."""
    return {
        "error": {
            "code": error.code,
            "kind": error.kind,
            "message": error.message,
            "reference": error.reference,
            "hint": error.hint,
        }
    }


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def repositories_document(found: RepositoryList) -> Document:
    """Return what ``ls`` and ``ls HOST/`` print."""
    return {
        "repositories": [
            {"name": row.name, "source": row.source, "tags": row.versions} for row in found.rows
        ],
        "complete": found.complete,
        "problems": [{"source": source, "message": text} for source, text in found.problems],
    }


def versions_document(found: VersionList) -> Document:
    """Return what ``ls REPOSITORY`` prints."""
    return {
        "repository": found.repository.name,
        "versions": [_version_row(row, found.channels) for row in found.rows],
        "complete": found.complete,
        "referrers": found.referrers,
        "unread": found.unread,
        "stale": _time(found.stale),
    }


def _version_row(row: VersionRow, channels: frozenset[str]) -> Document:
    return {
        "tags": [row.label, *row.badges],
        "digest": row.digest,
        "kind": row.kind,
        "size": row.size,
        "created": _time(row.created),
        "name": row.name,
        "version": row.version,
        "local": row.local,
        "channels": [tag for tag in row.tags if tag in channels],
        "metrics": dict(row.metrics),
        "problem": row.problem,
    }


def version_document(version: Version) -> Document:
    """Return what ``show`` prints."""
    kit = version.kit
    return {
        "reference": version.reference,
        "digest": kit.digest,
        "kind": kit.kind,
        "size": kit.size,
        "created": _time(kit.created),
        "manifest": kit.manifest.document,
        "kitfile": kit.kitfile,
        "layers": [_layer(layer) for layer in kit.layers],
        "chain": [
            {
                "name": link.name,
                "reference": str(link.reference),
                "digest": link.kit.digest,
                "size": link.size,
            }
            for link in version.chain
        ],
        "chain_problem": version.chain_problem,
        "facts": _facts(version.facts),
    }


def _layer(layer: Layer) -> Document:
    return {
        "digest": layer.digest,
        "media_type": layer.blob.media_type,
        "size": layer.size,
        "kind": layer.kind,
        "path": layer.path,
        "name": layer.name,
        "diff_id": layer.diff_id,
        "from": layer.origin,
    }


def _facts(facts: Facts) -> Document:
    return {
        "metrics": [
            {
                "name": item.name,
                "value": item.value,
                "text": item.text,
                "unit": item.unit,
                "higher_is_better": item.higher_is_better,
                "slice": item.slice,
                "dataset": item.dataset,
                "revision": item.revision,
                "n": item.n,
                "source": item.source,
                "conflicts": [{"source": s, "value": v} for s, v in item.conflicts],
                "history": [list(point) for point in item.history],
            }
            for item in facts.metrics
        ],
        "parameters": [
            {"name": item.name, "value": item.value, "source": item.source}
            for item in facts.parameters
        ],
        "environment": _environment(facts),
        "data": [
            {
                "name": item.name,
                "role": item.role,
                "scheme": item.scheme,
                "identity": item.identity,
                "source": item.source,
                "size": item.size,
                "rows": item.rows,
                "columns": item.columns,
            }
            for item in facts.data
        ],
        "signature": None
        if facts.signature is None
        else [{"name": name, "type": kind} for name, kind in facts.signature],
        "signature_source": facts.signature_source,
        "tokenizer": [
            {"name": item.name, "value": item.value, "source": item.source}
            for item in facts.tokenizer
        ],
        "lineage": {item.name: item.value for item in facts.lineage},
        "lineage_sources": {item.name: item.source for item in facts.lineage},
        "missing": list(facts.missing),
    }


def _environment(facts: Facts) -> Document:
    groups: Document = {}
    for item in facts.environment:
        groups.setdefault(item.group, {})[item.name] = item.value
    return groups
