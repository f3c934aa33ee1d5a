"""Three things of every reader: a real file, hostile ones, and one change that shows.

The table is held against the readers that there are: a new one without its line here fails.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from rolldeck.actions.pickle_process import read_pickle
from rolldeck.compare import Row, SectionName, Version, compare
from rolldeck.facts import Facts, collect, weights
from rolldeck.facts.pickles import Pickle
from rolldeck.facts.readers import READERS
from rolldeck.progress import Progress
from tests.facts.kits import is_clean, make_kit
from tests.facts.package_files import FILES
from tests.golden_kits import load_all_files, load_kit

_HUGGINGFACE = Path(__file__).parent / "huggingface_files" / "v1"


def _golden(name: str, path: str) -> Callable[[], bytes]:
    return lambda: load_all_files(name)[path]


def _file(path: Path) -> Callable[[], bytes]:
    return path.read_bytes


@dataclass(frozen=True)
class Case:
    """A real file, where it lies in a version, one change of it, and the row that shows it."""

    path: str
    real: Callable[[], bytes]
    old: bytes
    new: bytes
    section: SectionName
    row: str


def _package(name: str, old: str, new: str, row: str, path: str | None = None) -> Case:
    return Case(path or name, _file(FILES / name), old.encode(), new.encode(), "environment", row)


def _transformers(name: str, old: str, new: str, section: SectionName, row: str) -> Case:
    return Case(name, _file(_HUGGINGFACE / name), old.encode(), new.encode(), section, row)


CASES: dict[str, Case] = {
    "metrics_file.read": Case(
        "metrics.json", _golden("facts-mlflow:v1.0.0", "metrics.json"),
        b"0.9,", b"0.8,", "metrics", "accuracy"),
    "dvclive.read": Case(
        "dvclive/plots/metrics/loss.tsv",
        _golden("facts-dvc:v1", "dvclive/plots/metrics/loss.tsv"),
        b"0.04166", b"0.05166", "metrics", "loss"),
    "eval_results.read": _transformers(
        ".eval_results/hle.yaml", "20.9", "21.9", "metrics", "hle"),
    "parameters_file.read": Case(
        "params.yaml", _golden("facts-dvc:v1", "params.yaml"),
        b"epochs: 6", b"epochs: 7", "parameters", "train.epochs"),
    "dvc.read_lock": Case(
        "dvc.lock", _golden("facts-dvc:v1", "dvc.lock"),
        b"2dfbb966", b"3dfbb966", "data", "dvc data.csv"),
    "dvc.read_tracked": Case(
        "data.csv.dvc", _golden("facts-dvc:v1", "data.csv.dvc"),
        b"2dfbb966", b"3dfbb966", "data", "dvc data.csv"),
    "dvc.read_pipeline": Case(
        "dvc.yaml", _golden("facts-dvc:v1", "dvc.yaml"),
        b"python train.py", b"python -O train.py", "lineage", "train"),
    "dockerfile.read": _package("Dockerfile", "CUDA=12.4.1", "CUDA=12.6.0", "image cuda"),
    "mlmodel.read": Case(
        "model/MLmodel", _golden("facts-mlflow:v1.0.0", "model/MLmodel"),
        b'"type": "float"', b'"type": "string"', "signature", "input "),
    "mlmodel.read_registration": Case(
        "model/registered_model_meta",
        _golden("facts-mlflow:v1.0.0", "model/registered_model_meta"),
        b"model_name: null", b"model_name: fraud", "lineage", "model"),
    "model_card.read": Case(
        "README.md", _golden("facts-hf:v1", "README.md"),
        b"value: 0.62", b"value: 0.52", "metrics", "f1"),
    "transformers_files.read": _transformers(
        "generation_config.json", "0.7", "0.8", "parameters", "generation_config.temperature"),
    "tokenizer.read": _transformers(
        "tokenizer.json", '"version":', '"Version":', "signature", "tokenizer "),
    "tokenizer.read_config": _transformers(
        "tokenizer_config.json", "[PAD]", "[pad]", "signature", "tokenizer "),
    "tokenizer.read_template": _transformers(
        "chat_template.jinja", "m.content", "m.text", "signature", "tokenizer "),
    "kubeflow.read": Case(
        "pipeline.yaml", _golden("facts-kfp:v1", "pipeline.yaml"),
        b"defaultValue: 0.01", b"defaultValue: 0.5", "parameters", "lr"),
    "pylock.read": _package("pylock.toml", '"1.6.0"', '"1.7.0"', "joblib"),
    "uv_lock.read": _package("uv.lock", '"1.6.0"', '"1.5.0"', "joblib"),
    "poetry_lock.read": _package("poetry.lock", '"4.16.0"', '"4.17"', "typing-extensions"),
    "pipfile_lock.read": _package("Pipfile.lock", "==3.5.0", "==3.6.0", "threadpoolctl"),
    "pixi_lock.read": _package("pixi.lock", "joblib-1.5.2", "joblib-1.5.3", "joblib"),
    "conda_lock.read": _package("conda-lock.yml", "2.2.0", "2.2.1", "numpy"),
    "pip_inspect.read": _package("pip-inspect.json", '"1.5.2"', '"1.5.3"', "joblib"),
    "conda_list.read": _package("conda-explicit.txt", "joblib-1.5.2", "joblib-1.5.3", "joblib"),
    "requirements.read": _package("pip-freeze.txt", "joblib==1.5.2", "joblib==1.5.3", "joblib"),
    "sbom.read": _package("bom.cdx.json", "joblib@1.5.2", "joblib@1.5.3", "joblib"),
    "conda_environment.read": Case(
        "model/conda.yaml", _golden("facts-mlflow:v1.0.0", "model/conda.yaml"),
        b"scipy==1.17.1", b"scipy==1.18.0", "environment", "scipy"),
    "python_env.read": Case(
        "model/python_env.yaml", _golden("facts-mlflow:v1.0.0", "model/python_env.yaml"),
        b"3.11.7", b"3.12.0", "environment", "python version"),
}  # fmt: skip
"""Readers of files by name."""

WEIGHTS: dict[str, Case] = {
    ".safetensors": Case(
        "model.safetensors", _golden("facts-hf:v1", "model.safetensors"),
        b"layers.0.weight", b"layers.7.weight", "tensors", "layers.7.weight"),
    ".gguf": Case(
        "model.gguf", _golden("facts-tensors:v1", "model.gguf"),
        b"blk.0.attn_q.weight", b"blk.9.attn_q.weight", "tensors", "blk.9.attn_q.weight"),
    ".onnx": Case(
        "model.onnx", _golden("facts-tensors:v1", "model.onnx"),
        b"\x12\x02c1", b"\x12\x02c9", "tensors", "metadata commit"),
}  # fmt: skip
"""Readers of headers, by how names end."""

PICKLES: dict[str, Case] = {
    "pickle": Case(
        "model/model.pkl", _golden("facts-mlflow:v1.0.0", "model/model.pkl"),
        b"1.9.1", b"1.9.2", "tensors", "scikit-learn"),
    "joblib": Case(
        "model/model.joblib", _golden("wdbc:v1.2.0", "model/model.joblib"),
        b"1.9.1", b"1.9.2", "tensors", "scikit-learn"),
}  # fmt: skip
"""What the inert reader reads."""

BY_NAME = {**CASES, **WEIGHTS}
ALL = {**BY_NAME, **PICKLES}


def test_every_reader_has_its_case() -> None:
    """Of files by name, and of headers of weights."""
    readers = {f"{read.__module__.rpartition('.')[2]}.{read.__name__}" for _, read in READERS}
    assert set(CASES) == readers
    assert set(WEIGHTS) == set(weights.SUFFIXES)


def version(label: str, path: str, data: bytes) -> Version:
    """Return a version that holds one file and nothing else."""
    pickles: tuple[Pickle, ...] = ()
    files = {path: data}
    if path.endswith((".pkl", ".joblib")):
        files, pickles = {}, (read_pickle(path, len(data), [data], Progress()),)
    kit = make_kit(None, {"side": label})
    return Version(label, label, kit, collect(kit, files, pickles=pickles), files)


def nothing() -> Facts:
    """Return what is known of a version that holds nothing."""
    return collect(make_kit(None, {"side": "a"}), {})


def differing(case: Case, before: bytes, after: bytes) -> dict[str, Row]:
    """Return the rows of a case's section that differ."""
    sides = version("a", case.path, before), version("b", case.path, after)
    rows = compare(*sides).section(case.section).rows
    return {row.key: row for row in rows if row.status != "equal"}


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_real_file_is_read_without_complaint(name: str) -> None:
    """It tells something, and nothing of it is called unreadable."""
    case = ALL[name]
    facts = version("a", case.path, case.real()).facts
    tells = replace(facts, missing=()) != replace(nothing(), missing=())
    # The golden model was never registered, and its file says just that.
    assert tells is (name != "mlmodel.read_registration")
    complaints = [text for text in facts.missing if text.startswith(f"{case.path}: ")]
    assert not complaints
    assert not any(item.notice for item in (*facts.weights, *facts.pickles))


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_change_shows_in_the_comparison(name: str) -> None:
    """In its section; what did not change is equal."""
    case = ALL[name]
    real = case.real()
    assert case.old in real
    assert not differing(case, real, real)
    rows = differing(case, real, real.replace(case.old, case.new, 1))
    assert any(case.row in key for key in rows), rows


