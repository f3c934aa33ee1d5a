"""The run record: what it tells, and that no malformed one raises or is believed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from rolldeck.compare import Version, compare, to_json
from rolldeck.facts import Facts, collect
from rolldeck.facts.run_record import SOURCE, read_run_record
from tests.facts.kits import lineage_of, make_kit
from tests.golden_kits import GOLDEN, load_facts, load_files, load_kit


def record(**fields: Any) -> dict[str, Any]:
    return {"schemaVersion": "1.0", **fields}


def read(**fields: Any) -> Facts:
    return read_run_record(record(**fields), SOURCE)


def golden_record() -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(load_kit("wdbc:v1.2.0").parameters["modelrun"])
    return found


def test_golden_record_is_read_whole() -> None:
    facts = load_facts("wdbc:v1.2.0")
    assert {metric.name for metric in facts.metrics} == {
        "accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "brier_score",
    }  # fmt: skip
    accuracy = facts.metrics[0]
    assert (accuracy.value, accuracy.n, accuracy.slice) == (0.958042, 143, "test")
    assert accuracy.higher_is_better is True
    assert accuracy.source == "modelrun/run.json"
    assert accuracy.conflicts == ()
    assert {item.name: item.value for item in facts.parameters} == {
        "features": 30, "max_depth": 8, "model": "forest", "n_estimators": 120, "seed": 7,
    }  # fmt: skip
    assert facts.missing == ()
    assert lineage_of(facts)["run system"] == "script"
    assert lineage_of(facts)["git dirty"] == "yes"
    assert facts.signature is not None
    assert facts.signature[0] == ("input mean radius", "double")
    assert facts.signature[-1] == ("output target", "long")


def test_environment_has_every_group() -> None:
    facts = load_facts("wdbc:v1.2.0")
    found = {(item.group, item.name): item.value for item in facts.environment}
    assert found["python", "version"] == "3.11.7"
    assert found["os", "architecture"] == "amd64"
    assert found["seed", "PYTHONHASHSEED"] == "0"
    assert found["variable", "OMP_NUM_THREADS"] == "2"
    assert found["package", "scikit-learn"] == "1.9.1"
    assert found["package", "typing-extensions"] == "4.16.0"
    assert len(facts.packages) == 26


def test_hardware_is_told_per_gpu() -> None:
    gpu = {"hw.name": "H200", "hw.driver_version": "580.1", "hw.gpu.memory.limit": 2**37}
    facts = read(environment={"hardware": {"gpus": [gpu], "cuda": "13.2", "memoryBytes": 2**34}})
    assert {(item.name, item.value) for item in facts.environment} == {
        ("gpu 0", "H200"), ("gpu 0 driver", "580.1"), ("gpu 0 memory", "128.0 GiB"),
        ("cuda", "13.2"), ("memory", "16.0 GiB"),
    }  # fmt: skip


def test_data_is_known_by_all_its_digests_strongest_first() -> None:
    digests = {"dvc-md5": "1919", "sha256": "ab" * 32, "lakefs": "x"}
    facts = read(
        resolvedDependencies=[
            {"role": "training", "name": "train", "digest": digests},
            {"role": "training", "name": "weak", "digest": {"dvc-md5": "1919", "lakefs": "x"}},
            {"role": "test", "uri": "s3://user:secret@bucket/test.csv"},
            {"role": "base-model", "uri": "oci://host/base", "digest": {"sha256": "cd"}},
        ]
    )
    assert [(item.name, item.scheme, item.identity) for item in facts.data] == [
        ("train", "sha256", "ab" * 32),
        ("train", "dvc-md5", "1919"),
        ("train", "lakefs", "x"),
        ("weak", "dvc-md5", "1919"),
        ("weak", "lakefs", "x"),
        ("s3://bucket/test.csv", "uri", "s3://bucket/test.csv"),
    ]
    assert lineage_of(facts) == {"base model": "oci://host/base sha256:cd"}


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"value": None, "nonFinite": "NaN"}, "NaN"),
        ({"value": "NaN"}, "NaN"),
        ({"value": float("inf")}, "Infinity"),
        ({"value": "n/a"}, "n/a"),
        ({"value": True}, "True"),
        ({"value": [1]}, "no value"),
        ({}, "no value"),
        ({"value": 10**400}, str(10**400)),
    ],
)
def test_no_number_is_shown_as_text(entry: dict[str, Any], text: str) -> None:
    (metric,) = read(metrics=[{"name": "kl", **entry}]).metrics
    assert metric.value is None
    assert metric.text == text


def test_the_last_step_counts_and_earlier_ones_are_kept() -> None:
    steps = [{"name": "loss", "value": value, "step": step} for step, value in ((9, 0.1), (1, 0.9))]
    (metric,) = read(metrics=steps).metrics
    assert metric.value == 0.1
    assert metric.conflicts == ((f"{SOURCE}, another step", "0.9"),)


def test_a_newer_schema_is_not_read_and_that_is_said() -> None:
    facts = read_run_record(
        {"schemaVersion": "2.0", "metrics": [{"name": "f1", "value": 1}]}, SOURCE
    )
    assert facts.metrics == ()
    assert facts.missing == (f"{SOURCE}: not read, its schema version is 2.0, known is 1.x",)


@pytest.mark.parametrize("document", [None, 1, "x", [], [{}], {}, True])
def test_what_is_no_record_is_said(document: Any) -> None:
    assert read_run_record(document, SOURCE).missing == (
        f"{SOURCE}: the run record is no JSON object",
    )


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (None, None),
        ({}, None),
        ("text", None),
        ({"inputs": None, "outputs": None}, None),
        ({"inputs": [], "outputs": []}, ()),
        ({"inputs": [{"name": "x", "type": "long", "required": False}]},
         (("input x", "long, optional"),)),
        ({"outputs": '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'},
         (("output 0", "tensor int64 [-1]"),)),
        ({"inputs": [{"name": "x"}, {"name": "x", "type": "int"}, 5]},
         (("input x", "undeclared"), ("input x (2)", "int"), ("input 2", "undeclared"))),
    ],
)  # fmt: skip
def test_undeclared_signature_is_not_an_empty_one(signature: Any, expected: Any) -> None:
    assert read(signature=signature).signature == expected


def test_hostile_text_is_cleaned_everywhere() -> None:
    evil = "\x1b[31m[bold]x[/bold]\u202e\nsecond\ud800"
    facts = collect(
        make_kit(
            {
                evil: evil,
                "modelrun": record(
                    metrics=[{"name": evil, "value": evil, "unit": evil, "slice": evil}],
                    parameters={evil: {evil: [evil]}},
                    environment={"os.type": evil, "environmentVariables": [{"name": evil,
                                                                            "value": evil}]},
                    packages=[{"purl": f"pkg:pypi/{evil}@{evil}"}],
                    seeds={evil: evil},
                    signature={"inputs": [{"name": evil, "type": evil}]},
                    resolvedDependencies=[{"name": evil, "uri": evil, "digest": {evil: evil}}],
                    source={"vcs.ref.head.name": evil},
                    run={"status": evil},
                    capturedBy=evil,
                ),
                "mlflow_provenance": {"mlflow_run_id": evil, "mlflow_params": {evil: evil}},
            },
            {"org.opencontainers.image.source": evil},
        ),
        {},
    )  # fmt: skip
    strings = list(texts(facts))
    assert sum("[bold]" in text for text in strings) > 15
    assert not [text for text in strings if any(mark in text for mark in FORBIDDEN)]


FORBIDDEN = ("\x1b", "\u202e", "\ud800", "\n")


def texts(node: Any) -> Iterator[str]:
    """Yield every string in facts, whatever it is nested in."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from texts(item)
    elif is_dataclass(node):
        for field in fields(node):
            yield from texts(getattr(node, field.name))


