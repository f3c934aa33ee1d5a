"""Column widths of a comparison page: one layout for all its sections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len

from rolldeck.compare import wording
from rolldeck.compare.model import Row
from rolldeck.text import clean_line

VERDICT_WIDTH = 8
"""Room for ``▲ better`` and ``▼ worse``."""

ROOMY = 96
"""Width from which a page indents more and shows changed lines of files."""

SHORTEST_KEY = 20
"""Cells of a name where there is room: heads of sections then end before the columns begin."""

NARROWEST = 8
"""Fewest cells of a name: with less, values stand below their names."""

_BESIDE_HISTORY = 16
"""Fewest cells of a name beside a sparkline."""

GOOD = "  ↑ good"
"""How a row says which way is good, where there is room."""

_GAP = 2


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things stand on a page of ``width`` cells; every field is in cells."""

    width: int
    indent: int
    key: int
    value: int
    delta: int
    good: bool
    """Whether there is room for the word beside an arrow."""
    stacked: bool
    """Whether there is no room for values beside each other."""
    history: int = 0
    """How many versions before have a place behind the verdict, 0 where there is no room."""

    @property
    def after_values(self) -> int:
        """First cell after the two values."""
        return self.indent + self.key + 2 * (_GAP + self.value)

    @property
    def after_delta(self) -> int:
        """First cell after the delta."""
        return self.after_values + _GAP + self.delta + _GAP

    @property
    def sparkline(self) -> int:
        """First cell of a sparkline, after delta and verdict."""
        return self.after_delta + VERDICT_WIDTH + _GAP

    @property
    def remark(self) -> int:
        """First cell of a remark that stands after all else."""
        return self.sparkline + (self.history + _GAP if self.history else 0)

    def short(self, row: Row) -> bool:
        """Return whether both values of a row fit into their columns."""
        return not self.stacked and all(cell_len(text) <= self.value for text in wording.pair(row))


def lay_out(
    rows: Iterable[Row], labels: tuple[str, str], width: int, relative: bool, history: int = 0
) -> Columns:
    """Return the columns for the rows that a page shows, ``history`` the values of a sparkline."""
    roomy = width >= ROOMY
    indent = 6 if roomy else 4
    cap = 12 if not roomy else 20 if width < 150 else 30
    keys, judged, values, deltas = [SHORTEST_KEY], [0], [7], [3]
    values += [min(cell_len(label), cap) for label in labels]
    for row in rows:
        name = cell_len(clean_line(row.key))
        (keys if row.higher_is_better is None else judged).append(name)
        values += [size for size in map(cell_len, wording.pair(row)) if size <= cap]
        deltas.append(cell_len(wording.delta(row, relative)))
    value, delta = max(values), min(max(deltas), 12)
    free = width - indent - 2 * (_GAP + value) - 2 * _GAP - delta - VERDICT_WIDTH - 1
    if history and free - history - _GAP >= _BESIDE_HISTORY:
        free -= history + _GAP
    else:
        history = 0
    most = max(min(free, 26 if not roomy else 40), NARROWEST)
    good = max(judged) + len(GOOD) <= most
    hint = len(GOOD) if good else len(" ↑")
    key = min(max(*keys, max(judged) + hint), most)
    return Columns(width, indent, key, value, delta, good, free < NARROWEST, history)