HOSTILE_TEXT = (b"\x1b[2J", b"\x1b]52;c;aGk=\x07", b"\x00", b"\xff", "\u202e".encode(), b"[/]")
JUNK = (
    *(b"", b"\x00" * 64, b"\xff\xfe", b"{}", b"[]", b"null", b"~", b"- a\n", b'"x"', b"1"),
    *(b"[" * 100_000, b'{"a":' * 50_000, b"- " * 50_000, b"a." * 50_000 + b"a = 1"),
    b"a: &a [x, x]\n" + b"".join(b"b%d: &b%d [*a, *a, *a]\n" % (n, n) for n in range(400)),
    *(b"\xff" * 8 + b"{", (1 << 62).to_bytes(8, "little") + b"{", b"GGUF" + b"\xff" * 40),
)  # fmt: skip


def _hostile(real: bytes, seed: str) -> Iterator[bytes]:
    """Yield junk, and the real file with hostile text, cuts and repetitions in it."""
    yield from JUNK
    chance = random.Random(seed)
    for _ in range(60):
        data = bytearray(real)
        for _ in range(chance.randint(1, 5)):
            start = chance.randrange(len(data) + 1)
            kind = chance.randrange(4)
            if kind == 0:
                del data[start : start + chance.randint(1, 30)]
            elif kind == 1:
                data[start:start] = chance.choice(HOSTILE_TEXT)
            elif kind == 2:
                data[start : start + 8] = b"\xff" * 8
            else:
                del data[start:]
        yield bytes(data)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_hostile_files_raise_nothing_and_stay_clean(name: str) -> None:
    """Whatever they hold, it is text that may be shown, and not without bounds."""
    case = BY_NAME[name]
    for data in _hostile(case.real(), name):
        facts = version("a", case.path, data).facts
        assert is_clean(facts)
        assert len(repr(facts)) < 20 * len(data) + 200_000


