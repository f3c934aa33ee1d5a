"""Guardrails: what fails, by how much, and what cannot be known."""

from __future__ import annotations

from typing import Any

import pytest

from rolldeck.compare import Comparison, Guardrail, GuardrailResult, Policy, Section, Side, judge
from rolldeck.compare.metrics import metric_rows
from rolldeck.facts import Metric

SIDE = Side("x:v1", "sha256:" + "a" * 64, "v1")


def metric(name: str, value: float | None, **fields: Any) -> Metric:
    return Metric(name, value, "test", **fields)


def compared(a: list[Metric], b: list[Metric], tolerance: float = 0.0) -> Comparison:
    rows = metric_rows(a, b, tolerance)
    return Comparison(SIDE, SIDE, False, "", (Section("metrics", tuple(rows)),))


def judged(guardrail: Guardrail, a: float | None, b: float | None) -> GuardrailResult:
    sides = [[] if value is None else [metric("f1", value)] for value in (a, b)]
    (result,) = judge(Policy({"f1": guardrail}), compared(*sides))
    return result


def test_below_the_min_says_by_how_much() -> None:
    result = judged(Guardrail(min=0.85), 0.9, 0.8)
    assert (result.outcome, result.value, result.limit) == ("failed", 0.8, 0.85)
    assert result.by == pytest.approx(0.05)
    assert result.detail == "f1: 0.8 is 0.05 below the min of 0.85"


def test_above_the_max() -> None:
    assert judged(Guardrail(max=0.5), None, 0.75).detail == "f1: 0.75 is 0.25 above the max of 0.5"


@pytest.mark.parametrize(("b", "outcome"), [(0.89, "passed"), (0.88, "failed"), (0.95, "passed")])
def test_the_largest_absolute_regression(b: float, outcome: str) -> None:
    result = judged(Guardrail(max_regression=0.01), 0.9, b)
    assert result.outcome == outcome


def test_a_failed_regression_is_one_line() -> None:
    result = judged(Guardrail(max_relative_regression=0.05), 0.8, 0.6)
    assert result.by == pytest.approx(0.2)
    assert result.detail == "f1: 0.8 → 0.6, worse by 25.0 %, 20.0 % more than the 5.0 % allowed"


def test_lower_is_better_regresses_upwards() -> None:
    sides = compared([metric("latency", 40.0, unit="ms")], [metric("latency", 63.0, unit="ms")])
    (result,) = judge(Policy({"latency": Guardrail(max_regression=10)}), sides)
    assert result.detail == (
        "latency: 40.0 ms → 63.0 ms, worse by 23.0 ms, 13.0 ms more than the 10 ms allowed"
    )


def test_tolerance_does_not_hide_a_regression_from_a_guardrail() -> None:
    sides = compared([metric("f1", 0.9)], [metric("f1", 0.85)], 0.5)
    assert sides.section("metrics").rows[0].status == "equal"
    (result,) = judge(Policy({"f1": Guardrail(max_regression=0.01)}), sides)
    assert result.outcome == "failed"


def test_a_missing_metric_fails_only_where_required() -> None:
    assert judged(Guardrail(min=0.5), 0.9, None).outcome == "unknown"
    required = judged(Guardrail(min=0.5, required=True), 0.9, None)
    assert (required.outcome, required.detail) == ("failed", "f1: required, but B does not have it")


def test_no_number_meets_no_limit() -> None:
    rows = compared([metric("f1", 0.9)], [metric("f1", None, text="NaN")])
    (result,) = judge(Policy({"f1": Guardrail(min=0.5)}), rows)
    assert (result.outcome, result.detail) == ("failed", "f1: NaN is no number; min is 0.5")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (metric("f1", 0.9, revision="1"), metric("f1", 0.1, revision="2")),
        (metric("score", 0.9), metric("score", 0.1)),
        (metric("f1", 0.9, unit="%"), metric("f1", 0.1, unit="ratio")),
    ],
)
def test_what_cannot_be_compared_is_unknown_and_fails_where_required(a: Metric, b: Metric) -> None:
    for required, outcome in ((False, "unknown"), (True, "failed")):
        guardrail = Guardrail(max_regression=0.01, required=required)
        (result,) = judge(Policy({a.name: guardrail}), compared([a], [b]))
        assert result.outcome == outcome


def test_no_fraction_of_zero_is_unknown_but_an_improvement_passes() -> None:
    guardrail = Guardrail(max_relative_regression=0.1)
    assert judged(guardrail, 0.0, 0.5).outcome == "passed"
    sides = compared([metric("loss", 0.0)], [metric("loss", 0.5)])
    (result,) = judge(Policy({"loss": guardrail}), sides)
    assert result.outcome == "unknown"


SLICED = [metric("f1", 0.9, slice="test"), metric("f1", 0.5, slice="rare")]


def test_without_a_slice_every_slice_is_held() -> None:
    results = judge(Policy({"f1": Guardrail(min=0.8)}), compared(SLICED, SLICED))
    assert [(item.slice, item.outcome) for item in results] == [
        ("rare", "failed"), ("test", "passed"),
    ]  # fmt: skip


def test_a_named_slice_has_its_own_demands() -> None:
    policy = Policy({"f1": Guardrail(min=0.8, slices={"rare": Guardrail(min=0.4)})})
    results = judge(policy, compared(SLICED, SLICED))
    assert {(item.slice, item.limit, item.outcome) for item in results} == {
        ("rare", 0.4, "passed"), ("test", 0.8, "passed"),
    }  # fmt: skip


def test_what_failed_comes_first() -> None:
    policy = Policy({"a": Guardrail(min=0), "b": Guardrail(min=0), "c": Guardrail(min=0)})
    rows = compared([], [metric("a", 1.0), metric("c", -1.0)])
    assert [item.outcome for item in judge(policy, rows)] == ["failed", "unknown", "passed"]
