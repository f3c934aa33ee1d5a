"""Makes entries and journals for tests, with versions named by a letter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rolldeck.oci import MANIFEST, Descriptor, Digest, digest_of
from rolldeck.release.channel import ChannelVerb, Entry, Journal, Recorded, assemble

START = datetime(2026, 11, 1, 10, tzinfo=UTC)


def version(letter: str) -> Descriptor:
    """The descriptor of a version that exists only by name."""
    return Descriptor(MANIFEST, digest_of(letter.encode()), 1)


def digest(letter: str) -> Digest:
    """Its digest."""
    return version(letter).digest


def entries(*moves: str, hours: float = 48) -> list[Recorded]:
    """Record moves such as ``ab`` (from a to b) or ``-a`` (the first), ``hours`` apart.

    ``ab:rollback`` names the verb.
    """
    found: list[Recorded] = []
    for number, move in enumerate(moves, 1):
        way, _, verb = move.partition(":")
        named: ChannelVerb = verb or "promote"  # type: ignore[assignment]
        entry = Entry(
            channel="production",
            number=number,
            verb=named,
            from_digest=None if way[0] == "-" else digest(way[0]),
            version=version(way[1]),
            actor="mia",
            time=START + timedelta(hours=hours) * (number - 1),
            previous=found[-1].digest if found else None,
        )
        found.append(Recorded(entry, entry.to_manifest().digest))
    return found


def journal(*moves: str, live: str, hours: float = 48) -> Journal:
    """Assemble the journal of moves with what the channel points at now."""
    return assemble("production", digest(live), entries(*moves, hours=hours))
