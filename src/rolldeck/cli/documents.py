"""The JSON documents of the verbs, with the keys that docs/json.md promises."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rolldeck.errors import RolldeckError
from rolldeck.units import rfc3339

if TYPE_CHECKING:
    from rolldeck.actions import (
        Checked,
        Delivered,
        Delivery,
        Initialized,
        LoggedIn,
        LoggedOut,
        Moved,
        Problem,
        Pulled,
        Removal,
        RepositoryList,
        Survey,
        Unpacked,
        Verified,
        VersionList,
        VersionRow,
    )
    from rolldeck.compare import Version
    from rolldeck.facts import Facts
    from rolldeck.kit import Layer
    from rolldeck.kit.finding import Finding
    from rolldeck.oci import Digest
    from rolldeck.release import Check, Plan

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
        "unread": found.unread,
        "stale": _time(found.stale),
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


def pulled_document(pulled: Pulled) -> Document:
    """Return what ``pull`` prints."""
    return {
        "reference": str(pulled.reference),
        "digest": pulled.digest,
        "bytes_total": pulled.bytes_total,
        "bytes_transferred": pulled.bytes_transferred,
        "blobs": [
            {"digest": blob.digest, "size": blob.size, "status": blob.status}
            for blob in pulled.blobs
        ],
        "chain": [{"reference": str(copy), "digest": copy.digest} for copy in pulled.chain],
        "seconds": round(pulled.seconds, 3),
        "warning": pulled.warning,
    }


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
        "plan": _checks(plan.checks),
        "applied": False,
    }


def moved_document(moved: Moved, plan: Plan) -> Document:
    """Return what ``pin``, ``rollback`` and ``undo`` print."""
    return {
        **_move_keys(moved.verb, str(moved.target), moved.previous, moved.digest),
        "reference": moved.reference,
        "directory": str(moved.directory) if moved.directory else None,
        "generation": moved.generation,
        "plan": _checks(plan.checks),
        "applied": True,
    }


def _move_keys(verb: str, target: str, start: str | None, goal: str | None) -> Document:
    if verb == "pin":
        return {"target": target, "digest": goal, "previous": start}
    return {"target": target, "from": start, "to": goal, "skipped": []}


def _checks(checks: Iterable[Check]) -> list[Document]:
    return [{"check": item.check, "ok": item.ok, "detail": item.detail} for item in checks]


def delivery_document(delivery: Delivery, missing: Collection[Digest]) -> Document:
    """Return what a dry run of ``push``, ``copy`` and ``tag`` prints."""
    blobs = delivery.graph.blobs
    return {
        **_delivery_keys(delivery),
        "bytes_to_move": sum(blob.size for blob in blobs if blob.digest in missing),
        "blobs": [
            {
                "digest": blob.digest,
                "size": blob.size,
                "status": "missing" if blob.digest in missing else "present",
            }
            for blob in blobs
        ],
        "applied": False,
    }


def delivered_document(delivered: Delivered) -> Document:
    """Return what ``push``, ``copy`` and ``tag`` print."""
    return {
        **_delivery_keys(delivered.delivery),
        "bytes_transferred": delivered.bytes_transferred,
        "blobs": [
            {"digest": blob.digest, "size": blob.size, "status": blob.status}
            for blob in delivered.blobs
        ],
        "seconds": round(delivered.seconds, 3),
        "applied": True,
    }


def _delivery_keys(delivery: Delivery) -> Document:
    return {
        "reference": str(delivery.reference),
        "digest": delivery.digest,
        "source": str(delivery.source),
        "tags": [{"tag": item.tag, "from": item.before} for item in delivery.tags],
    }


def removal_document(removal: Removal, *, applied: bool) -> Document:
    """Return what ``rm`` and ``untag`` print."""
    return {
        "reference": str(removal.reference),
        "digest": removal.digest,
        "tags": list(removal.tags),
        "kept": list(removal.kept),
        "plan": _checks(removal.checks),
        "applied": applied,
    }


def logged_in_document(done: LoggedIn) -> Document:
    """Return what ``login`` prints."""
    return {
        "registry": done.registry,
        "user": done.user,
        "saved_in": done.saved_in,
        "helper": done.helper,
        "checked": done.checked,
        "applied": done.applied,
    }


def logged_out_document(done: LoggedOut) -> Document:
    """Return what ``logout`` prints."""
    return {
        "registry": done.registry,
        "removed": list(done.removed),
        "remaining": done.remaining,
        "applied": done.applied,
    }


def verified_document(what: str, verified: Verified) -> Document:
    """Return what ``verify`` prints."""
    return {
        "what": what,
        "ok": verified.ok,
        "checked": verified.checked,
        "problems": [_problem(item) for item in verified.problems],
    }


def _problem(item: Problem) -> Document:
    if item.path is not None:
        return {"path": item.path, "problem": item.problem}
    return {
        "digest": item.digest,
        "problem": item.problem,
        "references": list(item.references),
        "quarantine": str(item.quarantine) if item.quarantine else None,
        "repaired": item.repaired,
    }


def garbage_document(found: Survey, *, applied: bool) -> Document:
    """Return what ``gc`` prints."""
    return {
        "applied": applied,
        "bytes": found.size,
        "remove": [
            {
                "kind": item.kind,
                "digest": item.digest,
                "path": str(item.path),
                "size": item.size,
                "reason": item.reason,
            }
            for item in found.garbage
        ],
        "keep": [
            {
                "digest": item.digest,
                "size": item.size,
                "reasons": [{"why": reason.why, "what": reason.what} for reason in item.reasons],
            }
            for item in found.kept
        ],
        "problems": list(found.problems),
    }


def checked_document(checked: Checked) -> Document:
    """Return what ``check`` prints."""
    return {
        "path": str(checked.path),
        "ok": checked.ok,
        "findings": [finding_document(item) for item in checked.findings],
    }


def initialized_document(found: Initialized) -> Document:
    """Return what ``init`` prints."""
    proposal = found.proposal
    return {
        "path": str(found.path),
        "written": found.written,
        "kitfile": found.text,
        "kitignore": found.ignore,
        "kitignore_written": found.written and found.ignore is not None and found.ignore_is_new,
        "elements": [
            {
                "kind": item.kind,
                "path": item.path,
                "type": item.type,
                "files": item.files,
                "size": item.size,
                "why": item.why,
            }
            for item in proposal.elements
        ],
        "left_out": [
            {"path": item.path, "why": item.why, "secret": item.is_secret}
            for item in proposal.left_out
        ],
        "notes": list(proposal.notes),
        "findings": [finding_document(item) for item in found.findings],
    }


def finding_document(item: Finding) -> Document:
    return {
        "file": item.file,
        "line": item.line,
        "column": item.column,
        "severity": item.severity,
        "message": item.message,
        "hint": item.hint,
    }
