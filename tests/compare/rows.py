"""Short cuts to what a comparison says of golden versions."""

from __future__ import annotations

from rolldeck.compare import Comparison, Row, SectionName, compare
from tests.golden_kits import load_version


def compared(a: str, b: str, tolerance: float = 0.0) -> Comparison:
    """Compare two golden versions."""
    return compare(load_version(a), load_version(b), tolerance)


def changed(comparison: Comparison, name: SectionName) -> dict[str, Row]:
    """Return the rows of a section that differ, by key."""
    return {row.key: row for row in comparison.section(name).rows if row.status != "equal"}


def equal(comparison: Comparison, name: SectionName) -> dict[str, Row]:
    """Return the rows of a section that are equal, by key."""
    return {row.key: row for row in comparison.section(name).rows if row.status == "equal"}
