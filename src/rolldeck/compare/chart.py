"""One metric over versions as a plot in text, for a terminal of any size.

Own code: the libraries that plot in terminals bring numpy or a global figure, and neither knows
gaps, versions as an axis or which value is best.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

from rolldeck.cells import value
from rolldeck.columns import cut
from rolldeck.compare.matrix import Matrix, MatrixColumn
from rolldeck.text import clean_line

Role = Literal["plain", "dim", "best", "worst", "baseline", "cursor"]
"""What a run of characters is, for whoever gives it a colour."""

Run = tuple[str, Role]

NARROWEST, LOWEST = 30, 6
"""Cells and lines below which no plot can be read."""

_LABEL = 24
"""Longest name of a version on the axis, in cells."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What a plot is drawn with; every mark has its own character, so that no colour is needed."""

    point: str = "●"
    best: str = "✓"
    worst: str = "×"
    highest: str = "▲"
    lowest: str = "▼"
    baseline: str = "B"
    level: str = "─"
    side: str = "│"
    tick: str = "┤"
    corner: str = "└"
    floor: str = "─"
    here: str = "▲"
    braille: bool = True


BLOCKS = Glyphs()
ASCII = Glyphs("o", "*", "x", "^", "v", "B", "-", "|", "+", "+", "-", "^", False)


def glyphs_of(environment: Mapping[str, str] | None = None) -> Glyphs:
    """Return the glyphs for a locale: ASCII where it names a character set that lacks more."""
    known = os.environ if environment is None else environment
    names = (known.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, names), "C.UTF-8")
    return BLOCKS if "utf8" in locale.lower().replace("-", "") else ASCII


@dataclass(frozen=True, slots=True)
class Series:
    """One metric over versions, oldest first; ``best`` and ``worst`` are the first of theirs.

    Without a known direction they are the highest and the lowest value.
    """

    column: MatrixColumn
    labels: tuple[str, ...]
    numbers: tuple[float | None, ...]
    entries: tuple[int, ...]
    """Which entry of the matrix each one is."""
    baseline: int | None = None

    @property
    def judged(self) -> bool:
        """Whether it is known which way is good."""
        return self.column.higher_is_better is not None

    @property
    def best(self) -> int | None:
        """The place of the best value; None where all are equal."""
        return self._extreme(high=self.column.higher_is_better is not False)

    @property
    def worst(self) -> int | None:
        """The place of the worst value; None where all are equal."""
        return self._extreme(high=self.column.higher_is_better is False)

    def _extreme(self, *, high: bool) -> int | None:
        known = [(number, place) for place, number in enumerate(self.numbers) if number is not None]
        if len({number for number, _ in known}) < 2:
            return None
        return (max if high else min)(known, key=lambda item: item[0])[1]

    def text(self, place: int, digits: int = 6) -> str:
        """Return the value at a place with its unit."""
        return value(self.numbers[place], self.column.unit, digits)


def series(matrix: Matrix, column: MatrixColumn, order: Sequence[int] | None = None) -> Series:
    """Return a metric over versions, oldest first; ``order`` are entries, newest first."""
    entries = tuple(reversed(range(len(matrix.entries)) if order is None else order))
    numbers = column.numbers
    baseline = entries.index(matrix.baseline) if matrix.baseline in entries else None
    return Series(
        column,
        tuple(clean_line(matrix.entries[entry].label, 200) for entry in entries),
        tuple(numbers[entry] for entry in entries),
        entries,
        baseline,
    )


def legend(series: Series, glyphs: Glyphs = BLOCKS) -> list[Run]:
    """Return what the marks mean, with version and value."""
    words = ("best", "worst") if series.judged else ("highest", "lowest")
    marks = (glyphs.best, glyphs.worst) if series.judged else (glyphs.highest, glyphs.lowest)
    runs: list[Run] = []
    for mark, word, place, role in zip(
        marks, words, (series.best, series.worst), _roles(series), strict=True
    ):
        if place is not None:
            runs += [(f"{mark} {word}", role), (_said(series, place), "plain")]
    if series.baseline is not None:
        runs += [
            (f"{glyphs.baseline} baseline", "baseline"),
            (_said(series, series.baseline), "plain"),
        ]
    if missing := sum(number is None for number in series.numbers):
        runs.append((f"{missing} of {len(series.numbers)} without it", "dim"))
    return runs


