"""Metrics beside each other: alignment, deltas, verdicts, tolerance and noise."""

from __future__ import annotations

from typing import Any

import pytest

from rolldeck.compare import Directions
from rolldeck.compare.metrics import metric_rows, noise_band
from rolldeck.compare.model import Row
from rolldeck.facts import Metric


def metric(name: str, value: float | None, **fields: Any) -> Metric:
    return Metric(name, value, "test", **fields)


def one(a: Metric, b: Metric, tolerance: float = 0.0) -> Row:
    (row,) = metric_rows([a], [b], tolerance)
    return row


def test_a_changed_metric() -> None:
    row = one(metric("f1", 0.8), metric("f1", 0.6))
    assert (row.status, row.verdict, row.higher_is_better) == ("changed", "worse", True)
    assert row.delta == pytest.approx(-0.2)
    assert row.relative == pytest.approx(-0.25)


@pytest.mark.parametrize(
    ("a", "b", "relative"),
    [(0.0, 0.5, None), (1e-13, 0.5, None), (-0.1, 0.2, None), (0.2, -0.1, None), (-0.2, -0.1, 0.5)],
)
def test_relative_only_where_it_means_something(a: float, b: float, relative: float | None) -> None:
    row = one(metric("r2", a), metric("r2", b))
    assert row.relative == (None if relative is None else pytest.approx(relative))
    assert row.delta == pytest.approx(b - a)
    assert row.verdict == ("better" if b > a else "worse")


def test_no_number_is_not_comparable() -> None:
    row = one(metric("f1", 0.8), metric("f1", None, text="NaN"))
    assert (row.status, row.verdict, row.b) == ("changed", "unknown", "NaN")
    assert row.note == "not comparable: NaN"
    both = one(metric("f1", None, text="NaN"), metric("f1", None, text="NaN"))
    assert both.status == "equal"


def test_unknown_direction_has_no_verdict() -> None:
    row = one(metric("score", 1.0), metric("score", 2.0))
    assert (row.verdict, row.higher_is_better) == ("unknown", None)


def test_opposite_declarations_have_no_verdict() -> None:
    row = one(metric("x", 1.0, higher_is_better=True), metric("x", 2.0, higher_is_better=False))
    assert row.verdict == "unknown"
    assert "opposite directions" in row.note


def test_one_declaration_is_enough() -> None:
    row = one(metric("score", 1.0, higher_is_better=False), metric("score", 2.0))
    assert row.verdict == "worse"


def test_other_units_are_not_comparable() -> None:
    row = one(metric("latency", 41.0, unit="ms"), metric("latency", 0.04, unit="s"))
    assert (row.verdict, row.delta) == ("unknown", None)
    assert row.note == "not comparable: ms against s"


def test_integers_and_rounding_are_equal() -> None:
    assert one(metric("f1", 1), metric("f1", 1.0)).status == "equal"
    assert one(metric("f1", 0.1 + 0.2), metric("f1", 0.3)).status == "equal"


@pytest.mark.parametrize(
    ("tolerance", "status"), [(0.0, "changed"), (0.001, "changed"), (0.01, "equal")]
)
def test_tolerance_is_relative(tolerance: float, status: str) -> None:
    row = one(metric("f1", 0.900), metric("f1", 0.895), tolerance)
    assert row.status == status
    if status == "equal":
        assert row.note == "within tolerance 1 %"


def test_slice_declared_on_one_side_only_still_aligns() -> None:
    row = one(metric("f1", 0.8), metric("f1", 0.9, slice="test", dataset="wdbc"))
    assert row.key == "f1"
    assert row.verdict == "better"
    assert row.note == "slice or data set declared on one side only"


def test_other_slices_are_not_like_for_like() -> None:
    rows = metric_rows([metric("f1", 0.8, slice="test")], [metric("f1", 0.9, slice="val")])
    assert [(row.key, row.status) for row in rows] == [
        ("f1 [test]", "removed"), ("f1 [val]", "added"),
    ]  # fmt: skip
    assert {row.note for row in rows} == {"not like for like: other slice or data set"}
    assert {row.verdict for row in rows} == {"unknown"}


def test_a_name_that_is_not_unique_does_not_align() -> None:
    rows = metric_rows(
        [metric("f1", 0.8)], [metric("f1", 0.9, slice="test"), metric("f1", 0.7, slice="val")]
    )
    assert [row.status for row in rows] == ["removed", "added", "added"]


