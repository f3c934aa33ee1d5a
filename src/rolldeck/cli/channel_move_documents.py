"""The JSON documents of the verbs that move and mark channels and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.cli.documents import Document
from rolldeck.cli.move_documents import check_documents
from rolldeck.release.channel import Hold, Verdict
from rolldeck.units import rfc3339

if TYPE_CHECKING:
    from rolldeck.actions import ChannelMoved, Marking, Rehearsed
    from rolldeck.release.channel import ChannelPlan


def channel_plan_document(plan: ChannelPlan) -> Document:
    """Return what a dry run prints: the move as it would be."""
    hold = None
    if plan.hold_until is not None:
        hold = {
            "holder": plan.actor,
            "digest": plan.to_digest,
            "until": rfc3339(plan.hold_until),
            "reason": plan.reason,
            "released": False,
        }
    return {
        "channel": str(plan.channel),
        "verb": plan.verb,
        "from": plan.from_digest,
        "to": plan.to_digest,
        "generation": plan.generation if plan.records else None,
        "plan": check_documents(plan.checks),
        "skipped": [
            {"number": item.number, "digest": item.digest, "reason": item.reason}
            for item in plan.skipped
        ],
        "hold": hold,
        "marked_bad": plan.marks_bad,
        "actor": plan.actor,
        "reason": plan.reason,
        "bytes_to_pull": plan.bytes_to_pull,
        "seconds": round(plan.seconds, 3) if plan.seconds is not None else None,
        "summary": plan.summary,
        "followers": [{"event": None, "target": str(path)} for path in plan.followers],
        "entry": None,
        "applied": False,
    }


def channel_moved_document(moved: ChannelMoved) -> Document:
    """Return what the verbs that move a channel print."""
    verdict = moved.verdict
    is_bad = verdict is not None and verdict.opinion == "bad"
    return {
        **channel_plan_document(moved.plan),
        "hold": hold_document(moved.hold) if moved.hold else None,
        "marked_bad": verdict.version.digest if verdict and is_bad else None,
        "seconds": round(moved.seconds, 3),
        "entry": moved.recorded.digest if moved.recorded else None,
        "applied": True,
    }


def rehearsed_document(rehearsed: Rehearsed) -> Document:
    """Return what ``rollback --rehearse`` prints."""
    return {
        **channel_plan_document(rehearsed.plan),
        "rehearsed": True,
        "bytes_transferred": rehearsed.bytes_transferred,
        "files": rehearsed.files,
        "bytes": rehearsed.bytes,
        "seconds": round(rehearsed.seconds, 3),
    }


def hold_document(hold: Hold) -> Document:
    """Return a hold."""
    return {
        "holder": hold.holder,
        "digest": hold.version.digest,
        "until": rfc3339(hold.until) if hold.until else None,
        "reason": hold.reason,
        "released": hold.released,
    }


def marking_document(marking: Marking, *, applied: bool) -> Document:
    """Return what ``verdict``, ``hold`` and ``unhold`` print."""
    mark = marking.mark
    record = {"record": marking.digest if applied else None, "applied": applied}
    if isinstance(mark, Verdict):
        return {
            "reference": str(marking.reference),
            "digest": mark.version.digest,
            "verdict": mark.opinion,
            "actor": mark.actor,
            "time": rfc3339(mark.time),
            "reason": mark.reason,
            **record,
        }
    return {
        "channel": str(marking.reference),
        **hold_document(mark),
        "time": rfc3339(mark.time),
        **record,
    }