def _said(series: Series, place: int) -> str:
    return f" {cut(series.labels[place], _LABEL)} {series.text(place, 4)}   "


def _roles(series: Series) -> tuple[Role, Role]:
    return ("best", "worst") if series.judged else ("plain", "plain")


def chart(
    series: Series, width: int, height: int, *, cursor: int | None = None, glyphs: Glyphs = BLOCKS
) -> list[list[Run]]:
    """Return the plot as ``height`` lines of at most ``width`` cells; empty where none fits.

    Lines join neighbours that have values; a version without one is a gap.
    """
    known = [number for number in series.numbers if number is not None]
    if width < NARROWEST or height < LOWEST or not known:
        return []
    low, high = min(known), max(known)
    rows = height - 2
    ticks = _ticks(low, high, rows, series.column.unit)
    margin = max(map(cell_len, ticks.values())) + 1
    canvas = _Canvas(width - margin - 1, rows, low, high, len(series.numbers))
    if series.baseline is not None and (level := series.numbers[series.baseline]) is not None:
        canvas.level(level, glyphs)
    canvas.draw(series, glyphs)
    lines: list[list[Run]] = []
    for row in range(rows):
        label = ticks.get(row, "")
        side = glyphs.tick if label else glyphs.side
        head = " " * (margin - 1 - cell_len(label)) + label + " " + side
        lines.append([(head, "dim"), *canvas.row(row, cursor)])
    lines.append([(" " * margin, "dim"), *_floor(canvas, series, cursor, glyphs)])
    lines.append([(" " * (margin + 1), "dim"), *_names(canvas, series, cursor)])
    return lines


