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
from tests.golden_kits import (
    facts_pair,
    load_facts,
    load_files,
    load_kit,
    load_version,
    load_whole_version,
)

SECTIONS = (
    "manifest", "layers", "kitfile", "metrics", "parameters",
    "environment", "code", "data", "tensors", "signature", "lineage",
)  # fmt: skip

PAIRS = [
    ("wdbc:v1.1.0", "wdbc:v1.2.0"),
    ("wdbc:v1.2.0", "wdbc:v2.0.0"),
    ("facts-mlflow:v0.9.0", "facts-mlflow:v1.0.0"),
    ("facts-hf:v1", "facts-hf:v2"),
    ("facts-dvc:v1", "facts-dvc:v2"),
]

SETTINGS = [*PAIRS[:2], PAIRS[4], ("facts-kfp:v1", "facts-kfp:v2")]

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
    for names, (before, after, judgement) in golden["metrics_changed"].items():
        row = next(rows[name] for name in names.split(" or ") if name in rows)
        assert row.a == pytest.approx(before, abs=1e-6)
        assert row.b == pytest.approx(after, abs=1e-6)
        assert judgement.startswith(row.verdict)
        if "within noise" in judgement:
            assert row.note == "within noise, n = 143"
    for name in golden.get("metrics_equal", ()):
        assert name in equal(compared(a, b), "metrics")


@pytest.mark.parametrize(("a", "b"), SETTINGS)
def test_parameters(a: str, b: str) -> None:
    golden, comparison = facts_pair(a, b), compared(a, b)
    rows = changed(comparison, "parameters")
    for name, (before, after) in golden["parameters_changed"].items():
        assert (rows[name].a, rows[name].b) == (before, after)
    assert set(golden.get("parameters_equal", ())) <= set(equal(comparison, "parameters"))


@pytest.mark.parametrize(("a", "b"), [*PAIRS[:3]])
def test_environment(a: str, b: str) -> None:
    golden, comparison = facts_pair(a, b), compared(a, b)
    rows = changed(comparison, "environment")
    moved = {key for key, row in rows.items() if row.status == "changed"}
    assert moved == set(golden["environment_changed"])
    assert equal(comparison, "environment")["python version"].a == "3.11.7"


def test_mlflow_signature_and_inferred_packages() -> None:
    comparison = compared("facts-mlflow:v0.9.0", "facts-mlflow:v1.0.0")
    rows = changed(comparison, "signature")
    assert len(rows) == 13
    assert {(row.a, row.b, row.note) for row in rows.values()} == {
        ("double", "float", "breaks callers")
    }
    assert all(key.startswith("input ") for key in rows)
    assert list(equal(comparison, "signature")) == ["output 0"]
    assert len(load_facts("facts-mlflow:v1.0.0").packages) == 8


def test_hugging_face_card_and_config() -> None:
    comparison = compared("facts-hf:v1", "facts-hf:v2")
    text = changed(comparison, "metrics")["accuracy"]
    assert (text.a, text.b, text.verdict) == ("n/a", 0.77, "unknown")
    assert text.note.startswith("not comparable: n/a")
    assert {key: (row.a, row.b) for key, row in changed(comparison, "parameters").items()} == {
        "config.num_hidden_layers": (2, 3)
    }
    assert equal(comparison, "lineage")["base model"].a == "acme/mini (finetune)"


def test_dvc_data() -> None:
    comparison = compared("facts-dvc:v1", "facts-dvc:v2")
    row = changed(comparison, "data")["dvc data.csv"]
    assert str(row.a).startswith("dvc-md5:2dfbb966")
    assert str(row.b).startswith("dvc-md5:3801f5c7")
    assert row.note == "1096 → 1100 bytes"


def test_kubeflow_images_and_packages() -> None:
    comparison = compared("facts-kfp:v1", "facts-kfp:v2")
    rows = changed(comparison, "environment")
    assert {key: (row.a, row.b) for key, row in rows.items()} == {
        "image evaluate": ("python:3.11 (not pinned)", "python:3.12 (not pinned)"),
        "pandas": ("2.5.0", "2.6.0"),
    }
    assert "@sha256:" in str(equal(comparison, "environment")["image train"].a)


def test_fewer_rows_and_columns_are_told() -> None:
    row = changed(compared("wdbc:v1.2.0", "wdbc:v2.0.0"), "data")["layer train"]
    assert row.note == "426 → 300 rows; 31 → 11 columns"


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
         "7 metrics worse (worst: brier_score +87.4 %) · weights, 5 parameters, src/train.py moved"
         " · data, signature same"),
        ("wdbc:v1.1.0", "wdbc:v1.2.0",
         "3 metrics better · weights, n_estimators 50 → 120, max_depth 4 → 8, numpy 2.3.5 → 2.4.6,"
         " scikit-learn 1.7.2 → 1.9.1, 16 packages added moved · data, signature same"),
        ("wdbc:v1.2.0", "wdbc:v2.0.0",
         "1 metric worse (recall -1.1 %), 6 better · weights, data,"
         " signature (20 inputs removed), 5 parameters, src/predict.py moved"),
        ("facts-hf:v1", "facts-hf:v2",
         "not like for like: other evaluation data, other slice or data set of accuracy, f1"
         " · 1 metric better, 1 changed · weights (tensors added, retyped), data,"
         " config.num_hidden_layers 2 → 3 moved"),
        ("facts-tensors:v1", "facts-tensors:v2",
         "no metrics · weights (tensors reshaped), signature (1 input retyped) moved"),
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


@pytest.mark.parametrize(
    ("a", "b"),
    [("era:v0.4.0-none", "era:v0.4.0-gzip"), ("era:v0.4.0-gzip", "era:v1.11-none"),
     ("era:v1.0.0-gzip", "era:v1.11-gzip-fastest")],
)  # fmt: skip
def test_other_packing_is_recognised_by_the_files(a: str, b: str) -> None:
    comparison = compare(load_whole_version(a), load_whole_version(b))
    assert not changed(comparison, "layers")
    assert not changed(comparison, "data")
    assert equal(comparison, "data")["layer train"].note in (
        "same file digest",
        "same content digest",
    )


def test_a_changed_file_is_no_other_packing() -> None:
    a, b = load_whole_version("era:v0.4.0-none"), load_whole_version("era:v1.11-none")
    layer = next(item for item in b.kit.layers if item.kind == "code")
    other = {**b.members, layer.digest: {"main.py": "0" * 64}}
    rows = changed(compare(a, replace(b, members=other)), "layers")
    assert list(rows) == ["code src"]


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
    assert list(document) == [
        "a", "b", "identical", "summary", "like_for_like", "unlike", "suspects", "tolerance",
        "sections",
    ]  # fmt: skip
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
