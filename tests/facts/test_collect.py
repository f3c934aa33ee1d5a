"""Precedence of the sources, and what is said of those that could not be read."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from rolldeck.facts import collect
from tests.facts.kits import lineage_of, make_kit
from tests.golden_kits import load_facts, load_files, load_kit

RUN_JSON = "modelrun/run.json"


def kit_with_full(full: bytes, **fields: Any) -> Any:
    digest = hashlib.sha256(full).hexdigest()
    record = {"schemaVersion": "1.0", "full": {"path": RUN_JSON, "digest": {"sha256": digest}}}
    return make_kit({"modelrun": {**record, **fields}})


def run_json(**fields: Any) -> bytes:
    return json.dumps({"schemaVersion": "1.0", **fields}).encode()


def test_the_full_record_comes_first_and_disagreement_is_kept() -> None:
    full = run_json(metrics=[{"name": "f1", "value": 0.9}])
    facts = collect(kit_with_full(full, metrics=[{"name": "f1", "value": 0.8}]), {RUN_JSON: full})
    (metric,) = facts.metrics
    assert (metric.value, metric.source) == (0.9, RUN_JSON)
    assert metric.conflicts == (("model.parameters.modelrun", "0.8"),)


def test_a_full_record_with_another_digest_is_not_believed() -> None:
    full = run_json(metrics=[{"name": "f1", "value": 0.9}])
    forged = run_json(metrics=[{"name": "f1", "value": 0.99}])
    facts = collect(kit_with_full(full, metrics=[{"name": "f1", "value": 0.8}]), {RUN_JSON: forged})
    assert [metric.value for metric in facts.metrics] == [0.8]
    assert [remark for remark in facts.missing if remark.startswith("conflict: modelrun/run.json")]


def test_a_full_record_that_is_not_there_is_said() -> None:
    facts = collect(kit_with_full(run_json()), {"README.md": b"x"})
    assert facts.missing == ("modelrun/run.json: not in the layers that were read",)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'"x"', b"[" * 100_000])
def test_an_unreadable_full_record_is_said(content: bytes) -> None:
    facts = collect(kit_with_full(content), {RUN_JSON: content})
    assert [remark for remark in facts.missing if remark.startswith("modelrun/run.json: ")]


def test_a_record_that_no_kitfile_names_is_still_read() -> None:
    full = run_json(metrics=[{"name": "f1", "value": 0.9}])
    (metric,) = collect(make_kit(None), {RUN_JSON: full}).metrics
    assert metric.source == RUN_JSON


def test_unread_layers_are_said() -> None:
    facts = collect(load_kit("wdbc:v1.0.0"), {})
    assert facts.missing == (
        "packages: the code and docs layers were not read",
        "code: the code and docs layers were not read",
    )
    assert facts.packages == ()
    assert len(facts.metrics) == 7


def test_odd_parameters_keep_their_types() -> None:
    facts = load_facts("odd-params:v1")
    found = {item.name: item.value for item in facts.parameters}
    assert found["oct"] == 15
    assert found["on"] == "on"
    assert found["one"] == 1
    assert found["date"] == "2024-01-02T00:00:00Z"
    assert found["big"] in (9007199254740992, 9007199254740993)
    assert found["list[2][1].deep"] is True
    assert found["small"] == 1e-07
    assert "\u2028" not in str(found["text"])
    assert str(found["text"]).startswith("<b>&amp; [red]x[/red]")
    assert found["metrics.note"] == "good"
    assert found["C"] == 1.0


def test_provenance_comes_before_free_form_metrics() -> None:
    facts = load_facts("odd-params:v1")
    assert [(metric.name, metric.value, metric.conflicts) for metric in facts.metrics] == [
        ("f1", 0.91, ()),
        ("loss", 0.2, ()),
    ]
    assert {metric.source for metric in facts.metrics} == {"model.parameters.mlflow_provenance"}
    assert lineage_of(facts)["run id"] == "8f2c"


def test_provenance_times_and_text_values() -> None:
    provenance = {
        "mlflow_run_id": "abc",
        "mlflow_start_time": 1763716710000,
        "mlflow_tracking_uri": "https://user:secret@mlflow.example/",
        "mlflow_metrics": {"acc": "0.5", "kl": "NaN"},
        "mlflow_params": {"lr": "1e-4", "id": "0123", "on": "True", "layers": "[64, 32]"},
    }
    facts = collect(make_kit({"mlflow_provenance": provenance}), {})
    assert [(metric.value, metric.text) for metric in facts.metrics] == [(0.5, None), (None, "NaN")]
    assert [item.value for item in facts.parameters] == [1e-4, "0123", "True", "[64, 32]"]
    lineage = lineage_of(facts)
    assert lineage["run started"] == "2025-11-21T09:18:30Z"
    assert lineage["tracking server"] == "https://mlflow.example/"


def test_numbers_under_a_metrics_key_are_metrics() -> None:
    governance = {"validation_metrics": {"auc": 0.9}, "before_metrics": {"f1": 0.1},
                  "after_metrics": {"f1": 0.2}, "owner": "ml"}  # fmt: skip
    facts = collect(make_kit({"governance": governance, "lr": 0.1}), {})
    assert {metric.name: metric.value for metric in facts.metrics} == {
        "auc": 0.9,
        "governance.before_metrics.f1": 0.1,
        "governance.after_metrics.f1": 0.2,
    }
    assert {item.name for item in facts.parameters} == {"governance.owner", "lr"}


@pytest.mark.parametrize("parameters", [None, 1, "x", True, [], {}, [1, {"a": 2}], float("nan")])
def test_parameters_of_any_type_are_read(parameters: Any) -> None:
    facts = collect(make_kit(parameters), {})
    assert all(item.name for item in facts.parameters)


def test_paths_that_collide_stay_apart() -> None:
    facts = collect(make_kit({"a.b": 1, "a": {"b": 2}}), {})
    assert [(item.name, item.value) for item in facts.parameters] == [("a.b", 1), ("a.b (2)", 2)]


def test_packages_come_whole_from_the_strongest_source() -> None:
    full = run_json(packages=[{"purl": "pkg:pypi/numpy@2.4.6"}])
    files = {RUN_JSON: full, "requirements.txt": b"numpy==2.4.5\nextra==1.0\n"}
    facts = collect(kit_with_full(full), files)
    assert [(item.name, item.value) for item in facts.packages] == [("numpy", "2.4.6")]
    assert (
        "conflict: package numpy is 2.4.6 in modelrun/run.json, 2.4.5 in requirements.txt"
        in facts.missing
    )


def test_requirements_count_where_no_record_names_packages() -> None:
    files = load_files("wdbc:v1.2.0")
    del files[RUN_JSON]
    facts = collect(load_kit("wdbc:v1.2.0"), files)
    assert {item.source for item in facts.packages} == {"requirements.txt"}
    assert len(facts.packages) == 26


def test_metrics_files_are_read() -> None:
    mlflow = load_facts("facts-mlflow:v1.0.0")
    assert {metric.name for metric in mlflow.metrics} == {"accuracy", "f1_weighted", "log_loss"}
    assert {metric.source for metric in mlflow.metrics} == {"metrics.json"}
    dvc = load_facts("facts-dvc:v1")
    assert {metric.name for metric in dvc.metrics} == {"loss", "eval.auc"}


def test_a_modelpack_config_is_read() -> None:
    facts = load_facts("modctl:raw")
    assert {item.name: item.value for item in facts.parameters}["precision"] == "fp16"
    assert lineage_of(facts)["model family"] == "llama"
    assert facts.missing == ("Kitfile: there is none",)


def test_a_modelpack_of_kit_has_the_facts_of_its_kitfile() -> None:
    pack, kit = load_facts("era:v1.11-modelpack"), load_facts("era:v1.11-none")
    assert {(item.name, item.value) for item in kit.parameters} <= {
        (item.name, item.value) for item in pack.parameters
    }


def test_the_model_of_another_kit_is_its_base() -> None:
    (pair,) = load_facts("odd-child:v1").lineage
    assert (pair.name, pair.value) == (
        "base model",
        "127.0.0.1:5081/golden/era:v1.11-none (a tag, not a digest)",
    )


@pytest.mark.parametrize("name", ["other:files", "other:image-amd64", "other:index"])
def test_what_is_no_kit_is_said(name: str) -> None:
    facts = load_facts(name)
    assert facts.metrics == ()
    assert any("no ModelKit or ModelPack" in remark for remark in facts.missing)


UV_LOCK = (
    b'[[package]]\nname = "numpy"\nversion = "2.4.6"\n[[package]]\nname = "zlib"\nversion = "1"'
)


def test_a_lock_comes_before_requirements_and_what_contradicts_it_is_told() -> None:
    files = {
        "requirements.txt": b"numpy==2.4.5\nzlib>=1\nextra==1",
        "env/uv.lock": UV_LOCK,
        "Dockerfile": b"FROM python:3.11\nRUN pip install numpy==2.4.6",
    }
    facts = collect(make_kit(None), files)
    assert [(item.name, item.value) for item in facts.packages] == [
        ("numpy", "2.4.6"),
        ("zlib", "1"),
    ]
    assert (facts.packages_source, facts.completeness) == ("env/uv.lock", "lock")
    assert facts.missing == (
        "conflict: package numpy is 2.4.6 in env/uv.lock, 2.4.5 in requirements.txt",
    )


def test_what_is_known_of_a_list_comes_with_its_packages() -> None:
    full = run_json(packages=["numpy==2.4.6"], environment={"completeness": "inferred"})
    facts = collect(kit_with_full(full), {RUN_JSON: full, "uv.lock": UV_LOCK})
    listing = {item.name: item.value for item in facts.environment if item.group == "package list"}
    assert listing == {"source": RUN_JSON, "completeness": "inferred"}
    assert facts.missing == (
        "packages: modelrun/run.json holds 1 inferred ones, what they depend on is unknown",
    )


@pytest.mark.parametrize(
    ("lines", "remark"),
    [
        (b"a==1\nb==2", "holds 2 pins, what they depend on is unknown"),
        (b"a==1\nb>=2", "leaves 1 of 2 without one version, what they depend on is unknown"),
    ],
)
def test_what_a_list_leaves_open_is_said(lines: bytes, remark: str) -> None:
    facts = collect(make_kit(None), {"requirements.txt": lines})
    assert facts.missing == (f"packages: requirements.txt {remark}",)


def test_a_file_that_cannot_be_read_costs_no_other() -> None:
    facts = collect(make_kit(None), {"uv.lock": b"[", "requirements.txt": b"a==1"})
    assert facts.packages_source == "requirements.txt"
    assert [remark for remark in facts.missing if remark.startswith("uv.lock: not valid TOML")]
