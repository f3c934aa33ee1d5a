"""``Comparison``: two versions side by side, as rows ready to show, print or export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rolldeck.compare.policy import GuardrailResult, Policy

Status = Literal["changed", "added", "removed", "equal"]
Verdict = Literal["better", "worse", "neutral", "unknown"]
SectionName = Literal[
    "manifest",
    "layers",
    "kitfile",
    "metrics",
    "parameters",
    "environment",
    "code",
    "data",
    "tensors",
    "signature",
    "lineage",
]
READING_ORDER: tuple[SectionName, ...] = (
    "metrics",
    "parameters",
    "environment",
    "layers",
    "code",
    "data",
    "tensors",
    "signature",
    "kitfile",
    "manifest",
    "lineage",
)
"""The order in which a person reads them: what got worse, then what may be why."""

Cell = str | int | float | bool | None
"""A value on one side; None where that side has none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing on both sides.

    ``delta`` is B minus A and ``relative`` the same as a fraction of A, both None where they have
    no meaning. ``note`` is one short remark ("within noise, n = 143", "same content, other
    packing"); ``higher_is_better`` is the direction that the verdict used. ``within`` says that
    both differ by less than the tolerance, and so count as equal. Of a metric, ``metric`` is its
    bare name, ``slice`` what it was measured on, ``points`` the difference in percentage points
    where both sides are shares of a whole, and ``like`` whether both were measured alike as far
    as is declared.
    """

    key: str
    status: Status
    a: Cell
    b: Cell
    delta: float | None = None
    relative: float | None = None
    verdict: Verdict = "neutral"
    unit: str | None = None
    higher_is_better: bool | None = None
    note: str = ""
    within: bool = False
    metric: str | None = None
    slice: str | None = None
    points: float | None = None
    like: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind, worst first, then by how much they differ."""

    name: SectionName
    rows: tuple[Row, ...]

    @property
    def changed(self) -> int:
        """How many rows differ."""
        return sum(row.status != "equal" for row in self.rows)

    @property
    def equal(self) -> int:
        """How many rows are equal: what is hidden by default."""
        return len(self.rows) - self.changed

    @property
    def within(self) -> int:
        """How many rows are equal only by the tolerance."""
        return sum(row.within for row in self.rows)


@dataclass(frozen=True, slots=True)
class Side:
    """Which version stands on a side: ``label`` is its short name for a column head."""

    reference: str
    digest: str
    label: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions side by side; ``summary`` is one sentence, what got worse first.

    ``tolerance`` is the fraction below which metrics count as equal. ``like_for_like`` says
    whether both were measured on the same evaluation data and slices, None where that is not
    declared; ``unlike`` names what differs. ``suspects`` are what moved and may be why metrics did,
    the likeliest first. ``problems`` is what could not be read. ``guardrails`` is what came of
    ``policy``, what failed first.
    """

    a: Side
    b: Side
    identical: bool
    summary: str
    sections: tuple[Section, ...]
    tolerance: float = 0.0
    like_for_like: bool | None = True
    unlike: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    policy: Policy | None = None
    guardrails: tuple[GuardrailResult, ...] = ()

    @property
    def regressions(self) -> tuple[Row, ...]:
        """The metrics that got worse: what the summary counts and a gate fails on."""
        return tuple(row for row in self.section("metrics").rows if row.verdict == "worse")

    @property
    def within(self) -> int:
        """How many rows are equal only by the tolerance."""
        return sum(section.within for section in self.sections)

    def row(self, name: SectionName, key: str) -> Row | None:
        """Return a row by section and key, None where there is none."""
        return next((row for row in self.section(name).rows if row.key == key), None)

    def section(self, name: SectionName) -> Section:
        """Return a section by name; an empty one where nothing is known on either side."""
        for section in self.sections:
            if section.name == name:
                return section
        return Section(name, ())
