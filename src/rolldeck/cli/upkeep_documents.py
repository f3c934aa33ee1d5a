"""The JSON documents of the verbs that keep the library and the logins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.cli.documents import Document

if TYPE_CHECKING:
    from rolldeck.actions import (
        Garbage,
        LoggedIn,
        LoggedOut,
        Problem,
        Survey,
        Verified,
    )


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
        "remove": [_garbage(item) for item in found.garbage],
        "spare": [_garbage(item) for item in found.spare],
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


def _garbage(item: Garbage) -> Document:
    return {
        "kind": item.kind,
        "digest": item.digest,
        "path": str(item.path),
        "size": item.size,
        "reason": item.reason,
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
