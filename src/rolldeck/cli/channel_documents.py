"""The JSON documents of the verbs that look at channels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from rolldeck.actions.channel import Channel
from rolldeck.cli.documents import Document
from rolldeck.cli.outbox_documents import unpublished_document
from rolldeck.oci import Digest, Reference
from rolldeck.release.channel import Answer, Hold, Recorded, ruling
from rolldeck.units import rfc3339


def channels_document(repository: Reference, channels: Iterable[Channel]) -> Document:
    """Return what ``channels`` prints."""
    now = datetime.now(UTC)
    return {
        "repository": repository.name,
        "channels": [_channel(item, now) for item in channels],
    }


def _channel(channel: Channel, now: datetime) -> Document:
    journal = channel.journal
    entry = journal.current.entry if journal.current else None
    label = _label(channel, channel.live)
    return {
        "name": channel.name,
        "digest": channel.live,
        "tags": [label] if label else [],
        "generation": entry.number if entry else None,
        "since": rfc3339(entry.time) if entry else None,
        "actor": entry.actor if entry else None,
        "hold": hold_document(channel.hold, now),
        "drift": journal.drift,
        "pending": journal.pending.entry.number if journal.pending else None,
        "unpublished": [unpublished_document(item) for item in channel.unpublished],
    }


def hold_document(hold: Hold | None, now: datetime) -> Document | None:
    """Return a hold that freezes its channel now; None for any other."""
    if hold is None or not hold.holds(now):
        return None
    return {
        "digest": hold.version.digest,
        "holder": hold.holder,
        "since": rfc3339(hold.time),
        "until": rfc3339(hold.until) if hold.until else None,
        "reason": hold.reason,
    }


def log_document(channel: Channel) -> Document:
    """Return what ``log`` prints."""
    journal = channel.journal
    found = sorted((*journal.recorded, *journal.rivals), key=lambda item: -item.entry.number)
    return {
        "channel": str(channel.reference),
        "digest": channel.live,
        "drift": journal.drift,
        "hold": hold_document(channel.hold, datetime.now(UTC)),
        "generations": [_generation(channel, item) for item in found],
        "chain": journal.chain,
        "unpublished": [unpublished_document(item) for item in channel.unpublished],
    }


def _generation(channel: Channel, recorded: Recorded) -> Document:
    entry = recorded.entry
    said = ruling(channel.verdicts.get(entry.to_digest, ()))
    return {
        "number": entry.number,
        "verb": entry.verb,
        "from": entry.from_digest,
        "to": entry.to_digest,
        "from_label": _label(channel, entry.from_digest),
        "to_label": _label(channel, entry.to_digest),
        "actor": entry.actor,
        "time": rfc3339(entry.time),
        "reason": entry.reason,
        "digest": recorded.digest,
        "previous": entry.previous,
        "refers_to": entry.refers_to,
        "verdict": said.opinion if said else None,
        "outcome": channel.journal.outcome(entry),
        "plan": [
            {"check": item.check, "ok": item.ok, "detail": item.detail} for item in entry.checks
        ],
        "skipped": [
            {"number": item.number, "digest": item.digest, "reason": item.reason}
            for item in entry.skipped
        ],
    }


def answer_document(channel: Channel, moment: datetime, answer: Answer | None) -> Document:
    """Return what ``at`` prints; the version is null where nobody recorded it."""
    entry = answer.entry if answer else None
    until = next((stay.until for stay in channel.journal.stays if stay.entry == entry), None)
    return {
        "channel": str(channel.reference),
        "time": rfc3339(moment),
        "certain": answer is not None and answer.certain,
        "digest": entry.to_digest if entry else None,
        "label": _label(channel, entry.to_digest) if entry else None,
        "generation": entry.number if entry else None,
        "actor": entry.actor if entry else None,
        "since": rfc3339(entry.time) if entry else None,
        "until": rfc3339(until) if until else None,
    }


def _label(channel: Channel, digest: Digest | None) -> str | None:
    return channel.labels.get(digest) if digest is not None else None
