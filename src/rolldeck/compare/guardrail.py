"""Guardrails: what a policy demands of the metrics of a version beside its baseline.

A demand that cannot be looked at is unknown, and fails only where the metric is required: nobody
is stopped by what nobody measured, and nothing required passes unmeasured. ``min`` and ``max``
look at B alone. The limits of a regression compare, so what is not like for like is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from rolldeck.cells import percent, value
from rolldeck.compare.model import Comparison, Row
from rolldeck.compare.policy import Guardrail, GuardrailResult, Limit, Outcome, Policy


def judged(comparison: Comparison, policy: Policy | None) -> Comparison:
    """Return a comparison with what came of a policy; without one it stays as it is."""
    if policy is None:
        return comparison
    return replace(comparison, policy=policy, guardrails=judge(policy, comparison))


def judge(policy: Policy, comparison: Comparison) -> tuple[GuardrailResult, ...]:
    """Hold the metrics of B against a policy; what failed comes first."""
    rows = comparison.section("metrics").rows
    results = [
        result
        for name, guardrail in policy.metrics.items()
        for result in _of_metric(name, guardrail, [row for row in rows if row.metric == name])
    ]
    order = ("failed", "unknown", "passed")
    return tuple(sorted(results, key=lambda result: order.index(result.outcome)))


def _of_metric(name: str, guardrail: Guardrail, rows: list[Row]) -> Iterator[GuardrailResult]:
    present = [row for row in rows if row.b is not None]
    for part, demanded in guardrail.slices.items():
        yield from _demanded(name, part, demanded, [row for row in present if row.slice == part])
    if guardrail.demands:
        others = [row for row in present if row.slice not in guardrail.slices]
        yield from _demanded(name, None, guardrail, others)


def _demanded(
    name: str, part: str | None, guardrail: Guardrail, rows: list[Row]
) -> Iterator[GuardrailResult]:
    label = f"{name} [{part}]" if part else name
    if not rows:
        outcome: Outcome = "failed" if guardrail.required else "unknown"
        said = "required, but B does not have it" if guardrail.required else "B does not have it"
        yield GuardrailResult(name, part, "required", None, outcome, None, None, f"{label}: {said}")
        return
    for row in rows:
        for limit_name, limit in guardrail.limits:
            if limit is not None:
                yield _held(row, limit_name, limit, guardrail.required)
        if guardrail.required and not any(limit is not None for _, limit in guardrail.limits):
            yield _required(row)


def _required(row: Row) -> GuardrailResult:
    found = _number(row.b)
    shown = value(row.b, row.unit)
    outcome: Outcome = "failed" if found is None else "passed"
    detail = f"{row.key}: {shown}" + (", no number, but required" if found is None else "")
    return _result(row, "required", None, outcome, found, None, detail)


def _held(row: Row, name: Limit, limit: float, required: bool) -> GuardrailResult:
    if name == "min" or name == "max":
        return _bounded(row, name, limit)
    found, why_not = _worsening(row, name)
    if found is None:
        outcome: Outcome = "failed" if required else "unknown"
        return _result(row, name, limit, outcome, None, None, f"{row.key}: {why_not}")
    is_relative = name == "max_relative_regression"
    beyond = found - limit
    numbers = [_shown(number, row, is_relative) for number in (max(found, 0.0), limit, beyond)]
    change = f"{value(row.a, row.unit)} → {value(row.b, row.unit)}"
    if beyond <= _slack(limit):
        detail = f"{row.key}: {change}, worse by {numbers[0]}, at most {numbers[1]} allowed"
        return _result(row, name, limit, "passed", found, None, detail)
    detail = f"{row.key}: {change}, worse by {numbers[0]}, {numbers[2]} more than the {numbers[1]}"
    return _result(row, name, limit, "failed", found, beyond, f"{detail} allowed")


def _bounded(row: Row, name: Literal["min", "max"], limit: float) -> GuardrailResult:
    found, bound = _number(row.b), value(limit, row.unit)
    if found is None:
        detail = f"{row.key}: {value(row.b)} is no number; {name} is {bound}"
        return _result(row, name, limit, "failed", None, None, detail)
    beyond = limit - found if name == "min" else found - limit
    shown = f"{row.key}: {value(row.b, row.unit)}"
    if beyond <= 0:
        return _result(row, name, limit, "passed", found, None, f"{shown}, {name} is {bound}")
    side = "below" if name == "min" else "above"
    detail = f"{shown} is {value(beyond, row.unit)} {side} the {name} of {bound}"
    return _result(row, name, limit, "failed", found, beyond, detail)


def _worsening(row: Row, name: Limit) -> tuple[float | None, str]:
    """Return how much worse B is than A, negative where it is better, or why that is unknown."""
    if row.a is None:
        return None, "A does not have it, so its regression is unknown"
    if not row.like:
        return None, "not like for like, so its regression is unknown"
    if row.delta is None:
        return None, row.note or "not comparable, so its regression is unknown"
    if row.delta == 0:
        return 0.0, ""
    if row.higher_is_better is None:
        return None, "its good direction is unknown, so its regression is, too"
    worse = -row.delta if row.higher_is_better else row.delta
    if name == "max_regression" or worse <= 0:
        return worse, ""
    if row.relative is None:
        return None, "worse, but by no fraction of A, which is zero or of another sign"
    return abs(row.relative), ""


def _slack(limit: float) -> float:
    """Return how far beyond a limit is only the rounding of binary fractions."""
    return 1e-9 * abs(limit)


def _shown(number: float, row: Row, is_relative: bool) -> str:
    return percent(number).lstrip("+") if is_relative else value(number, row.unit, 4)


def _number(cell: object) -> float | None:
    is_number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
    return float(cell) if is_number else None  # type: ignore[arg-type]


def _result(
    row: Row,
    name: Limit,
    limit: float | None,
    outcome: Outcome,
    found: float | None,
    by: float | None,
    detail: str,
) -> GuardrailResult:
    return GuardrailResult(
        row.metric or row.key, row.slice, name, limit, outcome, found, by, detail
    )
