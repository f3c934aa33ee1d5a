"""What an export of a comparison holds, the same in every format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rolldeck.compare.compare import Version
from rolldeck.compare.model import READING_ORDER, Comparison, Row, Section, SectionName
from rolldeck.compare.policy import GuardrailResult

Format = Literal["markdown", "json", "tsv", "html"]
SUFFIXES: dict[Format, str] = {"markdown": ".md", "json": ".json", "tsv": ".tsv", "html": ".html"}
"""How the name of a file in a format ends."""

UNDECLARED = "Evaluation data are not declared: whether metrics are like for like is unknown"

Curve = tuple[tuple[float, float], ...]
"""``(step, value)`` pairs of one run."""


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison as somebody wants to have it.

    ``only`` are the sections wanted, empty for all. ``curves`` are the histories of metrics on both
    sides, by bare name and slice.
    """

    comparison: Comparison
    show_all: bool = False
    only: tuple[SectionName, ...] = ()
    curves: Mapping[tuple[str | None, str | None], tuple[Curve, Curve]] = field(
        default_factory=dict
    )

    @property
    def guardrails(self) -> tuple[GuardrailResult, ...]:
        """What a policy says, what failed first."""
        return self.comparison.guardrails

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be read."""
        return self.comparison.problems

    @property
    def wanted(self) -> tuple[Section, ...]:
        """The sections that were asked for, in the order in which people read them."""
        return tuple(
            self.comparison.section(name)
            for name in READING_ORDER
            if not self.only or name in self.only
        )

    def sections(self) -> Iterator[tuple[Section, tuple[Row, ...]]]:
        """Yield the sections that have something to show, with the rows that are shown."""
        for section in self.wanted:
            rows = tuple(row for row in section.rows if self.show_all or row.status != "equal")
            if rows:
                yield section, rows

    @property
    def differs(self) -> bool:
        """Whether anything that was asked for differs."""
        return any(section.changed for section in self.wanted)

    @property
    def hidden(self) -> str:
        """How many rows are not shown, empty where none is hidden."""
        if self.show_all:
            return ""
        within = sum(section.within for section in self.wanted)
        return hidden_rows(
            sum(section.equal for section in self.wanted) - within,
            within,
            self.comparison.tolerance,
        )

    @property
    def caveat(self) -> str:
        """What is to be said once where nobody declares what metrics were measured on."""
        has_metrics = any(section.name == "metrics" and section.rows for section in self.wanted)
        return UNDECLARED if has_metrics and self.comparison.like_for_like is None else ""


def hidden_rows(equal: int, within: int, tolerance: float) -> str:
    """Return what is hidden: ``214 equal, ≈ 12 within 0.1 %``; empty where that is nothing."""
    parts = [f"{equal} equal"] if equal or not within else []
    if within:
        parts.append(f"≈ {within} within {tolerance * 100:g} %")
    return ", ".join(parts) if equal or within else ""


def curves(a: Version, b: Version) -> dict[tuple[str | None, str | None], tuple[Curve, Curve]]:
    """Return the histories of the metrics of two versions, where either has one."""
    left, right = _histories(a), _histories(b)
    return {key: (left.get(key, ()), right.get(key, ())) for key in {**left, **right}}


def _histories(version: Version) -> dict[tuple[str | None, str | None], Curve]:
    return {
        (metric.name, metric.slice): metric.history
        for metric in version.facts.metrics
        if len(metric.history) > 1
    }


def failed(results: Sequence[GuardrailResult]) -> tuple[GuardrailResult, ...]:
    """Return the demands that were not met."""
    return tuple(result for result in results if result.outcome == "failed")


def guardrail_title(results: Sequence[GuardrailResult]) -> str:
    """Return how many guardrails failed or are unknown: ``1 of 3 failed, 1 unknown``."""
    counts = {word: sum(item.outcome == word for item in results) for word in ("failed", "unknown")}
    if not any(counts.values()):
        return f"all {len(results)} passed"
    told = [f"{count} {word}" for word, count in counts.items() if count]
    return f"{', '.join(told)} of {len(results)}"
