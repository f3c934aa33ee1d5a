"""What is said above a plot: the version under the cursor, and how it differs."""

from __future__ import annotations

from rolldeck.compare import MatrixColumn, wording
from rolldeck.compare.chart import Series
from rolldeck.tui.models.lines import Line, Look, Span


def readout(series: Series, place: int) -> Line:
    """Return the value at a place, with the change from the baseline, else from the one before."""
    spans = [Span(f"{series.labels[place]}  ", "accent"), Span(series.text(place), "bright")]
    other, word = series.baseline, "the baseline"
    if other is None or other == place:
        known = [n for n in range(place) if series.numbers[n] is not None]
        other = known[-1] if known else None
        word = series.labels[other] if other is not None else ""
    if other is not None and series.numbers[place] is not None:
        spans += _change(series.column, series.entries[place], series.entries[other], word)
    return Line(tuple(spans))


def _change(column: MatrixColumn, entry: int, other: int, word: str) -> list[Span]:
    row = column.change(entry, other)
    look: Look = row.verdict if row.verdict in ("better", "worse") else "dim"
    said = [wording.delta(row, relative=True)]
    if row.status == "changed" and row.relative is not None:
        said.append(wording.delta(row, relative=False))
    said.append(wording.verdict(row))
    text = "  ".join(part for part in said if part)
    return [Span(f"   {text}", look), Span(f"   against {word}", "dim")] if text else []
