"""The verb triage as text; on a terminal the deck opens instead."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from rich.text import Text

from rolldeck.actions import Triage, Workspace
from rolldeck.actions.triage import triage
from rolldeck.actions.triage_words import (
    COLUMNS,
    cells,
    clocks,
    freshness,
    good_words,
    incident_words,
    live_words,
    row_words,
    target_words,
    warnings,
)
from rolldeck.cli.columns import print_columns
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import console
from rolldeck.cli.triage_documents import triage_document
from rolldeck.moments import parse_moment
from rolldeck.progress import Progress
from rolldeck.text import clean_line


async def run_triage(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Tell what is live, what was good before, and what going back takes."""
    since = parse_moment(arguments.since, datetime.now(UTC)) if arguments.since else None
    found = await triage(workspace, arguments.place, since)
    if arguments.json:
        print_document(triage_document(found))
    else:
        _print(found)
    return 0


def _print(found: Triage) -> None:
    out = console()
    out.print(Text.assemble((f"TRIAGE {clean_line(found.name)}", "bold"), f"  {clocks(found.now)}"))
    if words := freshness(found):
        out.print(Text(words, "yellow"))
    out.print(
        Text.assemble(("LIVE  ", "bold red"), (found.live_label, "bold"), f"  {live_words(found)}")
    )
    good = found.row(found.good)
    name = clean_line(good.label, 40) if good else ""
    out.print(
        Text.assemble(
            ("GOOD  ", "bold green"), (f"{name}  " if name else "", "bold"), good_words(found)
        )
    )
    if incident := incident_words(found):
        out.print(Text(f"!     {incident}", "yellow"))
    for text in warnings(found):
        out.print(Text(f"!     {text}", "yellow"))
    if found.rows:
        out.print()
        rows = [[*cells(row, found.now)] for row in found.rows]
        print_columns([(title.upper(), "left") for title in COLUMNS], rows)
        out.print()
    for row in found.rows:
        if row.skipped:
            out.print(Text(row_words(found, row), "dim"))
    if found.summary and good is not None:
        out.print(Text(f"since {good.name}: {clean_line(found.summary, 400)}"))
    for text in target_words(found):
        out.print(Text(text))
    if good is None and any(not row.is_live and row.digest for row in found.rows):
        goal = f"rolldeck rollback {clean_line(found.name)} --to GEN"
        out.print(Text(f"Go back to another one: {goal}", "dim"))
    elif good is not None:
        out.print(Text(f"Go back: rolldeck rollback {clean_line(found.name)}", "dim"))
