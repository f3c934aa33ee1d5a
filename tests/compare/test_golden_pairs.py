"""What the golden facts, written by hand, say a comparison must show and must hide."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from rolldeck.compare import Version, compare, to_json
from rolldeck.facts import collect
from tests.compare.rows import changed, compared, equal
from tests.golden_kits import facts_pair, load_files, load_kit, load_version

SECTIONS = (
    "manifest", "layers", "kitfile", "metrics", "parameters",
    "environment", "code", "data", "signature", "lineage",
)  # fmt: skip

PAIRS = [
    ("wdbc:v1.1.0", "wdbc:v1.2.0"),
    ("wdbc:v1.2.0", "wdbc:v2.0.0"),
    ("facts-mlflow:v0.9.0", "facts-mlflow:v1.0.0"),
]

ALL = [
    *PAIRS,
    ("wdbc:v1.0.0", "wdbc:v1.1.0"),
    ("wdbc:v1.2.0", "wdbc:production"),
    ("odd-params:v1", "wdbc:v1.0.0"),
    ("era:v0.2.5-none", "era:v1.11-none"),
    ("era:v1.11-none", "era:v1.11-modelpack"),
    ("modctl:tar", "modctl:raw"),
    ("other:files", "other:index"),
    ("other:image-amd64", "other:image-arm64"),
    ("odd-dup:v1", "odd-names:v1"),
    ("odd-empty:v1", "odd-prompts:v1"),
    ("odd-child:v1", "odd-model-only:v1"),
    ("facts-hf:v1", "facts-hf:v2"),
    ("facts-dvc:v1", "facts-dvc:v2"),
    ("facts-kfp:v1", "facts-kfp:v2"),
    ("facts-tensors:v1", "facts-tensors:v2"),
]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_metrics(a: str, b: str) -> None:
    golden, rows = facts_pair(a, b), changed(compared(a, b), "metrics")
    for name, (before, after, judgement) in golden["metrics_changed"].items():
        row = next(row for key, row in rows.items() if key.partition(" ")[0] == name)
        assert row.a == pytest.approx(before, abs=1e-6)
        assert row.b == pytest.approx(after, abs=1e-6)
        assert judgement.startswith(row.verdict)
        if "within noise" in judgement:
            assert row.note == "within noise, n = 143"
    for name in golden.get("metrics_equal", ()):
        assert name in equal(compared(a, b), "metrics")


@pytest.mark.parametrize(("a", "b"), PAIRS[:2])
def test_parameters(a: str, b: str) -> None:
    golden, comparison = facts_pair(a, b), compared(a, b)
    rows = changed(comparison, "parameters")
    for name, (before, after) in golden["parameters_changed"].items():
        assert (rows[name].a, rows[name].b) == (before, after)
    assert set(golden.get("parameters_equal", ())) <= set(equal(comparison, "parameters"))


@pytest.mark.parametrize(("a", "b"), PAIRS[:2])
def test_environment(a: str, b: str) -> None:
    golden, comparison = facts_pair(a, b), compared(a, b)
    rows = changed(comparison, "environment")
    moved = {key for key, row in rows.items() if row.status == "changed"}
    assert moved == set(golden["environment_changed"])
    assert equal(comparison, "environment")["python version"].a == "3.11.7"


def test_data_and_signature() -> None:
    retrained = compared("wdbc:v1.1.0", "wdbc:v1.2.0")
    assert not changed(retrained, "data")
    assert not changed(retrained, "signature")
    breaking = compared("wdbc:v1.2.0", "wdbc:v2.0.0")
    assert set(changed(breaking, "data")) == {"layer train", "training wdbc-train"}
    rows = changed(breaking, "signature").values()
    assert [row.status for row in rows] == ["removed"] * 20
    assert {row.note for row in rows} == {"breaks callers"}


@pytest.mark.parametrize(
    ("a", "b", "summary"),
    [
        ("wdbc:v1.0.0", "wdbc:v1.1.0",
         "7 metrics worse · weights, 5 parameters, src/train.py moved · data, signature same"),
        ("wdbc:v1.1.0", "wdbc:v1.2.0",
         "3 metrics better · weights, 2 parameters, numpy 2.3.5 → 2.4.6,"
         " scikit-learn 1.7.2 → 1.9.1, 16 packages added moved · data, signature same"),
        ("wdbc:v1.2.0", "wdbc:v2.0.0",
         "1 metric worse, 6 better · weights, 5 parameters, src/predict.py, data,"
         " signature (20 inputs removed) moved"),
        ("wdbc:v1.2.0", "wdbc:production", "Identical: same digest"),
        ("era:v1.0.0-none", "era:v1.7.0-none", "Identical: same digest"),
        ("era:v1.11-none", "era:v1.11-gzip", "Same content, other packing or annotations"),
        ("era:v1.11-modelpack", "era:v1.11-modelpack-gzip",
         "Same content, other packing or annotations"),
        ("era:v0.4.0-none", "era:v0.4.0-gzip", "no metrics · weights, data unknown"),
    ],
)  # fmt: skip
def test_summary(a: str, b: str, summary: str) -> None:
    assert compared(a, b).summary == summary


def test_the_worst_regression_stands_first() -> None:
    rows = compared("wdbc:v1.2.0", "wdbc:v2.0.0").section("metrics").rows
    assert rows[0].key == "recall"
    assert rows[0].verdict == "worse"
    later = [abs(row.relative or 0.0) for row in rows[1:]]
    assert later == sorted(later, reverse=True)


@pytest.mark.parametrize("mode", ["", "modelpack"])
def test_other_packing_is_no_difference(mode: str) -> None:
    plain, packed = (
        ("era:v1.11-modelpack", "era:v1.11-modelpack-gzip")
        if mode
        else ("era:v1.11-none", "era:v1.11-gzip")
    )
    comparison = compared(plain, packed)
    assert not comparison.identical
    assert not changed(comparison, "layers")
    assert {row.note for row in comparison.section("layers").rows} == {
        "same content, other packing"
    }
    assert not changed(comparison, "data")


def test_other_bytes_without_content_digests_are_unknown() -> None:
    rows = changed(compared("era:v0.4.0-none", "era:v0.4.0-gzip"), "layers").values()
    assert {row.verdict for row in rows} == {"unknown"}


def test_code_files_count_lines() -> None:
    rows = changed(compared("wdbc:v1.0.0", "wdbc:v1.1.0"), "code")
    assert rows["src/train.py"].note == "+2 -2"
    assert str(rows["src/train.py"].a).startswith("sha256:")


def test_unread_files_are_not_reported_removed() -> None:
    kit = load_kit("wdbc:v1.1.0")
    unread = Version("b", "b", kit, collect(kit, {}), {})
    comparison = compare(load_version("wdbc:v1.0.0"), unread)
    assert comparison.section("code").rows == ()
    assert "src moved" in comparison.summary


def test_one_digest_is_identical_whatever_was_read() -> None:
    whole = load_version("wdbc:v1.0.0")
    bare = replace(whole, facts=collect(whole.kit, {}), files={})
    comparison = compare(whole, bare)
    assert comparison.identical
    assert all(section.changed == 0 for section in comparison.sections)


@pytest.mark.parametrize(("a", "b"), ALL)
def test_form(a: str, b: str) -> None:
    comparison = compared(a, b)
    assert tuple(section.name for section in comparison.sections) == SECTIONS
    for section in comparison.sections:
        keys = [row.key for row in section.rows]
        assert len(keys) == len(set(keys))
        order = [row.status == "equal" for row in section.rows]
        assert all(before <= after for before, after in pairwise(order))
    mirrored = compared(b, a)
    for section in comparison.sections:
        assert mirrored.section(section.name).changed == section.changed


@pytest.mark.parametrize(("a", "b"), ALL)
def test_json(a: str, b: str) -> None:
    comparison = compared(a, b)
    document: dict[str, Any] = json.loads(json.dumps(to_json(comparison), allow_nan=False))
    assert list(document) == ["a", "b", "identical", "summary", "sections"]
    assert document["a"]["digest"] == load_kit(a).digest
    whole = to_json(comparison, include_equal=True)
    for short, full in zip(document["sections"], whole["sections"], strict=True):
        assert len(short["rows"]) == short["changed"]
        assert len(full["rows"]) == short["changed"] + short["equal"]
        for row in full["rows"]:
            assert list(row)[:7] == [
                "key", "status", "a", "b", "delta", "relative", "verdict",
            ]  # fmt: skip
    size = next(row for row in whole["sections"][0]["rows"] if row["key"] == "size")
    assert isinstance(size["a"], int)


def test_files_of_golden_kits_are_really_read() -> None:
    assert set(load_files("wdbc:v1.0.0")) == {
        "src/predict.py", "src/train.py", "requirements.txt", "docs/README.md", "modelrun/run.json",
    }  # fmt: skip
