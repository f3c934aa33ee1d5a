"""A comparison as tab-separated values for grep and spreadsheets.

Every line has the same columns. A text that a spreadsheet would take for a formula begins with an
apostrophe, which makes it text there.
"""

from __future__ import annotations

import csv
import io
import re

from rolldeck.compare.model import Cell, Row
from rolldeck.compare.report import Report
from rolldeck.text import clean_line

COLUMNS = (
    "section", "key", "status", "a", "b", "delta", "relative", "verdict", "unit", "note",
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_FORMULA = tuple("=+-@＝＋－＠'\"")


def to_tsv(report: Report) -> str:
    """Return the report: a line of column names, the summary, rows, guardrails, what is hidden."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect="excel-tab", lineterminator="\n")
    writer.writerow(COLUMNS)
    comparison = report.comparison
    said = [comparison.summary, report.caveat, *report.problems]
    writer.writerow(_line("versions", "", "", comparison.a.reference, comparison.b.reference))
    for text in filter(None, said):
        writer.writerow(_line("summary", note=text))
    for item in report.guardrails:
        key = f"{item.metric} [{item.slice}]" if item.slice else item.metric
        writer.writerow(
            _line("guardrail", key, item.outcome, item.limit, item.value, item.by, note=item.detail)
        )
    for section, rows in report.sections():
        for row in rows:
            writer.writerow(_row(section.name, row))
    if report.hidden:
        writer.writerow(_line("hidden", note=report.hidden))
    return buffer.getvalue()


def _row(section: str, row: Row) -> list[str]:
    return _line(
        section, row.key, row.status, row.a, row.b, row.delta, row.relative, row.verdict,
        row.unit or "", row.note,
    )  # fmt: skip


def _line(
    section: str,
    key: str = "",
    status: str = "",
    a: Cell = None,
    b: Cell = None,
    delta: float | None = None,
    relative: float | None = None,
    verdict: str = "",
    unit: str = "",
    note: str = "",
) -> list[str]:
    cells = (section, key, status, a, b, delta, relative, verdict, unit, note)
    return [inert(cell) for cell in cells]


def inert(cell: Cell) -> str:
    """Return a value as the text of one cell; numbers stay numbers, nothing is a formula."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, (int, float)):
        return repr(cell)
    text = clean_line(cell).strip()
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
