"""The JSON documents of rollbacks that wait in the outbox, or came out of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rolldeck.actions.outbox import Published, State
from rolldeck.cli.documents import Document
from rolldeck.release.channel.outbox import Unpublished
from rolldeck.units import rfc3339


def unpublished_document(item: Unpublished) -> Document:
    """Return what is known of one that is not published."""
    return _document(item, "void" if item.void else "unpublished", item.void or "", None)


def published_document(found: Published) -> Document:
    """Return what became of one."""
    return _document(found.item, found.state, found.detail, found.generation)


def outbox_document(
    found: Iterable[Published],
    void: Iterable[Unpublished],
    forgotten: Iterable[Unpublished],
    damaged: Iterable[Path],
    *,
    applied: bool,
) -> Document:
    """Return what ``publish`` prints; ``void`` are those that were so before."""
    return {
        "rollbacks": [
            *(published_document(item) for item in found),
            *(unpublished_document(item) for item in void),
        ],
        "forgotten": [unpublished_document(item) for item in forgotten],
        "damaged": [str(path) for path in damaged],
        "applied": applied,
    }


def _document(item: Unpublished, state: State, detail: str, generation: int | None) -> Document:
    return {
        "channel": item.channel,
        "state": state,
        "detail": detail or None,
        "generation": generation,
        "from": item.from_digest,
        "to": item.to_digest,
        "from_label": item.from_label,
        "to_label": item.to_label,
        "actor": item.actor,
        "time": rfc3339(item.time),
        "reason": item.reason,
        "target": item.target,
    }
