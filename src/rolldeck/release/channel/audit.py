"""The audit of a channel: its journal verified entry by entry, with holds and verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from rolldeck.oci import Digest
from rolldeck.release.audit import Audited, AuditNote, AuditRow, newest_first
from rolldeck.release.channel.conflict import told
from rolldeck.release.channel.entry import Recorded
from rolldeck.release.channel.journal import Journal
from rolldeck.release.channel.marks import Hold, Verdict, ruling
from rolldeck.release.channel.outbox import Unpublished
from rolldeck.units import short_digest


def audit_channel(
    place: str,
    journal: Journal,
    hold: Hold | None,
    verdicts: Mapping[Digest, tuple[Verdict, ...]],
    labels: Mapping[Digest, str],
) -> Audited:
    """Audit a channel whose whole journal was read; ``place`` is its reference."""
    entries = (*journal.recorded, *journal.rivals)
    rows = [_move(place, journal, item, verdicts, labels) for item in entries]
    if hold is not None:
        rows.append(_hold(place, hold, labels))
    for digest, said in verdicts.items():
        rows += [_verdict(place, item, labels.get(digest)) for item in said]
    notes = (*_breaks(place, journal), *_oddities(place, journal))
    return Audited(place, newest_first(rows), notes)


def _move(
    place: str,
    journal: Journal,
    recorded: Recorded,
    verdicts: Mapping[Digest, tuple[Verdict, ...]],
    labels: Mapping[Digest, str],
) -> AuditRow:
    entry = recorded.entry
    ruled = ruling(verdicts.get(entry.to_digest, ()))
    before = entry.from_digest
    return AuditRow(
        place=place,
        kind="move",
        time=entry.time,
        verb=entry.verb,
        actor=entry.actor,
        number=entry.number,
        outcome=journal.outcome(entry),
        from_digest=before,
        from_label=entry.from_label or (labels.get(before) if before else None),
        to_digest=entry.to_digest,
        to_label=entry.to_label or labels.get(entry.to_digest),
        reason=entry.reason,
        verdict=ruled.opinion if ruled else None,
        record=recorded.digest,
        previous=entry.previous,
    )


def _hold(place: str, hold: Hold, labels: Mapping[Digest, str]) -> AuditRow:
    return AuditRow(
        place=place,
        kind="hold",
        time=hold.time,
        verb="unhold" if hold.released else "hold",
        actor=hold.holder,
        to_digest=hold.version.digest,
        to_label=labels.get(hold.version.digest),
        reason=hold.reason,
        record=hold.to_manifest().digest,
    )


def _verdict(place: str, verdict: Verdict, label: str | None) -> AuditRow:
    return AuditRow(
        place=place,
        kind="verdict",
        time=verdict.time,
        verb=verdict.opinion,
        actor=verdict.actor,
        to_digest=verdict.version.digest,
        to_label=label,
        reason=verdict.reason,
        record=verdict.to_manifest().digest,
    )


def _breaks(place: str, journal: Journal) -> Iterator[AuditNote]:
    """Yield where the chain is broken, and where it was cut on purpose."""
    for number in sorted(journal.unreadable):
        detail = f"g{number} has a tag, but no entry that can be read"
        yield AuditNote(place, "unreadable", detail, number)
    known = {item.entry.number for item in journal.recorded} | journal.unreadable
    for newer, older in pairwise(journal.recorded):
        above, below = newer.entry.number, older.entry.number
        missing = [number for number in range(below + 1, above) if number not in known]
        if missing:
            yield _gap(place, missing)
        elif above == below + 1 and newer.entry.previous != older.digest:
            detail = f"g{above} names another entry before it than g{below} is: one was replaced"
            yield AuditNote(place, "link", detail, above)
    beyond = sorted(number for number in journal.made if number > max(known, default=0))
    if beyond:
        detail = f"{_numbers(beyond)} was made, as its keeper says, but its entry is gone"
        yield AuditNote(place, "gap", detail, beyond[0])
    if not journal.recorded:
        return
    oldest = journal.recorded[-1].entry
    if oldest.number == min(known) and oldest.number != 1:
        if oldest.previous is None:
            yield _gap(place, list(range(1, oldest.number)))
        else:
            detail = f"the journal begins with g{oldest.number}; older ones were pruned"
            yield AuditNote(place, "pruned", detail, oldest.number)
    elif oldest.number == 1 and oldest.previous is not None:
        yield AuditNote(place, "link", "g1 names an entry before it: it was replaced", 1)


def _gap(place: str, missing: list[int]) -> AuditNote:
    return AuditNote(place, "gap", f"the entry of {_numbers(missing)} is missing", missing[0])


def _numbers(numbers: Iterable[int]) -> str:
    found = list(numbers)
    return f"g{found[0]}" if len(found) == 1 else f"g{found[0]} to g{found[-1]}"


def _oddities(place: str, journal: Journal) -> Iterator[AuditNote]:
    """Yield what is unusual and breaks nothing, newest first."""
    if journal.drift:
        now = short_digest(journal.live) if journal.live else "gone"
        detail = f"it is {now}, to which no entry led: somebody moved it without a record"
        yield AuditNote(place, "drift", detail)
    for rival in journal.rivals:
        detail = f"two claimed g{rival.entry.number}; this one lost it: {told(rival)}"
        yield AuditNote(place, "fork", detail, rival.entry.number)
    for recorded in journal.recorded:
        entry = recorded.entry
        what = journal.outcome(entry)
        if what == "pending":
            detail = f"its move was not made yet: {told(recorded)}"
            yield AuditNote(place, "pending", detail, entry.number)
        elif what == "void":
            detail = f"its move was never made: {told(recorded)}"
            yield AuditNote(place, "void", detail, entry.number)
        elif entry.verb == "external":
            detail = f"adopts a move that nobody recorded: {told(recorded)}"
            yield AuditNote(place, "external", detail, entry.number)
    read = {item.entry.number for item in journal.recorded}
    for newer, older in pairwise(journal.stays):
        start, end = newer.entry.from_digest, older.entry.to_digest
        # What is missing may have been the move.
        all_read = read.issuperset(range(older.entry.number, newer.entry.number))
        if start != end and all_read:
            was = short_digest(start) if start else "gone"
            detail = f"before it somebody moved the channel to {was} without a record"
            yield AuditNote(place, "drift", detail, newer.entry.number)
        if newer.entry.time < older.entry.time:
            detail = f"is dated before g{older.entry.number}: a clock was wrong"
            yield AuditNote(place, "clock", detail, newer.entry.number)


def audit_unpublished(items: Iterable[Unpublished]) -> tuple[list[AuditRow], list[AuditNote]]:
    """Return what only this host knows of: a row and a note for each rollback in the outbox."""
    rows, notes = [], []
    for item in items:
        rows.append(
            AuditRow(
                place=item.channel,
                kind="move",
                time=item.time,
                verb="rollback",
                actor=item.actor,
                outcome="void" if item.void else "unpublished",
                from_digest=item.from_digest,
                from_label=item.from_label,
                to_digest=item.to_digest,
                to_label=item.to_label,
                reason=item.reason,
            )
        )
        what = f"rollback to {item.to_label} by {item.actor}"
        if item.void:
            notes.append(AuditNote(item.channel, "void", f"{what}, never published: {item.void}"))
        else:
            detail = f"{what}, of {item.target}: the registry does not know of it yet"
            notes.append(AuditNote(item.channel, "unpublished", detail))
    return rows, notes
