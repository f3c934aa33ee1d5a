"""What a generation still owes: marks that its entry says belong to it, and that are not there.

A move is made first and its marks are set afterwards. Whoever was killed in between is known by the
entry, and anyone may set what is missing; doing so twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rolldeck.oci import Descriptor, Digest
from rolldeck.release.channel.entry import Recorded
from rolldeck.release.channel.journal import Journal
from rolldeck.release.channel.marks import Hold, Opinion, Verdict, rulings

_NONCE = 16


@dataclass(frozen=True, slots=True)
class Owed:
    """The marks to write for a generation; both None where nothing is missing."""

    recorded: Recorded
    hold: Hold | None = None
    verdict: Verdict | None = None

    def __bool__(self) -> bool:
        return self.hold is not None or self.verdict is not None


def owed(
    recorded: Recorded,
    undone: Recorded | None,
    marked: Descriptor | None,
    hold: Hold | None,
    verdicts: Iterable[Verdict],
    now: datetime,
) -> Owed:
    """Return the marks that a made move still owes.

    ``undone`` is the generation that an undo takes back. ``marked`` is the version that the
    generation, or the one it takes back, marks bad, and ``verdicts`` are those on it.
    """
    said = tuple(verdicts)
    if recorded.entry.verb == "undo":
        if undone is None:
            return Owed(recorded)
        return Owed(
            recorded,
            _released(recorded, undone, hold),
            _withdrawn(recorded, undone, marked, said),
        )
    return Owed(recorded, _hold(recorded, hold, now), _bad(recorded, marked, said))


def last_made(journal: Journal) -> Recorded | None:
    """Return the newest entry where its move was made and still stands."""
    newest = journal.newest
    stands = journal.pending is None and not journal.drift
    return newest if newest is not None and stands else None


def _hold(recorded: Recorded, hold: Hold | None, now: datetime) -> Hold | None:
    entry = recorded.entry
    if entry.sets_hold is None or entry.sets_hold <= now:
        return None
    # A hold that is no older than the move was set, or released, by somebody who saw it.
    if hold is not None and (hold.set_by == recorded.digest or hold.time >= entry.time):
        return None
    return Hold(
        channel=entry.channel,
        version=entry.version,
        holder=entry.actor,
        time=entry.time,
        until=entry.sets_hold,
        reason=entry.reason or f"{entry.verb} g{entry.number}",
        set_by=recorded.digest,
        nonce=entry.nonce[:_NONCE],
    )


def _bad(
    recorded: Recorded, marked: Descriptor | None, verdicts: tuple[Verdict, ...]
) -> Verdict | None:
    entry = recorded.entry
    if marked is None or any(item.set_by == recorded.digest for item in verdicts):
        return None
    reason = entry.reason or f"{entry.channel} went back from it in g{entry.number}"
    # As old as the newest at least, since clocks differ: of two of one time the bad one rules.
    time = max([entry.time, *(item.time for item in verdicts)])
    return _verdict(recorded, marked, "bad", time, reason)


def _released(recorded: Recorded, undone: Recorded, hold: Hold | None) -> Hold | None:
    if hold is None or hold.released or hold.set_by != undone.digest:
        return None
    entry = recorded.entry
    return replace(
        hold,
        released=True,
        holder=entry.actor,
        time=entry.time,
        reason=entry.reason or f"undo of g{undone.entry.number}",
        nonce=entry.nonce[:_NONCE],
    )


def _withdrawn(
    recorded: Recorded,
    undone: Recorded,
    marked: Descriptor | None,
    verdicts: tuple[Verdict, ...],
) -> Verdict | None:
    ruled, others = rulings(verdicts, undone.digest)
    is_own = ruled is not None and ruled.set_by == undone.digest
    if ruled is None or marked is None or not is_own or (others and others.opinion == "bad"):
        return None
    entry = recorded.entry
    reason = entry.reason or f"undo of g{undone.entry.number}"
    # Later than what it takes back, since clocks differ and a bad verdict rules over its second.
    time = max(entry.time, ruled.time + timedelta(seconds=1))
    return _verdict(recorded, marked, "withdrawn", time, reason)


def _verdict(
    recorded: Recorded, version: Descriptor, opinion: Opinion, time: datetime, reason: str
) -> Verdict:
    """Return a verdict that whoever finishes the move writes with the same bytes."""
    entry = recorded.entry
    nonce = entry.nonce[:_NONCE]
    return Verdict(version, opinion, entry.actor, time, reason, recorded.digest, nonce)


def marked_by(recorded: Recorded, undone: Recorded | None) -> Digest | None:
    """Return the version whose verdicts decide what a generation owes."""
    if recorded.entry.verb == "undo":
        return undone.entry.marks_bad if undone else None
    return recorded.entry.marks_bad
