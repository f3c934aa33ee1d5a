"""Files of DVC and dvclive: data by md5, stages, parameters, metrics and their history."""

from __future__ import annotations

import pytest

from rolldeck.facts import collect
from rolldeck.facts.dvc import read_lock, read_pipeline, read_tracked
from rolldeck.facts.dvclive import read as read_plot
from tests.facts.comparing import changed, differing
from tests.facts.kits import is_clean, make_kit
from tests.golden_kits import load_all_files, load_facts

PLOT = "dvclive/plots/metrics/eval/auc.tsv"


@pytest.fixture(scope="module")
def real() -> dict[str, bytes]:
    """What dvc 3.67.1 and dvclive 3.49.1 wrote."""
    return load_all_files("facts-dvc:v1")


def test_a_real_lock_is_read(real: dict[str, bytes]) -> None:
    facts = read_lock("dvc.lock", real["dvc.lock"])
    assert {item.name: item.value for item in facts.parameters} == {
        "train.epochs": 6, "train.lr": 0.04, "train.seed": 11,
    }  # fmt: skip
    (data,) = facts.data
    assert (data.name, data.role, data.size) == ("data.csv", "dvc", 1096)
    assert (data.scheme, data.identity) == ("dvc-md5", "2dfbb966af863062cd5bd63a96d9199e")
    assert {item.name: item.value for item in facts.lineage} == {
        "dvc stage train": "python train.py",
        "dvc file train.py": "dvc-md5:8f2c64e49e56cb1b65af9257d77560a4",
        "dvc file model.bin": "dvc-md5:def4852ed31df020bf01c7bed4f95f8c",
    }


def test_a_tracked_file_and_the_lock_name_one_data_set(real: dict[str, bytes]) -> None:
    facts = load_facts("facts-dvc:v1")
    assert [item.source for item in facts.data if item.role == "dvc"] == ["dvc.lock"]
    assert not [remark for remark in facts.missing if "conflict" in remark]
    (data,) = read_tracked("data.csv.dvc", real["data.csv.dvc"]).data
    assert (data.name, data.scheme, data.source) == ("data.csv", "dvc-md5", "data.csv.dvc")


def test_paths_are_told_from_the_top() -> None:
    (data,) = read_tracked("raw/x.dvc", b"outs: [{md5: aa, hash: md5, path: ../x}]").data
    assert data.name == "x"


def test_md5_of_dvc_2_compares_with_no_other() -> None:
    old = {"x.dvc": b"outs: [{md5: aa, path: x}]"}
    new = {"x.dvc": b"outs: [{md5: aa, hash: md5, path: x}]"}
    row = differing(old, new, "data")["dvc x"]
    assert row.verdict == "unknown"
    assert row.note == "not comparable: dvc-md5 with line ends normalised against dvc-md5"


def test_data_that_a_stage_makes_is_no_source() -> None:
    lock = b"""
stages:
  prepare: {cmd: [a, b], deps: [{path: raw.csv, hash: md5, md5: aa}, {path: src, hash: md5,
    md5: bb.dir}], outs: [{path: clean.csv, hash: md5, md5: cc}]}
  train: {cmd: c, deps: [{path: clean.csv, hash: md5, md5: cc}]}
"""
    facts = read_lock("sub/dvc.lock", lock)
    assert [item.name for item in facts.data] == ["sub/raw.csv"]
    lineage = {item.name: item.value for item in facts.lineage}
    assert lineage["dvc stage prepare"] == "a && b"
    assert lineage["dvc file sub/clean.csv"] == "dvc-md5:cc"


def test_imports_tell_their_origin_without_credentials() -> None:
    content = b"""
deps: [{path: d, repo: {url: "https://me:secret@host/r.git", rev_lock: abc}}]
outs: [{md5: aa.dir, hash: md5, path: d, size: 5}]
"""
    facts = read_tracked("d.dvc", content)
    assert [(item.name, item.value) for item in facts.lineage] == [
        ("dvc import d", "https://host/r.git at abc")
    ]


def test_a_key_with_two_values_goes_by_its_file() -> None:
    lock = b"stages: {t: {params: {params.yaml: {lr: 1}, b.yaml: {lr: 2, n: 3}}}}"
    facts = read_lock("dvc.lock", lock)
    assert {item.name: item.value for item in facts.parameters} == {
        "params.yaml:lr": 1, "b.yaml:lr": 2, "n": 3,
    }  # fmt: skip


def test_a_pipeline_tells_its_commands(real: dict[str, bytes]) -> None:
    facts = read_pipeline("dvc.yaml", real["dvc.yaml"])
    assert [(item.name, item.value) for item in facts.lineage] == [
        ("dvc stage train", "python train.py")
    ]
    each = b"stages: {s: {foreach: [1], do: {cmd: run}}, t: {cmd: {}}, u: 1}"
    assert [item.value for item in read_pipeline("dvc.yaml", each).lineage] == ["run"]


