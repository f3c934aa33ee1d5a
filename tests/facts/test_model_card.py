"""Hugging Face model cards and ``.eval_results``."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.facts.eval_results import read as read_eval_results
from rolldeck.facts.model_card import read
from tests.facts.comparing import changed, differing
from tests.facts.kits import is_clean
from tests.golden_kits import load_all_files

FILES = Path(__file__).parent / "huggingface_files" / "v1"
RESULTS = ".eval_results/hle.yaml"


@pytest.fixture(scope="module")
def card() -> bytes:
    """What huggingface_hub 2.4.0 wrote."""
    return (FILES / "README.md").read_bytes()


@pytest.fixture(scope="module")
def results() -> bytes:
    """What huggingface_hub 2.4.0 wrote."""
    return (FILES / RESULTS).read_bytes()


def front_matter(yaml: str) -> bytes:
    return f"---\n{yaml}\n---\n# Title\n".encode()


def test_a_real_card_is_read(card: bytes) -> None:
    facts = read("README.md", card)
    f1, accuracy = facts.metrics
    assert (f1.name, f1.value, f1.source) == ("f1", 0.81, "README.md")
    assert (f1.dataset, f1.slice, f1.revision) == ("GLUE mrpc", "validation", "a1")
    assert (accuracy.name, accuracy.value) == ("accuracy", 0.9)
    assert {item.name: item.value for item in facts.lineage} == {
        "base model": "acme/base", "license": "mit", "library": "transformers",
        "task": "text-classification", "language": "en",
    }  # fmt: skip
    assert [(item.name, item.role, item.scheme, item.identity) for item in facts.data] == [
        ("glue", "declared", "name", "glue"),
        ("GLUE mrpc validation", "evaluation", "revision", "a1"),
    ]


def test_a_broken_result_costs_no_other() -> None:
    facts = read("README.md", load_all_files("facts-hf:v1")["README.md"])
    assert [(item.name, item.value, item.text) for item in facts.metrics] == [
        ("f1", 0.62, None),
        ("accuracy", None, "n/a"),
        ("wer", None, "no value"),
    ]
    assert {item.name: item.value for item in facts.lineage}["base model"] == (
        "acme/mini (finetune)"
    )


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [("0.5", 0.5, None), ("90.0%", None, "90.0%"), (".nan", None, "NaN"), ("[1, 2]", None, "1, 2"),
     ("'0.5'", 0.5, None), ("true", None, "True"), ("{a: 1}", None, "dict")],
)  # fmt: skip
def test_values_that_are_no_numbers_are_text(
    value: str, number: float | None, text: str | None
) -> None:
    card = front_matter(
        f"model-index: [{{results: [{{metrics: [{{type: f1, value: {value}}}]}}]}}]"
    )
    (metric,) = read("README.md", card).metrics
    assert (metric.value, metric.text) == (number, text)


def test_metrics_of_one_type_go_by_their_names() -> None:
    metrics = (
        "[{type: acc, value: 1}, {type: acc, name: acc norm, value: 2}, {type: acc, value: 3}]"
    )
    facts = read("R.md", front_matter(f"model-index: [{{results: [{{metrics: {metrics}}}]}}]"))
    assert [(item.name, item.value) for item in facts.metrics] == [
        ("acc", 1), ("acc norm", 2), ("acc (2)", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("start", ["\ufeff---\n", "---\r\n", "\n\n--- \n"])
def test_front_matter_begins_in_many_ways(start: str) -> None:
    facts = read("README.md", f"{start}license: mit\n---\nText\n---\n".encode())
    assert [item.value for item in facts.lineage] == ["mit"]


@pytest.mark.parametrize(
    "content", [b"", b"# Title\n---\na: 1\n---\n", b"---\nlicense: mit\n", b"\xff"]
)
def test_a_card_without_front_matter_has_no_facts(content: bytes) -> None:
    facts = read("README.md", content)
    assert (facts.lineage, facts.missing) == ((), ())


def test_broken_front_matter_is_said() -> None:
    (missing,) = read("README.md", front_matter("a: [1")).missing
    assert missing.startswith("README.md: not valid YAML: line ")


@pytest.mark.parametrize(
    "yaml",
    ["[1, 2]", "model-index: 3", "model-index: [3, {results: 4}, {results: [5, {metrics: 6}]}]",
     "base_model: {a: 1}", "datasets: [[1], {a: 1}, null]", "license: [[mit]]",
     "model-index: [{results: [{dataset: x, metrics: [{value: 1}, {type: [a]}]}]}]"],
)  # fmt: skip
def test_fields_of_wrong_types_are_absent(yaml: str) -> None:
    facts = read("README.md", front_matter(yaml))
    assert (facts.metrics, facts.data, facts.lineage) == ((), (), ())


def test_hostile_text_is_clean() -> None:
    yaml = (
        'license: "\\e[2J"\nbase_model: "https://me:secret@host/x"\n'
        'model-index: [{results: [{dataset: {name: "\\e", revision: "\\e"},'
        ' metrics: [{type: "\\e[31m", value: "\\e"}]}]}]'
    )
    facts = read("\x1b/README.md", front_matter(yaml))
    assert is_clean(facts)
    assert "secret" not in repr(facts)
    assert len(facts.metrics) == 1


def test_several_base_models_stay_apart() -> None:
    facts = read("README.md", front_matter("base_model: [a/b, c/d]\nbase_model_relation: merge"))
    assert [(item.name, item.value) for item in facts.lineage] == [
        ("base model", "a/b (merge)"),
        ("base model (2)", "c/d (merge)"),
    ]


def test_a_changed_card_shows(card: bytes) -> None:
    path = "README.md"
    row = differing(*changed(path, card, b"value: 0.81", b"value: 0.7"), "metrics")["f1"]
    assert (row.a, row.b, row.verdict) == (0.81, 0.7, "worse")
    rows = differing(*changed(path, card, b"acme/base", b"acme/other"), "lineage")
    assert (rows["base model"].a, rows["base model"].b) == ("acme/base", "acme/other")
    rows = differing(*changed(path, card, b"- glue", b"- imdb"), "data")
    assert {(row.key, row.status) for row in rows.values()} == {
        ("declared glue", "removed"), ("declared imdb", "added"),
    }  # fmt: skip


def test_another_revision_of_the_data_is_not_like_for_like(card: bytes) -> None:
    files = changed("README.md", card.replace(b"0.9", b"0.8"), b"a1", b"a2")
    files[1]["README.md"] = files[1]["README.md"].replace(b"0.81", b"0.9")
    row = differing(*files, "metrics")["f1"]
    assert row.note == "not like for like: other revision of the data set"


def test_real_eval_results_are_read(results: bytes) -> None:
    facts = read_eval_results(RESULTS, results)
    assert [(item.key, item.value, item.source) for item in facts.metrics] == [
        ("hle [cais/hle]", 20.9, RESULTS),
        ("hle [With tools, cais/hle]", 31.0, RESULTS),
    ]
    assert [(item.name, item.identity) for item in facts.data] == [("cais/hle", "f0")]


@pytest.mark.parametrize("content", [b"", b"a: 1", b"[", b"3"])
def test_eval_results_that_are_none_are_said(content: bytes) -> None:
    (missing,) = read_eval_results(RESULTS, content).missing
    assert missing.startswith(f"{RESULTS}: ")


def test_hostile_eval_results_are_absent_or_clean() -> None:
    content = b'[1, {dataset: 3}, {dataset: {id: "\\e", task_id: [1]}, value: {a: 1}, notes: [x]}]'
    facts = read_eval_results(RESULTS, content)
    assert [(item.name, item.value) for item in facts.metrics] == [("\\x1b", None)]


def test_a_changed_eval_result_shows(results: bytes) -> None:
    rows = differing(*changed(RESULTS, results, b"31.0", b"29.0"), "metrics")
    assert [(row.key, row.a, row.b) for row in rows.values()] == [
        ("hle [With tools, cais/hle]", 31.0, 29.0)
    ]
