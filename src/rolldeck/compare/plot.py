"""Small plots of a metric as SVG text: the curves of both runs, or both values as bars.

Only numbers that are formatted here and text that is escaped get into them; colours are classes of
the page that holds them.
"""

from __future__ import annotations

import math
from html import escape

from rolldeck.cells import value
from rolldeck.compare.model import Row
from rolldeck.compare.report import Curve
from rolldeck.text import clean_line

WIDTH, HEIGHT = 320, 120
_LEFT, _TOP, _BOTTOM, _RIGHT = 56, 10, 20, 10
_MOST_POINTS = 400


def plot(row: Row, curves: tuple[Curve, Curve]) -> str:
    """Return a plot of a metric, empty where there is nothing to draw."""
    sides = [_finite(curve) for curve in curves]
    if any(len(side) > 1 for side in sides):
        return _svg(row, _curves(row, sides))
    return _svg(row, _bars(row))


def _svg(row: Row, body: str) -> str:
    if not body:
        return ""
    title = escape(clean_line(row.key, 120))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title>{body}</svg>"
    )


def _finite(curve: Curve) -> list[tuple[float, float]]:
    points = sorted(point for point in curve if all(map(math.isfinite, point)))
    step = max(math.ceil(len(points) / _MOST_POINTS), 1)
    kept = points[::step]
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]


def _curves(row: Row, sides: list[list[tuple[float, float]]]) -> str:
    points = [point for side in sides for point in side]
    steps, values = zip(*points, strict=True)
    lines = [_axis(row, min(values), max(values)), _steps(min(steps), max(steps))]
    for name, side in zip("ab", sides, strict=True):
        drawn = " ".join(
            f"{_place(step, steps, _LEFT, WIDTH - _RIGHT):.1f},"
            f"{_place(height, values, HEIGHT - _BOTTOM, _TOP):.1f}"
            for step, height in side
        )
        if drawn:
            lines.append(f'<polyline class="{name}" points="{drawn}"/>')
    return "".join(lines)


def _place(number: float, among: tuple[float, ...], start: float, end: float) -> float:
    low, high = min(among), max(among)
    # Halves, since the whole span of two large numbers may be more than a float holds.
    span = high / 2 - low / 2
    return (start + end) / 2 if span == 0 else start + (number / 2 - low / 2) / span * (end - start)


def _axis(row: Row, low: float, high: float) -> str:
    ends = [(high, _TOP + 8)] if low == high else [(high, _TOP + 8), (low, HEIGHT - _BOTTOM)]
    return "".join(
        f'<text x="{_LEFT - 6}" y="{y}" text-anchor="end">{_number(number, row)}</text>'
        for number, y in ends
    )


def _steps(first: float, last: float) -> str:
    y = HEIGHT - 5
    return (
        f'<text x="{_LEFT}" y="{y}">{first:g}</text>'
        f'<text x="{WIDTH - _RIGHT}" y="{y}" text-anchor="end">step {last:g}</text>'
    )


def _bars(row: Row) -> str:
    sides = [_float(cell) for cell in (row.a, row.b)]
    if any(side is None for side in sides):
        return ""
    numbers = [side for side in sides if side is not None]
    scale = (0.0, *numbers)
    zero = _place(0.0, scale, _LEFT, WIDTH - 80)
    parts = []
    for place, (name, number) in enumerate(zip("ab", numbers, strict=True)):
        end = _place(number, scale, _LEFT, WIDTH - 80)
        x, width, y = min(zero, end), max(abs(end - zero), 1.0), 20 + 46 * place
        parts.append(
            f'<rect class="{name}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="30"/>'
            f'<text x="{_LEFT - 6}" y="{y + 19}" text-anchor="end">{name.upper()}</text>'
            f'<text x="{max(zero, end) + 5:.1f}" y="{y + 19}">{_number(number, row)}</text>'
        )
    return "".join(parts)


def _float(cell: object) -> float | None:
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return None
    try:
        number = float(cell)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _number(number: float, row: Row) -> str:
    return escape(value(number, row.unit, 4))
