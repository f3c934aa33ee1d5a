"""The forms of an audit: JSON, comma-separated values, Markdown.

All texts in it are somebody's: in JSON they are strings, in CSV none begins a formula, in Markdown
they stand in code spans.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from rolldeck.actions.audit import Audit
from rolldeck.cli.documents import Document
from rolldeck.compare.export_markdown import code
from rolldeck.compare.export_tsv import inert
from rolldeck.release.audit import Audited, AuditRow
from rolldeck.text import clean_line
from rolldeck.units import rfc3339, short_digest

COLUMNS = (
    "place", "kind", "time", "number", "verb", "outcome", "from", "from_label", "to", "to_label",
    "actor", "reason", "verdict", "record", "previous", "note",
)  # fmt: skip
"""The columns of the CSV: those of a row, and of a note what it says."""


def audit_document(audited: Audit) -> Document:
    """Return what ``audit --json`` prints."""
    return {
        "ok": not audited.broken,
        "since": _time(audited.since),
        "until": _time(audited.until),
        "places": [_place(item) for item in audited.places],
    }


def _place(item: Audited) -> Document:
    return {
        "place": item.place,
        "ok": not item.broken,
        "records": [_row(row) for row in item.rows],
        "notes": [
            {
                "kind": note.kind,
                "number": note.number,
                "detail": clean_line(note.detail),
                "breaks": note.breaks,
            }
            for note in item.notes
        ],
    }


def _row(row: AuditRow) -> Document:
    return {
        "kind": row.kind,
        "time": _time(row.time),
        "number": row.number,
        "verb": row.verb,
        "outcome": row.outcome,
        "from": row.from_digest,
        "from_label": row.from_label,
        "to": row.to_digest,
        "to_label": row.to_label,
        "actor": row.actor,
        "reason": row.reason,
        "verdict": row.verdict,
        "record": row.record,
        "previous": row.previous,
    }


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def to_csv(audited: Audit) -> str:
    """Return a line of column names, then rows and notes (RFC 4180)."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="")
    writer.writeheader()
    for item in audited.places:
        for row in item.rows:
            cells: Document = {"place": item.place} | _row(row)
            writer.writerow({name: inert(cell) for name, cell in cells.items()})
        for note in item.notes:
            cells = {
                "place": item.place,
                "kind": f"note: {note.kind}",
                "number": note.number,
                "note": note.detail,
            }
            writer.writerow({name: inert(cell) for name, cell in cells.items()})
    return buffer.getvalue()


def to_markdown(audited: Audit, now: datetime) -> str:
    """Return a table for each place, its notes above it."""
    lines = [f"### Audit of {rfc3339(now.astimezone(UTC))}", ""]
    span = [
        f"{word} {rfc3339(moment)}"
        for word, moment in (("since", audited.since), ("until", audited.until))
        if moment is not None
    ]
    lines += [f"Records {' '.join(span)}.", ""] if span else []
    for item in audited.places:
        word = "✗ the chain is broken" if item.broken else "✓ the chain is whole"
        lines += [f"#### {code(item.place)}: {word}", ""]
        for note in item.notes:
            number = f"g{note.number} " if note.number else ""
            lines.append(f"- {'✗' if note.breaks else '⚠'} {note.kind} {number}{code(note.detail)}")
        lines += [""] if item.notes else []
        if item.rows:
            lines += ["| gen | time | what | from | to | by | verdict | reason |", f"|{'---|' * 8}"]
            lines += [_line(row) for row in item.rows]
        else:
            lines.append("Nothing was recorded.")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _line(row: AuditRow) -> str:
    what = row.verb if row.outcome in (None, "made") else f"{row.verb}, {row.outcome}"
    cells = [
        f"g{row.number}" if row.number else "–",
        rfc3339(row.time) if row.time else "unknown",
        code(what),
        _version(row.from_label, row.from_digest),
        _version(row.to_label, row.to_digest),
        code(row.actor),
        code(row.verdict or ""),
        code(row.reason or ""),
    ]
    return f"| {' | '.join(cells)} |"


def _version(label: str | None, digest: str | None) -> str:
    if digest is None:
        return "–"
    short = short_digest(digest)
    return code(short if label in (None, short) else f"{label} {short}")
