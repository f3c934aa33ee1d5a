"""The last known good of a channel: the version to go back to, and why others are passed over.

It is the newest generation before the live one whose version is complete, fits this host, is not
bad, and is either marked good or stayed live for the soak time with no failed check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rolldeck.oci import Digest
from rolldeck.release.channel.entry import Entry
from rolldeck.release.channel.journal import Journal, Stay
from rolldeck.release.channel.marks import Verdict
from rolldeck.units import duration

SOAK = timedelta(hours=24)
"""How long a version must have been live to be good without anybody's verdict."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a version can be gone back to; None where that could not be found out.

    The texts say what is missing, or what does not fit.
    """

    complete: bool | None
    fits: bool | None = None
    missing: str = ""
    misfit: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A generation that might be gone back to; ``entry`` is its newest one with that version."""

    entry: Entry
    stay: timedelta

    @property
    def digest(self) -> Digest:
        """Its version."""
        return self.entry.to_digest


def candidates(journal: Journal, now: datetime) -> Iterator[Candidate]:
    """Yield the versions that were live before what is live now, newest first, each once.

    The longest of a version's stays counts.
    """
    longest: dict[Digest, tuple[Stay, timedelta]] = {}
    for stay in journal.stays:
        digest = stay.entry.to_digest
        if digest == journal.live:
            continue
        first, length = longest.get(digest, (stay, timedelta()))
        longest[digest] = (first, max(length, stay.length(now)))
    for first, length in longest.values():
        yield Candidate(first.entry, length)


def objection(
    candidate: Candidate, verdict: Verdict | None, standing: Standing, soak: timedelta = SOAK
) -> str | None:
    """Say why a version is not known to be good; None where it is."""
    if verdict is not None and verdict.opinion == "bad":
        said = f": {verdict.reason}" if verdict.reason else ""
        return f"marked bad by {verdict.actor}{said}"
    if standing.complete is False:
        return standing.missing or "not complete in the registry"
    if standing.complete is None:
        return standing.missing or "not known to be complete"
    if standing.fits is False:
        return standing.misfit or "does not fit this host"
    if verdict is not None and verdict.opinion == "good":
        return None
    failed = next((item for item in candidate.entry.checks if item.ok is False), None)
    if failed is not None:
        return f"check failed: {failed.check}: {failed.detail}"
    if candidate.stay < soak:
        return (
            f"live for only {duration(candidate.stay.total_seconds())} "
            f"and never marked good (soak time {duration(soak.total_seconds())})"
        )
    return None
