"""A matrix as people and programs read it: cells with marks, Markdown, TSV, JSON."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from rolldeck.cells import BYTES, value
from rolldeck.compare import wording
from rolldeck.compare.export_markdown import code
from rolldeck.compare.export_tsv import inert
from rolldeck.compare.matrix import Entry, Matrix, MatrixColumn
from rolldeck.compare.model import Cell, Verdict
from rolldeck.facts.document import non_finite
from rolldeck.text import clean_line
from rolldeck.units import rfc3339

BEST = "✓"
"""Marks the best value of a metric."""

MARKS: dict[Verdict, str] = {"better": "▲", "worse": "▼"}
"""What stands behind a change that is better or worse."""

_DIGITS = (4, 6, 9, 12, 17)


@dataclass(frozen=True, slots=True)
class CellText:
    """One cell: its value, how that differs from the baseline, and what is to be said of it."""

    value: str
    change: str = ""
    verdict: Verdict = "neutral"
    best: bool = False
    missing: bool = False


def cell_texts(
    column: MatrixColumn, baseline: int | None = None, *, relative: bool = True
) -> list[CellText]:
    """Return the cells of a column, in the order of the entries.

    Numbers have as many digits as it takes to tell those of the column apart.
    """
    texts = _values(column)
    cells = []
    for entry, text in enumerate(texts):
        missing = column.values[entry] is None
        change: str = ""
        verdict: Verdict = "neutral"
        if baseline is not None and entry != baseline and not missing:
            row = column.change(entry, baseline)
            if row.status == "changed":
                change, verdict = wording.delta(row, relative), row.verdict
        cells.append(CellText(text, change, verdict, entry in column.best, missing))
    return cells


def _values(column: MatrixColumn) -> list[str]:
    distinct = len(set(column.values))
    texts: list[str] = []
    for digits in _DIGITS if column.unit not in BYTES else _DIGITS[1:2]:
        texts = [value(cell, column.unit, digits) for cell in column.values]
        if len(set(texts)) >= distinct:
            break
    return texts


def padded(cells: Sequence[CellText]) -> list[tuple[str, ...]]:
    """Return the parts of cells as wide as the widest: value, change, mark of it, mark of the best.

    Parts that no cell has are empty.
    """
    parts = [_parts(cell) for cell in cells]
    widths = [max(map(cell_len, part), default=0) for part in zip(*parts, strict=True)]
    return [
        tuple(
            " " * (width - cell_len(text)) + text for width, text in zip(widths, line, strict=True)
        )
        for line in parts
    ]


def aligned(cells: Sequence[CellText]) -> list[str]:
    """Return cells as texts of one width, their parts below each other."""
    return [" ".join(part for part in line if part) for line in padded(cells)]


def _parts(cell: CellText) -> tuple[str, str, str, str]:
    return cell.value, cell.change, MARKS.get(cell.verdict, ""), BEST if cell.best else ""


def title(column: MatrixColumn) -> str:
    """Return the head of a column, with the direction that is good."""
    arrow = {True: " ↑", False: " ↓", None: ""}[column.higher_is_better]
    return f"{clean_line(column.title, 200)}{arrow}"


def matrix_markdown(matrix: Matrix, order: Sequence[int], columns: Sequence[MatrixColumn]) -> str:
    """Return the table as Markdown; the best value of a metric is bold."""
    heads = ["version", *(code(title(column)) for column in columns)]
    sides = ["---", *("---:" if column.is_numeric else "---" for column in columns)]
    cells = [cell_texts(column, matrix.baseline) for column in columns]
    lines = [heads, sides]
    for entry in order:
        item = matrix.entries[entry]
        label = code(item.label) + (" (baseline)" if entry == matrix.baseline else "")
        row = [label if item.problem is None else f"{label} (not read)"]
        for column in cells:
            cell = column[entry]
            text = " ".join(part for part in _parts(cell)[:3] if part)
            row.append(f"**{code(text)}**" if cell.best else code(text))
        lines.append(row)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def matrix_tsv(matrix: Matrix, order: Sequence[int], columns: Sequence[MatrixColumn]) -> str:
    """Return the table as tab-separated values with plain numbers and nothing a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect="excel-tab", lineterminator="\n")
    names = [inert(f"{column.kind}s.{column.key}") for column in columns]
    writer.writerow(["version", "reference", "digest", "created", *names, "problem"])
    for entry in order:
        item = matrix.entries[entry]
        created = rfc3339(item.created) if item.created else ""
        first = [inert(item.label), inert(item.reference), item.digest, created]
        cells = [inert(column.values[entry]) for column in columns]
        writer.writerow([*first, *cells, inert(item.problem or "")])
    return buffer.getvalue()


def matrix_json(
    matrix: Matrix, order: Sequence[int], columns: Sequence[MatrixColumn]
) -> dict[str, Any]:
    """Return the document of ``table --json``; a number that JSON lacks is text (``NaN``)."""
    baseline = matrix.entries[matrix.baseline] if matrix.baseline is not None else None
    return {
        "baseline": baseline.reference if baseline else None,
        "hidden": len(matrix.columns) - len(columns),
        "columns": [_column(matrix, column) for column in columns],
        "versions": [_version(matrix, entry, columns) for entry in order],
    }


def _column(matrix: Matrix, column: MatrixColumn) -> dict[str, Any]:
    return {
        "kind": column.kind,
        "key": column.key,
        "unit": column.unit,
        "higher_is_better": column.higher_is_better,
        "differs": column.differs,
        "best": [matrix.entries[entry].reference for entry in sorted(column.best)],
    }


def _version(matrix: Matrix, entry: int, columns: Sequence[MatrixColumn]) -> dict[str, Any]:
    item: Entry = matrix.entries[entry]
    document: dict[str, Any] = {
        "reference": item.reference,
        "digest": item.digest or None,
        "label": item.label,
        "created": rfc3339(item.created) if item.created else None,
        "problem": item.problem,
        "metrics": _cells(columns, "metric", entry),
        "parameters": _cells(columns, "parameter", entry),
    }
    if matrix.baseline is not None:
        document["changes"] = {
            row.key: {"delta": row.delta, "relative": row.relative, "verdict": row.verdict}
            for column in columns
            if column.kind == "metric"
            and (row := column.change(entry, matrix.baseline)).delta is not None
        }
    return document


def _cells(columns: Sequence[MatrixColumn], kind: str, entry: int) -> dict[str, Cell]:
    return {
        column.key: _strict(column.values[entry])
        for column in columns
        if column.kind == kind and column.values[entry] is not None
    }


def _strict(cell: Cell) -> Cell:
    return non_finite(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell
