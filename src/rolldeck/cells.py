"""Values of facts as people read them, in the deck, on the command line and in exports."""

from __future__ import annotations

import math
import re

from rolldeck.text import clean_line
from rolldeck.units import human_size

BYTES = frozenset({"B", "bytes", "byte"})
"""Units that are written as sizes."""

ABSENT = "–"
"""Stands for a value that one side does not have."""

LONGEST = 2000
"""Longest value laid out, in characters."""


_DIGEST = re.compile(r"([A-Za-z][\w.+-]{0,19}:(?=\w+:))?\w+:([0-9a-f]{12})[0-9a-f]{20,}")


def value(cell: str | int | float | bool | None, unit: str | None = None, digits: int = 6) -> str:
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


def percent(fraction: float) -> str:
    """Return a fraction as a signed percentage that is never rounded to nothing."""
    amount = fraction * 100
    places = 0 if abs(amount) >= 1000 else 1 if abs(amount) >= 0.1 else 2
    if amount and abs(amount) < 0.01:
        return f"{'+' if amount > 0 else '-'}<0.01 %"
    return f"{amount:+.{places}f} %"