def _ticks(low: float, high: float, rows: int, unit: str | None) -> dict[int, str]:
    """Return the numbers beside the axis by row: both ends, and some between."""
    if low == high:
        return {rows // 2: value(low, unit, 4)}
    count = 3 if rows < 9 else 5
    places = {round(step * (rows - 1) / (count - 1)): step / (count - 1) for step in range(count)}
    for digits in (3, 4, 6, 9, 12):
        found = {
            row: value(high * (1 - down) + low * down, unit, digits) for row, down in places.items()
        }
        if len(set(found.values())) == len(found):
            break
    return found


class _Canvas:
    """Cells of a plot: a fine line below, marks above."""

    def __init__(self, width: int, rows: int, low: float, high: float, count: int) -> None:
        self.width = width
        self._rows = rows
        self._low, self._high = low, high
        self._count = count
        self._dots: dict[tuple[int, int], int] = {}
        self._marks: dict[tuple[int, int], Run] = {}
        self._level: int | None = None
        self._level_mark = ""

    def x(self, place: int) -> int:
        """Return the cell of a version from the left."""
        return self._fine_x(place) // 2

    def _fine_x(self, place: int) -> int:
        if self._count < 2:
            return self.width
        return 1 + round(place * (2 * self.width - 3) / (self._count - 1))

    def _fine_y(self, number: float) -> int:
        last = 4 * self._rows - 1
        # Halves, since the whole span of two large numbers may be more than a float holds.
        span = self._high / 2 - self._low / 2
        if not span:
            return last // 2
        return round((self._high / 2 - number / 2) / span * last)

    def level(self, number: float, glyphs: Glyphs) -> None:
        """Draw the baseline's value across."""
        self._level, self._level_mark = self._fine_y(number) // 4, glyphs.level

    def draw(self, series: Series, glyphs: Glyphs) -> None:
        """Draw the line, then the marks on it."""
        before: tuple[int, int] | None = None
        every = self._count * 2 <= self.width or not glyphs.braille
        for place, number in enumerate(series.numbers):
            if number is None:
                before = None
                continue
            here = (self._fine_x(place), self._fine_y(number))
            if glyphs.braille:
                self._line(before or here, here)
            alone = before is None and (
                place + 1 == self._count or series.numbers[place + 1] is None
            )
            if every or alone:
                self._marks[here[0] // 2, here[1] // 4] = (glyphs.point, "plain")
            before = here
        roles = _roles(series)
        marks = (glyphs.best, glyphs.worst) if series.judged else (glyphs.highest, glyphs.lowest)
        for mark, spot, role in (
            (marks[1], series.worst, roles[1]),
            (glyphs.baseline, series.baseline, "baseline"),
            (marks[0], series.best, roles[0]),
        ):
            if spot is not None and (number := series.numbers[spot]) is not None:
                cell = (self.x(spot), self._fine_y(number) // 4)
                self._marks[cell] = (mark, role)

    def _line(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for step in range(steps + 1):
            x = round(start[0] + (end[0] - start[0]) * step / steps)
            y = round(start[1] + (end[1] - start[1]) * step / steps)
            bit = (0x01, 0x02, 0x04, 0x40)[y % 4] if x % 2 == 0 else (0x08, 0x10, 0x20, 0x80)[y % 4]
            cell = (x // 2, y // 4)
            self._dots[cell] = self._dots.get(cell, 0) | bit

    def row(self, row: int, cursor: int | None) -> list[Run]:
        """Return one line of cells, those of one role joined."""
        column = self.x(cursor) if cursor is not None else None
        runs: list[Run] = []
        for x in range(self.width):
            text, role = self._cell(x, row)
            if x == column:
                role = "cursor"
            if runs and runs[-1][1] == role:
                runs[-1] = (runs[-1][0] + text, role)
            else:
                runs.append((text, role))
        return runs

    def _cell(self, x: int, row: int) -> Run:
        if found := self._marks.get((x, row)):
            return found
        if dots := self._dots.get((x, row)):
            return chr(0x2800 + dots), "plain"
        return (self._level_mark, "dim") if row == self._level else (" ", "plain")


def _floor(canvas: _Canvas, series: Series, cursor: int | None, glyphs: Glyphs) -> list[Run]:
    """Return the axis; the version under the cursor is marked on it."""
    if cursor is None:
        return [(glyphs.corner + glyphs.floor * canvas.width, "dim")]
    x = canvas.x(cursor)
    left, right = glyphs.floor * x, glyphs.floor * (canvas.width - x - 1)
    return [(glyphs.corner + left, "dim"), (glyphs.here, "cursor"), (right, "dim")]


def _names(canvas: _Canvas, series: Series, cursor: int | None) -> list[Run]:
    """Return the names of versions: the cursor's, the first and the last, then what fits."""
    count = len(series.labels)
    wanted = list(dict.fromkeys([*([cursor] if cursor is not None else []), 0, count - 1]))
    steps = (1, 2, 4, 8, 16, 32, 64)
    step = next((size for size in steps if count // size <= canvas.width // 8), 128)
    wanted += [place for place in range(0, count, step) if place not in wanted]
    taken: list[tuple[int, int, int]] = []
    for place in wanted:
        text = cut(series.labels[place], min(_LABEL, canvas.width))
        size = cell_len(text)
        start = max(min(canvas.x(place) - size // 2, canvas.width - size), 0)
        if all(start > end + 1 or start + size + 1 < begin for begin, end, _ in taken):
            taken.append((start, start + size, place))
    runs: list[Run] = []
    reached = 0
    for start, end, place in sorted(taken):
        text = cut(series.labels[place], min(_LABEL, canvas.width))
        runs += [(" " * (start - reached), "dim")] if start > reached else []
        runs.append((text, "cursor" if place == cursor else "dim"))
        reached = end
    return runs
