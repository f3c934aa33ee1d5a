"""Rows of a comparison as people read them: both values, how far they moved, the verdict."""

from __future__ import annotations

from rolldeck.cells import BYTES, percent, value
from rolldeck.compare.model import Row
from rolldeck.text import clean_line
from rolldeck.units import human_size


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
    if row.points is not None and not relative:
        return points(row.points)
    if row.unit in BYTES:
        return ("+" if row.delta > 0 else "-") + human_size(abs(row.delta))
    whole = isinstance(row.a, int) and isinstance(row.b, int)
    text = f"{row.b - row.a:+d}" if whole else f"{row.delta:+.4g}"  # type: ignore[operator]
    return f"{text} {clean_line(row.unit, 20)}" if row.unit else text


def absolute(row: Row) -> str:
    """Return the difference as a number: ``-2.8 pp`` for shares of a whole, else ``+22 ms``."""
    if row.points is not None and row.status == "changed":
        return points(row.points)
    return "" if row.delta is None or row.status == "equal" else delta(row, False)


def relative(row: Row) -> str:
    """Return the difference as a fraction of A, empty where it has no meaning."""
    return "" if row.relative is None or row.status == "equal" else percent(row.relative)


def points(number: float) -> str:
    """Return signed percentage points, never rounded to nothing: ``-2.8 pp``."""
    return f"{number:+.2g} pp" if abs(number) < 1 else f"{number:+.1f} pp"


def direction(row: Row) -> str:
    """Return which way is good for this row: an arrow, or nothing where it is not known."""
    if row.higher_is_better is None:
        return ""
    return "↑" if row.higher_is_better else "↓"


def verdict(row: Row) -> str:
    """Return the mark and word for a row that got better or worse."""
    return {"better": "▲ better", "worse": "▼ worse"}.get(row.verdict, "")
