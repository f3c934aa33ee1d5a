"""The JSON documents of the verbs, with the keys that docs/json.md promises."""

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
        Moved,
        Pulled,
        RepositoryList,
        Unpacked,
        Verified,
        VersionList,
        VersionRow,
    )
    from rolldeck.compare import Version
    from rolldeck.facts import Facts
    from rolldeck.kit import Layer
    from rolldeck.release import Plan

Document = dict[str, Any]


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
        "versions": [_version_row(row) for row in found.rows],
        "complete": found.complete,
        "referrers": found.referrers,
    }


def _version_row(row: VersionRow) -> Document:
    return {
        "tags": [row.label, *row.badges],
        "digest": row.digest,
        "kind": row.kind,
        "size": row.size,
        "created": _time(row.created),
        "name": row.name,
        "version": row.version,
        "local": row.local,
        "channels": [],
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
                "n": item.n,
                "source": item.source,
                "conflicts": [{"source": s, "value": v} for s, v in item.conflicts],
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
            }
            for item in facts.data
        ],
        "signature": None
        if facts.signature is None
        else [{"name": name, "type": kind} for name, kind in facts.signature],
        "lineage": dict(facts.lineage),
        "missing": list(facts.missing),
    }


def _environment(facts: Facts) -> Document:
    groups: Document = {}
    for item in facts.environment:
        groups.setdefault(item.group, {})[item.name] = item.value
    return groups


def pulled_document(pulled: Pulled) -> Document:
    """Return what ``pull`` prints."""
    document: Document = {
        "reference": str(pulled.reference),
        "digest": pulled.digest,
        "bytes_total": pulled.bytes_total,
        "bytes_transferred": pulled.bytes_transferred,
        "blobs": [
            {"digest": blob.digest, "size": blob.size, "status": blob.status}
            for blob in pulled.blobs
        ],
        "seconds": round(pulled.seconds, 3),
    }
    if pulled.directory is not None:
        document |= {"directory": str(pulled.directory), "kept": pulled.kept}
    return document


def unpacked_document(unpacked: Unpacked) -> Document:
    """Return what ``unpack`` prints."""
    return {
        "reference": str(unpacked.reference),
        "digest": unpacked.digest,
        "directory": str(unpacked.directory),
        "files": unpacked.files,
        "bytes": unpacked.bytes,
        "skipped": [{"path": path, "reason": reason} for path, reason in unpacked.skipped],
    }


def plan_document(plan: Plan) -> Document:
    """Return what a dry run prints: the move as it would be."""
    document = _move_keys(plan.verb, str(plan.target), plan.from_digest, plan.to_digest)
    return {
        **document,
        "reference": plan.reference,
        "bytes_to_move": plan.bytes_to_move,
        "summary": plan.summary,
        "plan": _checks(plan),
        "applied": False,
    }


def moved_document(moved: Moved, plan: Plan) -> Document:
    """Return what ``pin``, ``rollback`` and ``undo`` print."""
    return {
        **_move_keys(moved.verb, str(moved.target), moved.previous, moved.digest),
        "reference": moved.reference,
        "directory": str(moved.directory) if moved.directory else None,
        "generation": moved.generation,
        "plan": _checks(plan),
        "applied": True,
    }


def _move_keys(verb: str, target: str, start: str | None, goal: str | None) -> Document:
    if verb == "pin":
        return {"target": target, "digest": goal, "previous": start}
    return {"target": target, "from": start, "to": goal, "skipped": []}


def _checks(plan: Plan) -> list[Document]:
    return [{"check": item.check, "ok": item.ok, "detail": item.detail} for item in plan.checks]


def verified_document(verified: Verified) -> Document:
    """Return what ``verify`` prints."""
    return {
        "ok": verified.ok,
        "checked": verified.checked,
        "problems": [
            {"path": item.path, "problem": item.problem}
            if item.path is not None
            else {"digest": item.digest, "problem": item.problem}
            for item in verified.problems
        ],
    }