@pytest.mark.parametrize(
    ("n", "band"), [(143, 0.050), (1_000, 0.019), (10_000, 0.006), (100_000, 0.002)]
)
def test_noise_band(n: int, band: float) -> None:
    found = noise_band([(0.95, n), (0.95, n)])
    assert found is not None
    assert found == pytest.approx(band, abs=0.0006)


def test_noise_is_noted_and_changes_no_verdict() -> None:
    row = one(metric("accuracy", 0.97, n=143), metric("accuracy", 0.95, n=143))
    assert row.verdict == "worse"
    assert row.note == "within noise, n = 143"
    assert one(metric("accuracy", 0.97, n=143), metric("accuracy", 0.80, n=143)).note == ""
    assert one(
        metric("accuracy", 97.0, n=143, unit="%"), metric("accuracy", 95.0, n=143, unit="%")
    ).note
    other = one(metric("accuracy", 0.97, n=143), metric("accuracy", 0.95, n=200))
    assert other.note == "within noise, n = 143 and 200"


def test_no_noise_is_claimed_without_grounds() -> None:
    assert one(metric("rmse", 0.97, n=143), metric("rmse", 0.95, n=143)).note == ""
    assert one(metric("accuracy", 0.97, n=143), metric("accuracy", 0.95)).note == ""
    assert one(metric("accuracy", 97.0, n=143), metric("accuracy", 95.0, n=143)).note == ""


def test_declared_intervals_count_for_any_metric() -> None:
    a = metric("rmse", 0.97, interval=(0.9, 1.0))
    assert one(a, metric("rmse", 0.95, interval=(0.93, 0.99))).note
    assert one(a, metric("rmse", 0.5, interval=(0.4, 0.6))).note == ""


def test_a_disagreement_of_sources_is_shown() -> None:
    row = one(metric("f1", 0.9, conflicts=(("run.json", "0.8"),)), metric("f1", 0.9))
    assert row.note == "sources disagree: 0.8 in run.json"


def test_shares_of_a_whole_differ_by_percentage_points() -> None:
    assert one(metric("accuracy", 0.9), metric("accuracy", 0.88)).points == pytest.approx(-2.0)
    percent = one(metric("accuracy", 90.0, unit="%"), metric("accuracy", 88.0, unit="%"))
    assert percent.points == pytest.approx(-2.0)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (metric("rmse", 0.3), metric("rmse", 0.2)),
        (metric("f1", 91.0), metric("f1", 0.9)),
        (metric("accuracy", 0.9, unit="%"), metric("accuracy", 0.8, unit="ms")),
    ],
)
def test_other_metrics_have_no_percentage_points(a: Metric, b: Metric) -> None:
    assert one(a, b).points is None


def test_a_changed_sign_is_no_fraction_and_says_so() -> None:
    row = one(metric("r2", 0.4), metric("r2", -0.2))
    assert (row.relative, row.verdict) == (None, "worse")
    assert row.note == "not comparable as a fraction: the sign changed"


def test_what_is_equal_by_tolerance_is_counted_apart() -> None:
    rows = metric_rows(
        [metric("f1", 0.9), metric("recall", 0.5)],
        [metric("f1", 0.8999), metric("recall", 0.5)],
        0.001,
    )
    assert {row.key: row.within for row in rows} == {"f1": True, "recall": False}


@pytest.mark.parametrize(
    ("own", "configured", "declared", "good"),
    [
        ({"f1": True}, {"*": False}, False, True),
        ({}, {"*": True}, False, False),
        ({}, {"f*": False, "f1": True}, None, False),
        ({}, {"recall": False}, None, True),
        ({"f1": None}, {}, True, None),
    ],
)
def test_own_before_declared_before_configured_before_table(
    own: dict[str, bool | None],
    configured: dict[str, bool | None],
    declared: bool | None,
    good: bool | None,
) -> None:
    sides = [metric("f1", value, higher_is_better=declared) for value in (0.9, 0.8)]
    (row,) = metric_rows(sides[:1], sides[1:], directions=Directions(own, configured))
    assert row.higher_is_better is good


def test_the_users_own_direction_settles_opposite_declarations() -> None:
    a = metric("x", 1.0, higher_is_better=True)
    b = metric("x", 2.0, higher_is_better=False)
    (row,) = metric_rows([a], [b], directions=Directions({"x": True}))
    assert row.verdict == "better"
