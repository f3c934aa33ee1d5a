"""The table of readers: which file is read by what, and that no reader ever raises."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rolldeck.facts import (
    Facts,
    Parameter,
    collect,
    dvc,
    dvclive,
    eval_results,
    kubeflow,
    metrics_file,
    mlmodel,
    model_card,
    parameters_file,
    readers,
    tokenizer,
    transformers_files,
)
from tests.facts.kits import is_clean, make_kit
from tests.golden_kits import load_all_files

HERE = Path(__file__).parent / "huggingface_files" / "v1"

REAL = {
    path: data
    for path, data in (
        *load_all_files("facts-dvc:v1").items(),
        *load_all_files("facts-mlflow:v1.0.0").items(),
        *load_all_files("facts-kfp:v1").items(),
        *(
            (str(path.relative_to(HERE)), path.read_bytes())
            for path in HERE.rglob("*.*")
            if path.is_file()
        ),
    )
    if not path.endswith((".pkl", ".bin", ".py", "input_example.json"))
}
"""Files by the real tools."""

HOSTILE = (
    b"\x1b[2J",
    b"\x00",
    b"\xff",
    "\u202e".encode(),
    b"{",
    b"[",
    b"- ",
    b": ",
    b"&a *a",
    b'"',
)


def test_facts_that_are_not_clean_are_noticed() -> None:
    assert not is_clean(Facts(parameters=(Parameter("a", "\x1b[2J", "b"),)))


@pytest.mark.parametrize("path", sorted(REAL))
def test_no_damage_makes_a_reader_raise(path: str) -> None:
    randomness = random.Random(path)
    for _ in range(60):
        data = bytearray(REAL[path])
        for _ in range(randomness.randint(1, 6)):
            start = randomness.randrange(len(data) + 1)
            kind = randomness.randrange(3)
            if kind == 0:
                data[start : start + randomness.randint(1, 20)] = b""
            elif kind == 1:
                data[start:start] = randomness.choice(HOSTILE)
            else:
                data[start:] = data[: randomness.randrange(len(data) + 1)]
            data = data or bytearray(b" ")
        (facts,) = readers.read_files({path: bytes(data)})
        assert is_clean(facts)


@pytest.mark.parametrize("path", ["metrics.json", "params.yaml", "MLmodel", "dvc.lock"])
def test_the_path_is_the_source_and_clean(path: str) -> None:
    named = f"a\x1b[2J/{path}"
    (facts,) = readers.read_files({named: b"{"})
    assert facts.missing[0].startswith(f"a\\x1b[2J/{path}: ")


def test_every_reader_of_training_tools_is_reached() -> None:
    places = (readers._place(path) for path in REAL)
    reached = {readers.READERS[place][1] for place in places if place is not None}
    assert reached >= {
        dvc.read_lock, dvc.read_tracked, dvc.read_pipeline, dvclive.read, eval_results.read,
        kubeflow.read, metrics_file.read, mlmodel.read, mlmodel.read_registration, model_card.read,
        parameters_file.read, tokenizer.read, tokenizer.read_config, tokenizer.read_template,
        transformers_files.read,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "known"),
    [("MLmodel", True), ("model/MLMODEL", True), ("x.dvc", True), (".eval_results/a.yaml", True),
     ("eval_results/a.yaml", False), ("pipeline.yaml", False), ("src/train.py", False),
     ("README.md", True), ("docs/readme.md", True), ("NOTES.md", False)],
)  # fmt: skip
def test_which_names_are_known(path: str, known: bool) -> None:
    assert readers.is_known(path) is known


def test_files_nearer_to_the_root_come_first() -> None:
    values = {"a/b/metrics.json": 1, "metrics.json": 2, "z/metrics.json": 3}
    files = {path: f'{{"f1": {value}}}'.encode() for path, value in values.items()}
    (metric,) = collect(make_kit(None), files).metrics
    assert (metric.value, metric.source) == (2.0, "metrics.json")
    assert metric.conflicts == (("z/metrics.json", "3"), ("a/b/metrics.json", "1"))


def test_disagreeing_lineage_is_said_with_both_places() -> None:
    files = {"a/MLmodel": b"run_id: one\n", "b/MLmodel": b"run_id: two\n"}
    facts = collect(make_kit(None), files)
    assert "conflict: run id is one in a/MLmodel, two in b/MLmodel" in facts.missing