WRONG: list[Any] = [
    None, True, False, 0, -1, 1e400, float("nan"), float("-inf"), 10**30, -0.0, "", "NaN",
    "x" * 5000,
    "\x1b[2J", "\ud800", "1.0", [], {}, [[]], [{}], {"a": {}}, [None, 1, "x", {}], {"name": "f1"},
    {"sha256": "x"}, {"": ""}, "9" * 400, [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]],
    {"name": {"name": []}},
]  # fmt: skip


def places(node: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    keys = node.keys() if isinstance(node, dict) else range(len(node))
    for key in keys:
        found.append((node, key))
        if isinstance(node[key], (dict, list)):
            found += places(node[key])
    return found


def mutated(randomness: random.Random, original: str) -> Any:
    document = json.loads(original)
    for _ in range(randomness.randint(1, 6)):
        container, key = randomness.choice(places(document) or [([None], 0)])
        action = randomness.random()
        if action < 0.7:
            container[key] = copy.deepcopy(randomness.choice(WRONG))
        elif action < 0.85:
            del container[key]
        elif isinstance(container, dict):
            container[str(randomness.choice(WRONG))] = container[key]
        else:
            container.append(container[key])
    return document


def test_ten_thousand_mutated_records_never_raise() -> None:
    randomness = random.Random(20261121)
    whole = golden_record()
    whole["signature"]["inputs"] = whole["signature"]["inputs"][:3]
    whole["packages"] = [{"purl": "pkg:pypi/numpy@2.4.6"}, "scipy==1.17"]
    whole["environment"]["hardware"]["gpus"] = [{"hw.name": "H200"}]
    original = json.dumps(whole)
    baseline = collect(make_kit({"modelrun": json.loads(original)}), {})
    before = Version("a", "a", make_kit({}), baseline)
    for number in range(10_000):
        kit = make_kit({"modelrun": mutated(randomness, original)})
        facts = collect(kit, {})
        if number % 20 == 0:
            comparison = compare(before, Version("b", "b", make_kit({}, {"n": "1"}), facts))
            json.dumps(to_json(comparison, include_equal=True), allow_nan=False)
            for section in comparison.sections:
                keys = [row.key for row in section.rows]
                assert len(keys) == len(set(keys))


def test_huge_records_are_cut_and_that_is_said() -> None:
    many = [{"name": f"m{index}", "value": index} for index in range(25_000)]
    facts = read(metrics=many, parameters={f"p{index}": index for index in range(6000)})
    assert len(facts.metrics) == 20_000
    assert len(facts.parameters) == 5000
    assert len(facts.missing) == 2


def test_deep_nesting_is_cut() -> None:
    deep: Any = 1
    for _ in range(50_000):
        deep = {"a": deep}
    (parameter,) = read(parameters=deep).parameters
    assert parameter.value == "nested too deep to show"


@pytest.mark.parametrize("tag", ["v1.0.0", "v1.1.0", "v1.2.0", "v2.0.0"])
def test_expected_metrics_of_every_golden_version(tag: str) -> None:
    expected = json.loads((GOLDEN / "expected" / f"wdbc_{tag}.json").read_bytes())
    kitfile = expected["kit_inspect"]["kitfile"]
    declared = kitfile["model"]["parameters"]["modelrun"]
    facts = collect(load_kit(f"wdbc:{tag}"), load_files(f"wdbc:{tag}"))
    assert {metric.name: metric.value for metric in facts.metrics} == {
        entry["name"]: entry["value"] for entry in declared["metrics"]
    }
    assert {item.name: item.value for item in facts.parameters} == declared["parameters"]