def test_files_that_a_pipeline_names_are_read() -> None:
    files = {
        "dvc.yaml": b"metrics: [reports/eval.json: {cache: false}]\nparams: [conf/train.toml]\n",
        "reports/eval.json": b'{"f1": 0.5}',
        "conf/train.toml": b"lr = 0.1",
        "other.json": b'{"f1": 0.9}',
    }
    facts = collect(make_kit(None), files)
    assert [(item.name, item.value, item.source) for item in facts.metrics] == [
        ("f1", 0.5, "reports/eval.json")
    ]
    assert [(item.name, item.value) for item in facts.parameters] == [("lr", 0.1)]


@pytest.mark.parametrize("path", ["dvc.lock", "x.dvc", "dvc.yaml"])
@pytest.mark.parametrize("content", [b"stages: [", b"\x00", b"a: *b", b"outs: {{}}"])
def test_what_is_no_yaml_is_said(path: str, content: bytes) -> None:
    facts = collect(make_kit(None), {path: content})
    assert [remark for remark in facts.missing if remark.startswith(f"{path}: not ")]


def test_hostile_fields_are_absent_or_clean() -> None:
    lock = b"""
stages:
  "\\e[2J": {cmd: {a: 1}, deps: [1, {path: [x]}, {path: "\\e", hash: md5, md5: "\\e[31m"}],
    params: {a: 3, b: {"\\e": .nan}}, outs: [{path: x, hash: md5}]}
  odd: 4
"""
    facts = read_lock("dvc.lock", lock)
    assert is_clean(facts)
    assert [(item.name, item.identity) for item in facts.data] == [("\\x1b", "\\x1b[31m")]
    assert [(item.name, item.value) for item in facts.parameters] == [("\\x1b", "NaN")]
    negative = b"outs: [{path: x, md5: a, size: -5}, {path: y, etag: b, size: big}]"
    assert [(item.scheme, item.size) for item in read_tracked("x.dvc", negative).data] == [
        ("dvc-md5-dos2unix", None),
        ("etag", None),
    ]


def test_changed_data_shows_with_its_size(real: dict[str, bytes]) -> None:
    before, after = real["data.csv.dvc"], load_all_files("facts-dvc:v2")["data.csv.dvc"]
    row = differing({"data.csv.dvc": before}, {"data.csv.dvc": after}, "data")["dvc data.csv"]
    assert (row.a, row.b) == (
        "dvc-md5:2dfbb966af863062cd5bd63a96d9199e",
        "dvc-md5:3801f5c7e3bb01758bd1c5866cade677",
    )
    assert row.note == "1096 → 1100 bytes"


def test_a_changed_lock_shows(real: dict[str, bytes]) -> None:
    lock = real["dvc.lock"]
    rows = differing(*changed("dvc.lock", lock, b"lr: 0.04", b"lr: 0.05"), "parameters")
    assert (rows["train.lr"].a, rows["train.lr"].b) == (0.04, 0.05)
    rows = differing(*changed("dvc.lock", lock, b"8f2c64e49e", b"0000000000"), "lineage")
    assert list(rows) == ["dvc file train.py"]
    rows = differing(*changed("dvc.lock", lock, b"python train.py", b"python x.py"), "lineage")
    assert list(rows) == ["dvc stage train"]


def test_a_plot_holds_the_history_of_one_metric(real: dict[str, bytes]) -> None:
    (metric,) = read_plot(PLOT, real[PLOT]).metrics
    assert (metric.name, metric.value, metric.source) == ("eval.auc", 0.8500000000000001, PLOT)
    assert metric.history[0] == (0.0, 0.8)
    assert metric.history[-1] == (5.0, 0.8500000000000001)


def test_the_history_joins_the_metric_of_the_metrics_file() -> None:
    found = {item.name: item for item in load_facts("facts-dvc:v1").metrics}
    assert found["eval.auc"].source == "dvclive/metrics.json"
    assert len(found["eval.auc"].history) == 6
    assert found["eval.auc"].conflicts == ()


def test_a_changed_plot_shows(real: dict[str, bytes]) -> None:
    rows = differing(*changed(PLOT, real[PLOT], b"5\t0.85", b"5\t0.75"), "metrics")
    assert rows["eval.auc"].verdict == "worse"


def test_long_histories_keep_first_and_last() -> None:
    lines = "".join(f"{step}\t{step * 2}\n" for step in range(20_000))
    (metric,) = read_plot(PLOT, f"step\tauc\n{lines}".encode()).metrics
    assert len(metric.history) == 200
    assert (metric.history[0], metric.history[-1]) == ((0.0, 0.0), (19_999.0, 39_998.0))


@pytest.mark.parametrize(
    "content",
    [b"", b"step", b"step\tauc", b"\xff\x00\x1b\n\x1b", b"step\tauc\n1\tnan\n", b"a\n" * 9,
     b'step\tauc\n"' + b"x" * 200_000],
)  # fmt: skip
def test_hostile_plots_never_raise(content: bytes) -> None:
    facts = read_plot(PLOT, content)
    assert all(metric.value is None or metric.text is None for metric in facts.metrics)
    assert is_clean(facts)


def test_other_tables_are_no_plots() -> None:
    assert collect(make_kit(None), {"data/train.tsv": b"a\tb\n1\t2\n"}).metrics == ()
