"""The JSON documents of the verbs that move versions to this host and make them live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rolldeck.cli.documents import Document

if TYPE_CHECKING:
    from rolldeck.actions import (
        Moved,
        Pulled,
        PullPlan,
        Unpacked,
        UnpackPlan,
    )
    from rolldeck.errors import UsageError
    from rolldeck.kit import Found
    from rolldeck.release import Check, Plan


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
        "chain": [{"reference": str(copy), "digest": copy.digest} for copy in pulled.chain],
        "seconds": round(pulled.seconds, 3),
        "warning": pulled.warning,
    }
    if pulled.directory is not None:
        document |= {"directory": str(pulled.directory), "kept": pulled.kept}
    return document


def pull_plan_document(plan: PullPlan) -> Document:
    """Return what ``pull --dry-run`` prints."""
    return {
        "reference": str(plan.reference),
        "digest": plan.digest,
        "bytes_total": plan.bytes_total,
        "bytes_to_fetch": plan.bytes_to_fetch,
        "blobs": [
            {"digest": blob.digest, "size": blob.size, "status": "missing"} for blob in plan.missing
        ],
        "chain": [{"reference": str(copy), "digest": copy.digest} for copy in plan.chain],
        "applied": False,
    }


def unpacked_document(unpacked: Unpacked) -> Document:
    """Return what ``unpack`` prints."""
    document: Document = {
        "reference": str(unpacked.reference),
        "digest": unpacked.digest,
        "directory": str(unpacked.directory),
        "files": unpacked.files,
        "bytes": unpacked.bytes,
        "skipped": [{"path": path, "reason": reason} for path, reason in unpacked.skipped],
    }
    return document if unpacked.merged is None else document | _standings(unpacked.merged)


def unpack_plan_document(plan: UnpackPlan, problem: UsageError | None) -> Document:
    """Return what a dry run of ``unpack`` prints; ``problem`` is why it would be refused."""
    files = [item for item in plan.found if item.entry.type == "file" or item.there]
    return {
        "reference": str(plan.reference),
        "digest": plan.kit.digest,
        "directory": str(plan.directory),
        "filters": [str(item) for item in plan.filters],
        **_standings(plan.found),
        "files": [
            {
                "path": item.entry.path,
                "type": item.entry.type,
                "size": item.entry.size,
                "standing": item.standing,
                "there": item.there or None,
            }
            for item in files
        ],
        "unknown": [{"path": path, "reason": reason} for path, reason in plan.unknown],
        "problem": problem.message if problem else None,
        "applied": False,
    }


def _standings(found: Sequence[Found]) -> Document:
    from rolldeck.actions import standing_so
    from rolldeck.actions.unpack_words import STANDINGS

    items = {standing: standing_so(found, standing) for standing in STANDINGS}
    return {
        standing.replace(" ", "_"): {
            "files": len(items[standing]),
            "bytes": sum(item.entry.size for item in items[standing]),
        }
        for standing in STANDINGS
    }


def plan_document(plan: Plan) -> Document:
    """Return what a dry run prints: the move as it would be."""
    document = _move_keys(plan.verb, str(plan.target), plan.from_digest, plan.to_digest)
    return {
        **document,
        "reference": plan.reference,
        "bytes_to_move": plan.bytes_to_move,
        "summary": plan.summary,
        "plan": check_documents(plan.checks),
        "applied": False,
    }


def moved_document(moved: Moved, plan: Plan) -> Document:
    """Return what ``pin``, ``rollback`` and ``undo`` print."""
    return {
        **_move_keys(moved.verb, str(moved.target), moved.previous, moved.digest),
        "reference": moved.reference,
        "directory": str(moved.directory) if moved.directory else None,
        "generation": moved.generation,
        "removed": list(moved.removed),
        "plan": check_documents(plan.checks),
        "applied": True,
    }


def _move_keys(verb: str, target: str, start: str | None, goal: str | None) -> Document:
    if verb in ("pin", "follow"):
        return {"target": target, "digest": goal, "previous": start}
    return {"target": target, "from": start, "to": goal, "skipped": []}


def check_documents(checks: Iterable[Check]) -> list[Document]:
    """Return the checks of a plan."""
    return [{"check": item.check, "ok": item.ok, "detail": item.detail} for item in checks]
