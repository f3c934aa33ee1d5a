"""A comparison as text for a person at a terminal."""

from __future__ import annotations

from rich.text import Text

from rolldeck.cells import value
from rolldeck.cli.columns import print_columns
from rolldeck.cli.terminal import console, message
from rolldeck.compare import Report, Row, Section, wording
from rolldeck.compare.report import guardrail_title
from rolldeck.text import clean_line
from rolldeck.units import short_digest

_CHANGE = 3
"""The place of the column with differences as numbers."""

_VERDICTS = {"better": "green", "worse": "red"}
_OUTCOMES = {"failed": "bold red", "unknown": "yellow", "passed": "green"}


def print_report(report: Report) -> None:
    """Print a report; what could not be read goes to stderr."""
    out, comparison = console(), report.comparison
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        digest = short_digest(side.digest)
        out.print(
            Text.assemble(
                (f"{name} ", "bold"),
                (side.label, "bold"),
                f"  {digest}  {side.reference.partition('@')[0]}",
            )
        )
    out.print(Text(comparison.summary, style="bold"))
    if report.caveat:
        out.print(Text(report.caveat, style="dim"))
    _print_guardrails(report)
    for section, rows in report.sections():
        _print_section(report, section, rows)
    if report.hidden:
        out.print()
        out.print(Text(f"{report.hidden} rows are hidden; --all shows them", style="dim"))
    for text in report.problems:
        message(text)


def _print_guardrails(report: Report) -> None:
    if not report.guardrails:
        return
    out = console()
    out.print()
    out.print(Text(f"Guardrails  {guardrail_title(report.guardrails)}", style="bold blue"))
    for item in report.guardrails:
        said = Text.assemble((f"{item.outcome:7}", _OUTCOMES[item.outcome]), f"  {item.detail}")
        out.print(said)


def _print_section(report: Report, section: Section, rows: tuple[Row, ...]) -> None:
    out, comparison = console(), report.comparison
    out.print()
    title = f"{section.name.capitalize()}  {section.changed} of {len(section.rows)}"
    out.print(Text(title, style="bold blue"))
    is_numeric = section.name == "metrics"
    side = "right" if is_numeric else "left"
    columns = [("", "left"), (comparison.a.label, side), (comparison.b.label, side)]
    if is_numeric:
        columns += [("CHANGE", "right"), ("", "right"), ("", "left")]
    columns.append(("", "left"))
    # Both values tell the change, too, and the relative one stays.
    spare = [_CHANGE] if is_numeric else []
    cells = [_cells(row, is_numeric) for row in rows]
    print_columns(columns, cells, spare=spare, under=is_numeric)


def _cells(row: Row, is_numeric: bool) -> list[str | Text]:
    differs = row.status != "equal"
    a, b = wording.pair(row) if is_numeric else (_value(row.a), _value(row.b))
    cells: list[str | Text] = [
        clean_line(row.key),
        Text(a, style="dim" if differs else ""),
        Text(b, style="bold" if differs else ""),
    ]
    if is_numeric:
        verdict = Text(wording.verdict(row), style=_VERDICTS.get(row.verdict, ""))
        cells += [wording.absolute(row), wording.relative(row), verdict]
    note = row.note if row.note or row.status in ("equal", "changed") else row.status
    cells.append(Text(note, style="dim"))
    return cells


def _value(cell: str | int | float | bool | None) -> str:
    return clean_line(value(cell), 120)
