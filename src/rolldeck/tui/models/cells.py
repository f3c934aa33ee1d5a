"""Values of a comparison as people read them: numbers, sizes, deltas, verdicts."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from rolldeck.text import clean_line
from rolldeck.units import human_size

if TYPE_CHECKING:
    from rolldeck.compare.model import Cell, Row

BYTES = frozenset({"B", "bytes", "byte"})
"""Units that are written as sizes."""

ABSENT = "–"
"""Stands for a value that one side does not have."""

LONGEST = 2000
"""Longest value laid out, in characters."""


_DIGEST = re.compile(r"([A-Za-z][\w.+-]{0,19}:(?=\w+:))?\w+:([0-9a-f]{12})[0-9a-f]{20,}")


def value(cell: Cell, unit: str | None = None, digits: int = 6) -> str:
    """Return one value as text in one line, with its unit."""
    if cell is None:
        return ABSENT
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        if unit in BYTES:
            return human_size(cell)
        text = number(cell, digits)
        return f"{text} {clean_line(unit, 20)}" if unit else text
    return _short_digests(clean_line(cell, LONGEST)) or '""'


def _short_digests(text: str) -> str:
    """Return a digest as its first 12 digits, also with the name of a scheme in front of it."""
    match = _DIGEST.fullmatch(text)
    return f"{match[1] or ''}{match[2]}" if match else text


def number(value: int | float, digits: int = 6) -> str:
    """Return a number with at most ``digits`` significant digits; whole numbers stay whole."""
    if isinstance(value, int):
        return str(value)
    if math.isfinite(value) and value == int(value) and abs(value) < 10 ** max(digits, 6):
        return f"{value:.1f}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value:.{digits}g}"


def pair(row: Row) -> tuple[str, str]:
    """Return both values as text, with as many digits as it takes to tell them apart."""
    digits = (4, 6, 9, 12, 17) if row.unit not in BYTES else (6,)
    for count in digits:
        a, b = value(row.a, row.unit, count), value(row.b, row.unit, count)
        if a != b or row.status == "equal":
            break
    return a, b


def numeric(row: Row) -> bool:
    """Return whether both sides of a row are numbers or nothing."""
    return all(
        cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool))
        for cell in (row.a, row.b)
    )


def delta(row: Row, relative: bool) -> str:
    """Return how B differs from A: ``-3.1 %``, ``+22 ms``, ``new``, ``gone`` or nothing."""
    if row.status == "equal":
        return "same"
    if row.status == "added":
        return "new"
    if row.status == "removed":
        return "gone"
    if relative and row.relative is not None:
        return percent(row.relative)
    if row.delta is None:
        return ""
    if row.unit in BYTES:
        return ("+" if row.delta > 0 else "-") + human_size(abs(row.delta))
    whole = isinstance(row.a, int) and isinstance(row.b, int)
    text = f"{row.b - row.a:+d}" if whole else f"{row.delta:+.4g}"  # type: ignore[operator]
    return f"{text} {clean_line(row.unit, 20)}" if row.unit else text


def percent(fraction: float) -> str:
    """Return a fraction as a signed percentage that is never rounded to nothing."""
    amount = fraction * 100
    places = 0 if abs(amount) >= 1000 else 1 if abs(amount) >= 0.1 else 2
    if amount and abs(amount) < 0.01:
        return f"{'+' if amount > 0 else '-'}<0.01 %"
    return f"{amount:+.{places}f} %"


def direction(row: Row) -> str:
    """Return which way is good for this row: an arrow, or nothing where it is not known."""
    if row.higher_is_better is None:
        return ""
    return "↑" if row.higher_is_better else "↓"


def verdict(row: Row) -> str:
    """Return the mark and word for a row that got better or worse."""
    return {"better": "▲ better", "worse": "▼ worse"}.get(row.verdict, "")
