"""Whether metrics were measured alike, said before any number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rolldeck.compare import Comparison, Version, compare
from rolldeck.facts import DataSet, Metric
from tests.golden_kits import load_version

A, B = load_version("wdbc:v1.1.0"), load_version("wdbc:v1.2.0")


def with_facts(version: Version, data: list[DataSet], metrics: list[Metric]) -> Version:
    facts = replace(version.facts, data=tuple(data), metrics=tuple(metrics))
    return replace(version, facts=facts)


def data(identity: str, name: str = "holdout", role: str = "evaluation") -> DataSet:
    return DataSet(name, role, "sha256", f"sha256:{identity * 64}", "test")


def compared(
    a: list[DataSet],
    b: list[DataSet],
    metrics: tuple[Metric, Metric] = (Metric("f1", 0.9, "x"), Metric("f1", 0.8, "x")),
) -> Comparison:
    return compare(with_facts(A, a, [metrics[0]]), with_facts(B, b, [metrics[1]]))


def test_other_evaluation_data_are_said_before_any_number() -> None:
    found = compared([data("a")], [data("b")])
    assert found.like_for_like is False
    assert found.summary.startswith("not like for like: other evaluation data · 1 metric worse")


def test_the_verdict_stays() -> None:
    assert compared([data("a")], [data("b")]).section("metrics").rows[0].verdict == "worse"


def test_the_same_evaluation_data_are_like_for_like() -> None:
    found = compared([data("a")], [data("a")])
    assert found.like_for_like is True
    assert "like for like" not in found.summary


def test_other_training_data_are_a_normal_retrain() -> None:
    found = compared(
        [data("a"), data("c", "train", "training")], [data("a"), data("d", "train", "training")]
    )
    assert found.like_for_like is True


@pytest.mark.parametrize("name", ["test", "wdbc-validation", "holdout"])
def test_layers_are_known_by_their_names(name: str) -> None:
    found = compared([data("a", name, "layer")], [data("b", name, "layer")])
    assert found.like_for_like is False


def test_a_name_that_only_contains_such_a_word_is_none() -> None:
    found = compared([data("a", "latest", "layer")], [data("b", "latest", "layer")])
    assert found.like_for_like is None


def test_undeclared_is_unknown() -> None:
    assert compared([], []).like_for_like is None
    assert compared([data("a")], []).like_for_like is None


def test_another_slice_is_not_like_for_like() -> None:
    found = compared(
        [], [], (Metric("f1", 0.9, "x", slice="test"), Metric("f1", 0.8, "x", slice="val"))
    )
    assert found.like_for_like is False
    assert found.unlike == ("other slice or data set of f1",)


def test_metrics_that_name_one_data_set_are_like_for_like() -> None:
    one, other = (Metric("f1", value, "x", dataset="wdbc") for value in (0.9, 0.8))
    assert compared([], [], (one, other)).like_for_like is True


def test_without_metrics_there_is_nothing_to_say() -> None:
    found = compare(with_facts(A, [], []), with_facts(B, [], []))
    assert found.like_for_like is True
