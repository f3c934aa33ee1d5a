"""The verb plot: one metric over the versions of a repository."""

from __future__ import annotations

import argparse

from rich.text import Text

from rolldeck.actions import Workspace, load_matrix
from rolldeck.cli.documents import print_document
from rolldeck.cli.many_arguments import PLOTTED
from rolldeck.cli.matrix import column_named, last_of, references_of
from rolldeck.cli.terminal import console, counting_line, message
from rolldeck.compare import Matrix, MatrixColumn
from rolldeck.compare.chart import ASCII, NARROWEST, Run, chart, glyphs_of, legend, series
from rolldeck.compare.matrix_text import matrix_json, title
from rolldeck.errors import NotFoundError, UsageError
from rolldeck.progress import Progress

_STYLES = {"dim": "dim", "best": "green", "worst": "red", "baseline": "cyan", "cursor": "bold"}
_WIDEST, _HEIGHT = 120, 18


async def run_plot(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Draw a metric over versions, oldest at the left; or print its values as JSON."""
    references, baseline = references_of(arguments)
    with counting_line() as say:
        found = await load_matrix(
            workspace,
            references,
            last=last_of(arguments, PLOTTED),
            baseline=baseline,
            tell=lambda done, total: say(f"{done:,} of {total:,} versions read"),
        )
    matrix = found.matrix
    column = _metric(matrix, arguments.metric)
    # Versions are listed newest first, and named in the order in which they are to stand.
    order = list(range(len(matrix.entries)))
    if any(reference.tag or reference.digest for reference in references):
        order.reverse()
    if arguments.json:
        print_document(matrix_json(matrix, order[::-1], [column]))
    else:
        _draw(matrix, column, order, ascii_only=bool(arguments.ascii))
    for entry in matrix.entries:
        if entry.problem and not arguments.json:
            message(f"{entry.label}: {entry.problem}")
    return 0


def _metric(matrix: Matrix, name: str | None) -> MatrixColumn:
    if name is None:
        if matrix.headline is None:
            raise NotFoundError(
                "No version has a metric",
                hint="docs/facts.md says where metrics are read from.",
            )
        return matrix.headline
    found = column_named(matrix, name)
    if not any(number is not None for number in found.numbers):
        raise UsageError(f"{found.key} is no number in any version")
    return found


def _draw(matrix: Matrix, column: MatrixColumn, order: list[int], *, ascii_only: bool) -> None:
    out = console()
    glyphs = ASCII if ascii_only else glyphs_of()
    over = series(matrix, column, order)
    width = max(min(out.width, _WIDEST), NARROWEST)
    out.print(Text(title(column), style="bold"))
    for line in [*chart(over, width, _HEIGHT, glyphs=glyphs), [], legend(over, glyphs)]:
        out.print(_styled(line), soft_wrap=True)


def _styled(runs: list[Run]) -> Text:
    return Text.assemble(*((text, _STYLES.get(role, "")) for text, role in runs))
