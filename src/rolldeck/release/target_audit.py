"""The audit of a local target: every line of its history, and where that does not fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rolldeck.errors import IntegrityError, RolldeckError, UsageError
from rolldeck.oci import Digest, Reference
from rolldeck.release.audit import Audited, AuditNote, AuditRow, newest_first
from rolldeck.release.generation import Generation, effective, parse_line
from rolldeck.release.target import Target
from rolldeck.text import clean_line
from rolldeck.units import parse_rfc3339, short_digest


def audit_target(target: Target) -> Audited:
    """Audit a local target. Blocks; raises NotFoundError where the directory is none."""
    target.require()
    place = str(target.path)
    lines, notes = _read(target, place)
    current: Digest | None = None
    try:
        current = target.current()
        moved = effective(lines, current)
    except IntegrityError as error:
        notes.append(AuditNote(place, "drift", error.message))
        moved = effective(lines, lines[-1].to_digest if lines else None)
    else:
        notes += _drift(place, moved, current)
    notes += _numbers(place, lines)
    notes += _steps(place, lines, moved)
    rows = [_row(place, line, made=line in moved) for line in lines]
    return Audited(place, newest_first(rows), tuple(notes))


def _read(target: Target, place: str) -> tuple[list[Generation], list[AuditNote]]:
    lines: list[Generation] = []
    notes: list[AuditNote] = []
    for number, raw in enumerate(target.history_lines(), 1):
        try:
            line = parse_line(raw, place)
        except RolldeckError:
            notes.append(AuditNote(place, "damaged", f"line {number} of its history is no move"))
            continue
        if line is None:
            # A crash leaves the beginning of a line, which names no move that took place.
            detail = f"line {number} of its history was cut short"
            cut = AuditNote(place, "void", detail)
            broken = AuditNote(place, "damaged", f"line {number} of its history cannot be read")
            notes.append(cut if raw.startswith(b"{") else broken)
        else:
            lines.append(line)
    return lines, notes


def _row(place: str, line: Generation, *, made: bool) -> AuditRow:
    return AuditRow(
        place=place,
        kind="move",
        time=parse_rfc3339(line.time),
        verb=clean_line(line.verb),
        actor=clean_line(line.actor),
        number=line.number,
        outcome="made" if made else "void",
        from_digest=line.from_digest,
        to_digest=line.to_digest,
        to_label=_label(line),
        reason=clean_line(str(line.reason)) if line.reason else None,
    )


def _label(line: Generation) -> str | None:
    try:
        tag = Reference.parse(line.reference).tag
    except UsageError:
        return None
    return tag if line.to_digest is not None else None


def _drift(place: str, moved: Sequence[Generation], current: Digest | None) -> Iterator[AuditNote]:
    last = moved[-1].to_digest if moved else None
    if current != last:
        now = short_digest(current) if current else "nothing"
        yield AuditNote(place, "drift", f"current is {now}, to which no move led")


def _numbers(place: str, lines: Sequence[Generation]) -> Iterator[AuditNote]:
    for before, number in pairwise([0, *(line.number for line in lines)]):
        if number <= before:
            detail = f"g{number} stands after g{before}: a line was moved or copied"
            yield AuditNote(place, "link", detail, number)
        elif number > before + 1:
            missing = (
                f"g{before + 1}" if number == before + 2 else f"g{before + 1} to g{number - 1}"
            )
            yield AuditNote(place, "gap", f"the line of {missing} is missing", before + 1)


def _steps(
    place: str, lines: Sequence[Generation], moved: Sequence[Generation]
) -> Iterator[AuditNote]:
    for line in lines:
        if line not in moved:
            yield AuditNote(place, "void", f"{line.verb}: its move was never made", line.number)
    read = {line.number for line in lines}
    for older, newer in pairwise(moved):
        # What is missing may have been the move.
        all_read = read.issuperset(range(older.number, newer.number))
        if newer.from_digest != older.to_digest and all_read:
            was = short_digest(newer.from_digest) if newer.from_digest else "nothing"
            detail = f"before it somebody moved current to {was} without a record"
            yield AuditNote(place, "drift", detail, newer.number)