@pytest.mark.parametrize("name", sorted(PICKLES))
def test_hostile_pickles_raise_nothing_and_stay_clean(name: str) -> None:
    """Each in a process of its own, so fewer of them."""
    case = PICKLES[name]
    real = case.real()
    for data in [*_hostile(real, name)][:: len(JUNK) // 2]:
        assert is_clean(version("a", case.path, data).facts)


# What stands in the Kitfile instead of a file.


def _with(change: Callable[[Any], None]) -> tuple[Any, Any]:
    """Return the parameters of a golden kit, and the same with a change."""
    before = load_kit("wdbc:v1.2.0").parameters
    after = json.loads(json.dumps(before))
    change(after)
    return before, after


def _recall(parameters: Any) -> None:
    for metric in parameters["modelrun"]["metrics"]:
        if metric["name"] == "recall":
            metric["value"] = 0.1


def _depth(parameters: Any) -> None:
    parameters["modelrun"]["parameters"]["max_depth"] = 99


def _numpy(parameters: Any) -> None:
    parameters["modelrun"]["seeds"] = {"numpy": 8}


_PROVENANCE = {"mlflow_run_id": "r1", "mlflow_metrics": {"f1": 0.9}, "mlflow_params": {"a": "1"}}

DECLARED: dict[str, tuple[Any, Any, SectionName, str]] = {
    "a metric of a run record": (*_with(_recall), "metrics", "recall"),
    "a parameter of a run record": (*_with(_depth), "parameters", "max_depth"),
    "a seed of a run record": (*_with(_numpy), "environment", "seed numpy"),
    "a metric of MLflow provenance": (
        {"mlflow_provenance": _PROVENANCE},
        {"mlflow_provenance": {**_PROVENANCE, "mlflow_metrics": {"f1": 0.8}}},
        "metrics", "f1"),
    "a parameter of MLflow provenance": (
        {"mlflow_provenance": _PROVENANCE},
        {"mlflow_provenance": {**_PROVENANCE, "mlflow_params": {"a": "2"}}},
        "parameters", "a"),
    "a leaf of the parameters": (
        {"train": {"lr": 0.1}}, {"train": {"lr": 0.2}}, "parameters", "train.lr"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_a_change_of_what_is_declared_shows(name: str) -> None:
    """Run record, MLflow provenance, free parameters."""
    before, after, section, key = DECLARED[name]
    sides = []
    for label, parameters in (("a", before), ("b", after)):
        kit = make_kit(parameters, {"side": label})
        sides.append(Version(label, label, kit, collect(kit, {})))
    row = compare(*sides).row(section, key)
    assert row is not None
    assert row.status != "equal"
