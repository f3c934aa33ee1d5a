"""How a comparison is looked at: which sections are open, which rows are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rolldeck.compare.model import READING_ORDER, Comparison, Row, Section, SectionName

QUIET: frozenset[SectionName] = frozenset({"manifest", "kitfile", "lineage"})
"""Sections that stay folded while another one differs: they mostly repeat what others say."""

TITLES: dict[SectionName, str] = {
    "manifest": "Manifest",
    "layers": "Layers",
    "kitfile": "Kitfile",
    "metrics": "Metrics",
    "parameters": "Parameters",
    "environment": "Environment",
    "code": "Code",
    "data": "Data",
    "tensors": "Tensors",
    "signature": "Signature",
    "lineage": "Lineage",
}
"""Headings of the sections."""


def ordered(comparison: Comparison) -> list[Section]:
    """Return the sections of a comparison as they stand on the page."""
    return sorted(comparison.sections, key=lambda section: READING_ORDER.index(section.name))


class Target(NamedTuple):
    """What the cursor is on: a section's head, or the row with this key."""

    section: SectionName
    key: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """How a comparison is looked at; ``folds`` holds what the user folded or unfolded."""

    only_differences: bool = True
    relative: bool = True
    folds: Mapping[SectionName, bool] = field(default_factory=dict)

    def folded(self, comparison: Comparison, section: Section) -> bool:
        """Return whether only the head of a section is shown."""
        fold = self.folds.get(section.name)
        return self.resting(comparison, section) if fold is None else fold

    def resting(self, comparison: Comparison, section: Section) -> bool:
        """Return whether a section is folded by itself: it says nothing or repeats others."""
        if not section.rows:
            return True
        if not self.only_differences:
            return False
        if not section.changed:
            return True
        return section.name in QUIET and any(
            other.changed for other in comparison.sections if other.name not in QUIET
        )

    def rows(self, section: Section) -> tuple[Row, ...]:
        """Return the rows of an open section that are shown."""
        if self.only_differences and section.changed:
            return tuple(row for row in section.rows if row.status != "equal")
        return section.rows

    def hidden(self, comparison: Comparison) -> int:
        """Return how many equal rows are not on the page."""
        return sum(
            section.equal
            if self.folded(comparison, section)
            else len(section.rows) - len(self.rows(section))
            for section in comparison.sections
        )

    def within(self, comparison: Comparison) -> int:
        """Return how many rows are not on the page that are equal only by the tolerance."""
        return sum(
            section.within
            if self.folded(comparison, section)
            else section.within - sum(row.within for row in self.rows(section))
            for section in comparison.sections
        )

    def fold(self, comparison: Comparison, name: SectionName) -> View:
        """Return the view with one section folded or unfolded."""
        section = comparison.section(name)
        if not section.rows:
            return self
        return replace(self, folds={**self.folds, name: not self.folded(comparison, section)})

    def fold_all(self, comparison: Comparison) -> View:
        """Return the view with every section folded, or as it was first if all were."""
        if all(self.folded(comparison, section) for section in comparison.sections):
            return replace(self, folds={})
        return replace(self, folds={section.name: True for section in comparison.sections})


def border_note(comparison: Comparison, view: View) -> str:
    """Return what the bottom border says: what is hidden, and how rows are shown."""
    within = view.within(comparison)
    hidden = view.hidden(comparison) - within
    parts = ["only differences" if view.only_differences else "all rows"]
    parts.append(f"{hidden} equal hidden")
    if comparison.tolerance:
        parts.append(f"≈ {within} within {comparison.tolerance * 100:g} %")
    parts.append("relative" if view.relative else "absolute")
    parts.append("worst first")
    return " · ".join(parts)
