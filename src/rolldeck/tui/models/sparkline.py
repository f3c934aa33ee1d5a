"""Sparklines in one row of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

_HEIGHTS = "▁▂▃▄▅"
"""The lower five heights only, so that lines in neighbouring rows do not melt together."""


def sparkline(values: Sequence[float | None]) -> str:
    """Return one character per value; a blank where there is none."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    spread = high - low
    if not math.isfinite(spread):
        return ""
    text = ""
    for value in values:
        if value is None or not math.isfinite(value):
            text += " "
        elif not spread:
            text += _HEIGHTS[len(_HEIGHTS) // 2]
        else:
            text += _HEIGHTS[round((value - low) / spread * (len(_HEIGHTS) - 1))]
    return text
