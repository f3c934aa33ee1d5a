"""The verb table: many versions by metric and parameter."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from rolldeck.actions import Workspace, load_matrix
from rolldeck.cli.columns import print_columns
from rolldeck.cli.documents import print_document
from rolldeck.cli.many_arguments import LAST
from rolldeck.cli.terminal import console, counting_line, message
from rolldeck.compare import Matrix, MatrixColumn
from rolldeck.compare.matrix_text import (
    aligned,
    cell_texts,
    matrix_json,
    matrix_markdown,
    matrix_tsv,
    title,
)
from rolldeck.errors import UsageError
from rolldeck.oci import Reference, is_tag
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_LABEL = 32
"""Cells kept for the names of versions while columns are chosen that fit."""


async def run_table(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Print versions as rows, metrics and parameters as columns."""
    if arguments.json and arguments.form:
        raise UsageError("--json and another format exclude each other")
    references, baseline = references_of(arguments)
    with counting_line() as say:
        found = await load_matrix(
            workspace,
            references,
            last=last_of(arguments),
            baseline=baseline,
            tell=lambda done, total: say(f"{done:,} of {total:,} versions read"),
        )
    matrix = found.matrix
    order = matrix.order(_sorted_by(matrix, arguments.sort), arguments.reverse)
    columns = matrix.shown(every=bool(arguments.all))
    if arguments.json:
        print_document(matrix_json(matrix, order, columns))
    elif arguments.form == "tsv":
        sys.stdout.write(matrix_tsv(matrix, order, columns))
    elif arguments.form == "markdown":
        sys.stdout.write(matrix_markdown(matrix, order, columns))
    else:
        _print(matrix, order, columns)
    for entry in matrix.entries:
        if entry.problem and not arguments.json:
            message(f"{entry.label}: {entry.problem}")
    if found.unread and not arguments.json and not arguments.form:
        message(f"{found.unread:,} older versions are not shown; --last N shows N.")
    return 0


def references_of(arguments: argparse.Namespace) -> tuple[list[Reference], Reference | None]:
    """Return the references; a tag alone means the repository of the first."""
    first = Reference.parse(arguments.references[0])
    in_first = bool(first.tag or first.digest)
    references = [first]
    for word in arguments.references[1:]:
        alone = in_first and is_tag(word)
        references.append(first.tagged(word) if alone else Reference.parse(word))
    baseline = getattr(arguments, "baseline", None)
    if baseline is None:
        return references, None
    return references, first.tagged(baseline) if is_tag(baseline) else Reference.parse(baseline)


def last_of(arguments: argparse.Namespace, default: int = LAST) -> int:
    """Return how many versions of a repository are wanted; raises UsageError below 1."""
    if arguments.last is None:
        return default
    if arguments.last < 1:
        raise UsageError("--last must be at least 1")
    return int(arguments.last)


def _sorted_by(matrix: Matrix, name: str | None) -> MatrixColumn | None:
    return None if name is None else column_named(matrix, name)


def column_named(matrix: Matrix, name: str) -> MatrixColumn:
    """Return a column by its name; raises UsageError that names the nearest."""
    found = matrix.column(name)
    if found is not None:
        return found
    known = [column.key for column in matrix.columns]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    said = ", ".join(clean_line(key, 40) for key in known[:8])
    hint = f"Did you mean {clean_line(close[0], 80)}?" if close else f"There is: {said}"
    raise UsageError(f"No version has {clean_line(name, 80)}", hint=hint if known else None)


def _print(matrix: Matrix, order: Sequence[int], columns: Sequence[MatrixColumn]) -> None:
    cells = [cell_texts(column, matrix.baseline) for column in columns]
    texts = [aligned(column) for column in cells]
    out = console()
    room = out.width - _LABEL if out.is_terminal else None
    count = _fitting(columns, texts, room)
    heads = [("VERSION", "left")]
    heads += [
        (title(column), "right" if column.is_numeric else "left") for column in columns[:count]
    ]
    rows = []
    for entry in order:
        item = matrix.entries[entry]
        label = item.label + (" (baseline)" if entry == matrix.baseline else "")
        row = [Text(label, style="bold")]
        for number in range(count):
            cell = cells[number][entry]
            look = {"better": "green", "worse": "red"}.get(cell.verdict, "")
            look = "bold" if cell.best and not look else "dim" if cell.missing else look
            text = texts[number][entry] if columns[number].is_numeric else cell.value
            row.append(Text(text, style=look))
        rows.append(row)
    print_columns(heads, rows)
    if count < len(columns):
        message(f"{len(columns) - count} more columns: a wider terminal, --tsv or --json.")
    if hidden := len(matrix.columns) - len(columns):
        said = "1 parameter is" if hidden == 1 else f"{hidden} parameters are"
        message(f"{said} the same in all; --all shows them.")


def _fitting(
    columns: Sequence[MatrixColumn], texts: Sequence[Sequence[str]], room: int | None
) -> int:
    """Return how many columns fit into ``room`` cells, at least one."""
    if room is None:
        return len(columns)
    for count, (column, lines) in enumerate(zip(columns, texts, strict=True)):
        room -= 2 + max(cell_len(title(column)), *map(cell_len, lines))
        if room < 0:
            return max(count, 1)
    return len(columns)
