"""The verb audit."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from rich.text import Text

from rolldeck.actions import Workspace
from rolldeck.actions.audit import Audit, audit
from rolldeck.cli.audit_documents import audit_document, to_csv, to_markdown
from rolldeck.cli.columns import print_columns
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import console, message
from rolldeck.errors import IntegrityError, UsageError
from rolldeck.moments import parse_moment
from rolldeck.progress import Progress
from rolldeck.release.audit import Audited, AuditRow
from rolldeck.text import clean_line
from rolldeck.units import rfc3339, short_digest


async def run_audit(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Print what was recorded; the exit code tells whether a chain is broken."""
    if arguments.json and (arguments.csv or arguments.md):
        raise UsageError("--json, --csv and --md exclude each other")
    now = datetime.now(UTC)
    since = parse_moment(arguments.since, now) if arguments.since else None
    until = parse_moment(arguments.until, now) if arguments.until else None
    audited = await audit(workspace, arguments.place, since=since, until=until)
    if arguments.json:
        print_document(audit_document(audited))
    elif arguments.csv:
        sys.stdout.write(to_csv(audited))
    elif arguments.md:
        sys.stdout.write(to_markdown(audited, now))
    else:
        _print(audited)
    if not audited.broken:
        return 0
    if not arguments.json:
        message("The chain is broken: records are missing, were replaced or cannot be read.")
    return IntegrityError.code


def _print(audited: Audit) -> None:
    if not audited.places:
        message("No local target is known here, and nothing waits to be published.")
    for item in audited.places:
        word, style = ("broken", "red") if item.broken else ("whole", "green")
        title = Text.assemble((clean_line(item.place), "bold"), ": chain ", (word, style))
        console().print(title, soft_wrap=True)
        for note in item.notes:
            number = f"g{note.number} " if note.number else ""
            mark, style = ("×", "red") if note.breaks else ("⚠", "yellow")
            text = f" {note.kind}: {number}{clean_line(note.detail)}"
            console().print(Text.assemble("  ", (mark, style), text), soft_wrap=True)
        _print_rows(item)


def _print_rows(item: Audited) -> None:
    if not item.rows:
        message("Nothing was recorded.")
        return
    columns = ["GEN", "TIME (UTC)", "WHAT", "FROM", "TO", "BY", "REASON"]
    print_columns([(title, "left") for title in columns], [_cells(row) for row in item.rows])


def _cells(row: AuditRow) -> list[str | Text]:
    made = row.outcome in (None, "made")
    what = row.verb if made else f"{row.verb}, {row.outcome}"
    return [
        f"g{row.number}" if row.number else "",
        rfc3339(row.time) if row.time else "unknown",
        Text(what, "" if made else "yellow"),
        _version(row.from_label, row.from_digest),
        _version(row.to_label, row.to_digest),
        row.actor,
        row.reason or "",
    ]


def _version(label: str | None, digest: str | None) -> str:
    return "" if digest is None else label or short_digest(digest)
