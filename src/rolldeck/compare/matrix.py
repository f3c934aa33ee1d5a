"""Many versions side by side: one row per version, one column per metric and parameter."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

from rolldeck.cells import value
from rolldeck.compare.direction import NO_DIRECTIONS, Directions
from rolldeck.compare.model import Cell, Row, Verdict
from rolldeck.compare.values import difference
from rolldeck.facts import Metric, Parameter

Kind = Literal["metric", "parameter"]

_REPRESENTATION = 1e-12
"""Fraction of a value below which a difference is only how numbers are stored."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a matrix knows of one version; ``problem`` says why it could not be read."""

    reference: str
    digest: str
    label: str
    created: datetime | None = None
    metrics: tuple[Metric, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """One metric or parameter of all versions.

    ``values`` stand in the order of the entries, None where a version has none. A number in another
    unit than ``unit`` is text, so that it is never compared. ``best`` are the entries with the best
    value, empty where no direction is known or all are equal.
    """

    kind: Kind
    key: str
    title: str
    values: tuple[Cell, ...]
    unit: str | None = None
    higher_is_better: bool | None = None
    best: frozenset[int] = frozenset()

    @property
    def differs(self) -> bool:
        """Whether any two versions differ, one that has no value from one that has."""
        return len({(type(item) is bool, item) for item in self.values}) > 1

    @property
    def is_numeric(self) -> bool:
        """Whether any value is a number."""
        return any(number is not None for number in self.numbers)

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """The values as finite numbers, None where they are none."""
        return tuple(_number(item) for item in self.values)

    def change(self, entry: int, baseline: int) -> Row:
        """Return how an entry differs from the baseline, as the row that a comparison has."""
        a, b = self.values[baseline], self.values[entry]
        delta, relative = difference(a, b)
        x, y = _number(a), _number(b)
        verdict: Verdict = "neutral"
        same = a == b and (type(a) is bool) == (type(b) is bool)
        if x is not None and y is not None:
            same = abs(y - x) <= _REPRESENTATION * max(abs(x), abs(y))
            if not same and self.higher_is_better is not None:
                verdict = "better" if (y > x) == self.higher_is_better else "worse"
        if same:
            return Row(self.key, "equal", a, b, unit=self.unit)
        status: Literal["added", "removed", "changed"] = (
            "added" if a is None else "removed" if b is None else "changed"
        )
        return Row(
            self.key, status, a, b, delta, relative, verdict, self.unit, self.higher_is_better
        )


@dataclass(frozen=True)
class Matrix:
    """Versions by metric and parameter; ``baseline`` is the entry that others are told against."""

    entries: tuple[Entry, ...]
    columns: tuple[MatrixColumn, ...]
    baseline: int | None = None

    def shown(self, *, every: bool = False) -> tuple[MatrixColumn, ...]:
        """Return all metrics and the parameters that differ, or with ``every`` all."""
        return tuple(
            item for item in self.columns if every or item.kind == "metric" or item.differs
        )

    def hidden(self) -> int:
        """Return how many parameters are the same in all versions."""
        return len(self.columns) - len(self.shown())

    def column(self, name: str) -> MatrixColumn | None:
        """Return the column with a key or title, a metric before a parameter."""
        found = (item for item in self.columns if name in (item.key, item.title))
        return next(found, None)

    def order(self, column: MatrixColumn | None, reverse: bool = False) -> list[int]:
        """Return the entries sorted by a column: the best first, else the largest.

        Entries without a value stand last either way; None keeps the order they came in. The
        baseline stays at the top.
        """
        numbers = list(range(len(self.entries)))
        found = numbers[::-1] if reverse else numbers
        if column is not None:
            low_first = column.higher_is_better is False
            known = [number for number in numbers if column.values[number] is not None]
            known.sort(key=lambda number: _sort_key(column.values[number]), reverse=not low_first)
            if reverse:
                known.reverse()
            found = known + [number for number in numbers if column.values[number] is None]
        if self.baseline is None:
            return found
        return [self.baseline, *(number for number in found if number != self.baseline)]

    @cached_property
    def headline(self) -> MatrixColumn | None:
        """The metric that most versions have; of equally common ones the first named."""
        metrics = [item for item in self.columns if item.kind == "metric"]
        return max(
            metrics,
            key=lambda item: sum(number is not None for number in item.numbers),
            default=None,
        )


def matrix(
    entries: Sequence[Entry],
    directions: Directions = NO_DIRECTIONS,
    baseline: int | None = None,
) -> Matrix:
    """Return the table of some versions; a metric of one name and several slices has a column each.

    Where every version has a name once, and at most one slice or data set is declared for it, it is
    one column.
    """
    columns = [*_metric_columns(entries, directions), *_parameter_columns(entries)]
    return Matrix(tuple(entries), tuple(columns), baseline)


def _metric_columns(entries: Sequence[Entry], directions: Directions) -> list[MatrixColumn]:
    alone = _told_by_name(entries)
    found: dict[str, list[Metric | None]] = {}
    for number, entry in enumerate(entries):
        for metric in entry.metrics:
            key = metric.name if metric.name in alone else metric.key
            found.setdefault(key, [None] * len(entries))[number] = metric
    return [_metric_column(key, metrics, directions) for key, metrics in found.items()]


def _told_by_name(entries: Iterable[Entry]) -> frozenset[str]:
    """Return the names of metrics that mean one thing in all versions."""
    keys: dict[str, set[str]] = {}
    twice: set[str] = set()
    for entry in entries:
        count = Counter(metric.name for metric in entry.metrics)
        twice.update(name for name, times in count.items() if times > 1)
        for metric in entry.metrics:
            if metric.key != metric.name:
                keys.setdefault(metric.name, set()).add(metric.key)
            else:
                keys.setdefault(metric.name, set())
    return frozenset(name for name, told in keys.items() if len(told) <= 1 and name not in twice)


def _metric_column(
    key: str, metrics: Sequence[Metric | None], directions: Directions
) -> MatrixColumn:
    known = [metric for metric in metrics if metric is not None]
    units = Counter(metric.unit for metric in known if metric.unit is not None)
    unit = units.most_common(1)[0][0] if units else None
    declared = {item.higher_is_better for item in known if item.higher_is_better is not None}
    # Versions that contradict each other leave no direction but the user's own.
    good = directions.own.get(known[0].name) if len(declared) > 1 else None
    if len(declared) < 2:
        good = directions.of(known[0].name, next(iter(declared), None))
    column = MatrixColumn(
        "metric", key, key, tuple(_cell(metric, unit) for metric in metrics), unit, good
    )
    return replace(column, best=_best(column))


def _cell(metric: Metric | None, unit: str | None) -> Cell:
    if metric is None:
        return None
    if metric.value is None:
        return metric.text
    if metric.unit is not None and metric.unit != unit:
        return value(metric.value, metric.unit)
    return metric.value


def _best(column: MatrixColumn) -> frozenset[int]:
    known = [(number, n) for n, number in enumerate(column.numbers) if number is not None]
    if column.higher_is_better is None or len({number for number, _ in known}) < 2:
        return frozenset()
    choose: Callable[..., tuple[float, int]] = max if column.higher_is_better else min
    best = choose(known, key=lambda item: item[0])[0]
    return frozenset(n for number, n in known if number == best)


def _parameter_columns(entries: Sequence[Entry]) -> list[MatrixColumn]:
    found: dict[str, list[Cell]] = {}
    for number, entry in enumerate(entries):
        for parameter in entry.parameters:
            said = "null" if parameter.value is None else parameter.value
            found.setdefault(parameter.name, [None] * len(entries))[number] = said
    return [MatrixColumn("parameter", key, key, tuple(cells)) for key, cells in found.items()]


def _number(cell: Cell) -> float | None:
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return None
    try:
        number = float(cell)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _sort_key(cell: Cell) -> tuple[int, float, str]:
    """Return what sorts values of one column: numbers after texts, so that they come first."""
    number = _number(cell)
    return (1, number, "") if number is not None else (0, 0.0, str(cell))
