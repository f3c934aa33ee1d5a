"""A policy: what is demanded of the metrics of a version, and what came of each demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Limit = Literal["required", "min", "max", "max_regression", "max_relative_regression"]
Outcome = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Guardrail:
    """What is demanded of one metric.

    ``min`` and ``max`` bound the value of B; ``max_regression`` is how much worse than A it may be
    in the metric's own unit, ``max_relative_regression`` the same as a fraction of A. ``slices``
    are demands on single slices, in place of the general ones.
    """

    min: float | None = None
    max: float | None = None
    max_regression: float | None = None
    max_relative_regression: float | None = None
    required: bool = False
    slices: Mapping[str, Guardrail] = field(default_factory=dict)

    @property
    def demands(self) -> bool:
        """Whether anything is demanded, slices aside."""
        return self.required or any(limit is not None for _, limit in self.limits)

    @property
    def limits(self) -> tuple[tuple[Limit, float | None], ...]:
        """Its limits by name."""
        return (
            ("min", self.min),
            ("max", self.max),
            ("max_regression", self.max_regression),
            ("max_relative_regression", self.max_relative_regression),
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """Guardrails by the names of metrics, without slice; ``source`` is where they were read."""

    metrics: Mapping[str, Guardrail] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class GuardrailResult:
    """What came of one demand.

    ``value`` is what was held against ``limit``: the value of B, or how much worse it is than A,
    in the metric's unit or as a fraction. ``by`` is how far it is beyond the limit, None where it
    is not. ``detail`` says all of that in one line.
    """

    metric: str
    slice: str | None
    limit_name: Limit
    limit: float | None
    outcome: Outcome
    value: float | None
    by: float | None
    detail: str
