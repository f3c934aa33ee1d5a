"""Plain files of metrics and parameters."""

from __future__ import annotations

import pytest

from rolldeck.facts import collect, metrics_file, parameters_file
from tests.facts.comparing import changed, differing
from tests.facts.kits import make_kit
from tests.golden_kits import load_all_files


def test_a_real_metrics_file_is_read() -> None:
    path = "dvclive/metrics.json"
    facts = metrics_file.read(path, load_all_files("facts-dvc:v1")[path])
    assert [(item.name, item.value, item.source) for item in facts.metrics] == [
        ("loss", 0.04166666666666666, path),
        ("eval.auc", 0.8500000000000001, path),
    ]


def test_a_real_parameters_file_is_read() -> None:
    facts = parameters_file.read("params.yaml", load_all_files("facts-dvc:v1")["params.yaml"])
    assert [(item.name, item.value, item.source) for item in facts.parameters] == [
        ("train.lr", 0.04, "params.yaml"),
        ("train.epochs", 6, "params.yaml"),
        ("train.seed", 11, "params.yaml"),
    ]


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [("0.5", 0.5, None), ('"0.5"', 0.5, None), ('"nan"', None, "NaN"), ("NaN", None, "NaN"),
     ('"-inf"', None, "-Infinity"), ("Infinity", None, "Infinity"), ("null", None, "no value"),
     ('"n/a"', None, "n/a"), ('"90.0%"', None, "90.0%"), ('""', None, "no value"),
     ("1e999", None, "Infinity")],
)  # fmt: skip
def test_what_stands_for_a_number_is_a_metric(
    value: str, number: float | None, text: str | None
) -> None:
    (metric,) = metrics_file.read("metrics.json", f'{{"f1": {value}}}'.encode()).metrics
    assert (metric.value, metric.text) == (number, text)


def test_other_text_in_a_metrics_file_is_a_parameter() -> None:
    content = b'{"f1": 1, "step": 5, "model": "forest", "passed": true, "a": {"step": 2}}'
    facts = metrics_file.read("metrics.json", content)
    assert [item.name for item in facts.metrics] == ["f1", "a.step"]
    assert [(item.name, item.value) for item in facts.parameters] == [
        ("model", "forest"),
        ("passed", True),
    ]


def test_curves_are_said_and_not_shown() -> None:
    content = f'{{"f1": 1, "roc": {{"fpr": {list(range(500))}}}, "top": [1, 2]}}'.encode()
    facts = metrics_file.read("metrics.json", content)
    assert [item.name for item in facts.metrics] == ["f1", "top[0]", "top[1]"]
    assert facts.missing == ("metrics: metrics.json: lists of more than 16 are not shown: roc.fpr",)


def test_a_list_of_metrics_is_read() -> None:
    content = b'[{"name": "f1", "value": 0.5, "higherIsBetter": true}, {"value": 1}, 3]'
    (metric,) = metrics_file.read("metrics.json", content).metrics
    assert (metric.name, metric.value, metric.higher_is_better) == ("f1", 0.5, True)


@pytest.mark.parametrize(
    ("path", "names"),
    [("metrics.json", ["f1"]), ("out/eval_metrics.json", ["f1"]), ("metrics-test.json", ["f1"]),
     ("all_results.json", ["f1"]), ("METRICS.JSON", ["f1"]), ("mymetrics.json", [])],
)  # fmt: skip
def test_names_of_metrics_files(path: str, names: list[str]) -> None:
    facts = collect(make_kit(None), {path: b'{"f1": 1}'})
    assert [item.name for item in facts.metrics] == names


@pytest.mark.parametrize("path", ["params.json", "params.yaml", "conf/params.yml"])
def test_names_of_parameter_files(path: str) -> None:
    (item,) = collect(make_kit(None), {path: b'{"lr": 0.1}'}).parameters
    assert (item.name, item.value) == ("lr", 0.1)


def test_scalars_of_yaml_keep_their_meaning() -> None:
    content = b"on: on\nlr: 1e-4\ntime: 12:30:45\nbase: &b {x: 1}\nrun: {<<: *b, y: 2}\nnone:\n"
    facts = parameters_file.read("params.yaml", content)
    assert {item.name: item.value for item in facts.parameters} == {
        "on": "on", "lr": 1e-4, "time": "12:30:45", "base.x": 1, "run.x": 1, "run.y": 2,
        "none": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "content"),
    [("metrics.json", b"3"), ("metrics.json", b"{"), ("metrics.json", b"[]"),
     ("metrics.yaml", b"a: ["), ("params.json", b"[1]"), ("params.yaml", b"a: !!python/object:x ["),
     ("params.toml", b"= 1"), ("metrics.json", b"[" * 100_000), ("params.json", b"\xff\xfe")],
)  # fmt: skip
def test_what_cannot_be_read_is_said(path: str, content: bytes) -> None:
    (missing,) = collect(make_kit(None), {path: content}).missing
    assert missing.startswith(f"{path}: ")


def test_tags_make_no_objects_and_text_is_clean() -> None:
    content = b'a: !!python/object/apply:os.system ["touch x"]\n"\\e[2J": "\\e"\nb: !x y\n'
    facts = parameters_file.read("params.yaml", content)
    assert {item.name: item.value for item in facts.parameters} == {
        "a[0]": "touch x", "\\x1b[2J": "\\x1b", "b": "y",
    }  # fmt: skip


def test_a_huge_file_is_cut_and_said() -> None:
    rows = ", ".join(f'"m{number}": {number}' for number in range(6_000))
    facts = metrics_file.read("metrics.json", f"{{{rows}}}".encode())
    assert len(facts.metrics) == 5_000
    assert facts.missing == ("metrics: metrics.json: more than 5000 values, the rest is not shown",)


def test_changed_values_show() -> None:
    real = load_all_files("facts-dvc:v1")
    path = "dvclive/metrics.json"
    rows = differing(*changed(path, real[path], b"0.041", b"0.051"), "metrics")
    assert [(row.key, row.verdict) for row in rows.values()] == [("loss", "worse")]
    rows = differing(
        *changed("params.yaml", real["params.yaml"], b"seed: 11", b"seed: 12"), "parameters"
    )
    assert [(row.key, row.a, row.b) for row in rows.values()] == [("train.seed", 11, 12)]
