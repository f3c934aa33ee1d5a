"""What an audit tells of a channel or a local target: every recorded move, and what is odd.

A row is something that was recorded; a note is what the records together show. The chain of a
channel is verified by digest: each entry names the one before it. A local target's history has no
digests, so of it only the numbers and the places where moves begin and end are compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from rolldeck.oci import Digest

RowKind = Literal["move", "hold", "verdict"]
RowOutcome = Literal["made", "pending", "void", "rival", "unpublished"]
"""What became of a move; an ``unpublished`` one is recorded on this host only."""

NoteKind = Literal[
    "gap", "link", "unreadable", "damaged", "pruned", "fork", "drift", "external", "pending",
    "void", "unpublished", "clock",
]  # fmt: skip

BREAKS: frozenset[NoteKind] = frozenset({"gap", "link", "unreadable", "damaged"})
"""What means that records are missing, were replaced or cannot be read."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Something that was recorded: a move, a hold (or its release), a verdict.

    ``place`` is the channel, as a reference, or the path of the local target. ``number`` and
    ``outcome`` are those of a move. ``record`` is the digest of what records it, ``previous`` that
    of the entry before. ``verdict`` is the one that rules over the version it went to.
    """

    place: str
    kind: RowKind
    time: datetime | None
    verb: str
    actor: str
    number: int | None = None
    outcome: RowOutcome | None = None
    from_digest: Digest | None = None
    from_label: str | None = None
    to_digest: Digest | None = None
    to_label: str | None = None
    reason: str | None = None
    verdict: str | None = None
    record: Digest | None = None
    previous: Digest | None = None


@dataclass(frozen=True, slots=True)
class AuditNote:
    """What the records of a place show together; ``number`` is the generation, where it is one."""

    place: str
    kind: NoteKind
    detail: str
    number: int | None = None

    @property
    def breaks(self) -> bool:
        """Whether it breaks the chain."""
        return self.kind in BREAKS


@dataclass(frozen=True, slots=True)
class Audited:
    """One channel or local target: its rows, newest first, and the notes on them."""

    place: str
    rows: tuple[AuditRow, ...]
    notes: tuple[AuditNote, ...]

    @property
    def broken(self) -> bool:
        """Whether records are missing, were replaced or cannot be read."""
        return any(note.breaks for note in self.notes)

    def between(self, since: datetime | None, until: datetime | None) -> Audited:
        """Return only the rows of a span of time; the notes are on all of it.

        What has no time that can be read is never left out.
        """
        kept = tuple(
            row
            for row in self.rows
            if row.time is None
            or ((since is None or row.time >= since) and (until is None or row.time <= until))
        )
        return Audited(self.place, kept, self.notes)


def newest_first(rows: Iterable[AuditRow]) -> tuple[AuditRow, ...]:
    """Sort rows by time; moves of one time by number, since clocks show whole seconds."""
    oldest = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(rows, key=lambda row: (row.time or oldest, row.number or 0), reverse=True))
