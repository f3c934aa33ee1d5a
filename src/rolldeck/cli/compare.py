"""The verb diff: two versions side by side, as text or JSON."""

from __future__ import annotations

import argparse

from rich.text import Text

from rolldeck.actions import Workspace, with_file
from rolldeck.actions import diff as compare_versions
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import console, message, table
from rolldeck.compare import (
    NOT_READ,
    READING_ORDER,
    Comparison,
    Row,
    Section,
    Version,
    side_by_side,
    to_json,
)
from rolldeck.errors import NotFoundError
from rolldeck.oci import Reference, is_digest, is_tag
from rolldeck.progress import Progress
from rolldeck.text import clean_line, decode
from rolldeck.units import quantity, short_digest

_VERDICTS = {"better": ("▲ better", "green"), "worse": ("▼ worse", "red")}
_TEXT_LIMIT = 1024 * 1024


async def run_diff(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Compare two versions; exit code 1 with --exit-code where they differ."""
    a = Reference.parse(arguments.a)
    b = _second(a, arguments.b)
    result = await compare_versions(workspace, a, b, arguments.tolerance)
    if arguments.file:
        side_a = await with_file(workspace, result.a, arguments.file, progress)
        side_b = await with_file(workspace, result.b, arguments.file, progress)
        differs = _print_file(side_a, side_b, arguments.file, arguments.json)
        return 1 if arguments.exit_code and differs else 0
    problems = [side.chain_problem for side in (result.a, result.b) if side.chain_problem]
    if arguments.json:
        print_document({**to_json(result.comparison, arguments.all), "problems": problems})
    else:
        _print(result.comparison, arguments.all)
        for text in problems:
            message(text)
        if any(NOT_READ in row.note for row in result.comparison.section("code").rows):
            message(f"To read a file that was not read: rolldeck diff {a} {b} --file PATH")
    differs = any(section.changed for section in result.comparison.sections)
    return 1 if arguments.exit_code and differs else 0


def _second(a: Reference, text: str) -> Reference:
    """Read B, where a bare tag means the repository of A."""
    if is_tag(text) and (a.tag or a.digest):
        return a.tagged(text)
    return Reference.parse(text)


def _print(comparison: Comparison, show_all: bool) -> None:
    out = console()
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        digest = short_digest(side.digest)
        out.print(
            Text.assemble(
                (f"{name} ", "bold"),
                (side.label, "bold"),
                f"  {digest}  {side.reference.partition('@')[0]}",
            )
        )
    out.print(Text(comparison.summary, style="bold"), soft_wrap=True)
    hidden = 0
    for section in map(comparison.section, READING_ORDER):
        rows = [row for row in section.rows if show_all or row.status != "equal"]
        hidden += len(section.rows) - len(rows)
        if rows:
            _print_section(comparison, section, rows)
    if hidden:
        out.print()
        out.print(Text(f"{hidden} equal rows are hidden; --all shows them", style="dim"))


def _print_section(comparison: Comparison, section: Section, rows: list[Row]) -> None:
    out = console()
    out.print()
    title = f"{section.name.capitalize()}  {section.changed} of {len(section.rows)}"
    out.print(Text(title, style="bold blue"))
    is_numeric = section.name == "metrics"
    side = "right" if is_numeric else "left"
    columns = [("", "left"), (comparison.a.label, side), (comparison.b.label, side)]
    if is_numeric:
        columns += [("CHANGE", "right"), ("", "left")]
    columns.append(("", "left"))
    out.print(table(columns, (_cells(row, is_numeric) for row in rows), indent=0))


def _cells(row: Row, is_numeric: bool) -> list[str | Text]:
    cells: list[str | Text] = [
        clean_line(row.key),
        Text(_value(row.a, row.unit), style="dim" if row.status != "equal" else ""),
        Text(_value(row.b, row.unit), style="bold" if row.status != "equal" else ""),
    ]
    if is_numeric:
        word, style = _VERDICTS.get(row.verdict, ("", ""))
        cells += [_change(row), Text(word, style=style)]
    note = row.note if row.note or row.status in ("equal", "changed") else row.status
    cells.append(Text(note, style="dim"))
    return cells


def _value(value: object, unit: str | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return quantity(value, unit) if isinstance(value, float) or unit else str(value)
    text = str(value)
    return short_digest(text) if is_digest(text) else clean_line(text, 120)


def _change(row: Row) -> str:
    if row.relative is not None:
        return f"{row.relative * 100:+.1f} %"
    return f"{row.delta:+.6g}" if row.delta is not None else ""


def _print_file(a: Version, b: Version, path: str, as_json: bool) -> bool:
    """Print what differs in one file of both versions; returns whether anything does."""
    if path not in a.files and path not in b.files:
        known = ", ".join(sorted({*a.files, *b.files})[:8])
        raise NotFoundError(
            f"Neither version has a text file {clean_line(path)}",
            reference=path,
            hint=f"Files: {clean_line(known)}" if known else None,
        )
    differs = a.files.get(path) != b.files.get(path)
    texts = [decode(side.files.get(path, b""), _TEXT_LIMIT) for side in (a, b)]
    lines = [line for line in side_by_side(*texts) if line.tag != "equal"]
    if as_json:
        print_document(
            {
                "path": path,
                "a": {"reference": a.reference, "present": path in a.files},
                "b": {"reference": b.reference, "present": path in b.files},
                "identical": not differs,
                "lines": [
                    {"tag": line.tag, "a_number": line.left_number, "a": line.left}
                    | {"b_number": line.right_number, "b": line.right}
                    for line in lines
                ],
            }
        )
        return differs
    out = console()
    out.print(Text(f"--- {a.label} {path}\n+++ {b.label} {path}", style="bold"))
    for line in lines:
        if line.left is not None:
            out.print(Text(f"{line.left_number:>6} - {line.left}", style="red"), soft_wrap=True)
        if line.right is not None:
            out.print(Text(f"{line.right_number:>6} + {line.right}", style="green"), soft_wrap=True)
    if not lines:
        out.print("Only line endings differ" if differs else "The file is the same in both")
    return differs
