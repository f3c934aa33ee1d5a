"""How a metric moved during the run that measured it: points of step and value, only so many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rolldeck.facts.document import items, number

POINTS = 200
"""Most points of a history kept, the first and the last among them."""

Point = tuple[float, float]


def read_history(value: Any) -> tuple[Point, ...]:
    """Read a JSON list of ``[step, value]``; what is no such pair of numbers is left out."""
    pairs = [item for item in items(value) if isinstance(item, list) and len(item) == 2]
    return thinned([found for step, at in pairs if (found := point(step, at))])


def point(step: Any, value: Any) -> Point | None:
    """Return one point, None where either is no finite number."""
    x, y = number(step), number(value)
    return (x, y) if x is not None and y is not None else None


def thinned(points: Sequence[Point], most: int = POINTS) -> tuple[Point, ...]:
    """Return at most ``most`` (two or more) points, evenly taken, with the first and the last."""
    if len(points) <= most:
        return tuple(points)
    last = len(points) - 1
    return tuple(points[index * last // (most - 1)] for index in range(most))
