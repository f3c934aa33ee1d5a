"""The JSON document of triage."""

from __future__ import annotations

from rolldeck.actions import Triage, TriageRow
from rolldeck.cli.channel_documents import hold_document
from rolldeck.cli.documents import Document
from rolldeck.units import rfc3339


def triage_document(found: Triage) -> Document:
    """Return what ``triage`` prints."""
    incident = found.incident_row
    return {
        "channel": str(found.channel) if found.channel is not None else None,
        "target": str(found.target) if found.target is not None else None,
        "digest": found.live,
        "label": found.live_label,
        "good": found.good,
        "incident": {
            "since": rfc3339(found.since),
            "generation": incident.number if incident else None,
        }
        if found.since
        else None,
        "generations": [_row(row) for row in found.rows],
        "summary": found.summary,
        "drift": found.drift,
        "pending": found.pending,
        "chain": found.chain,
        "hold": hold_document(found.hold, found.now),
        "targets": [
            {"path": str(item.path), "digest": item.current, "label": item.label}
            for item in found.targets
        ],
        "read": rfc3339(found.read) if found.read else None,
        "stale": found.is_stale,
        "problem": found.problem,
        "unpublished": list(found.unpublished),
    }


def _row(row: TriageRow) -> Document:
    return {
        "number": row.number,
        "verb": row.verb,
        "digest": row.digest,
        "label": row.label,
        "time": rfc3339(row.time),
        "actor": row.actor,
        "reason": row.reason,
        "active_seconds": int(row.active.total_seconds()),
        "verdict": row.verdict,
        "live": row.is_live,
        "current": row.is_current,
        "bytes_missing": row.missing,
        "gone": row.is_gone,
        "fits": row.fits,
        "signed": row.signed,
        "skipped": row.skipped,
    }
