"""Compiled pipelines of Kubeflow: digest, parameters, images, accelerators, packages."""

from __future__ import annotations

import hashlib

import pytest

from rolldeck.facts import collect
from rolldeck.facts.kubeflow import read
from tests.facts.comparing import changed, differing
from tests.facts.kits import is_clean, make_kit
from tests.golden_kits import load_all_files

PATH = "pipeline.yaml"
HEAD = b"schemaVersion: 2.1.0\nroot: {dag: {}}\ndeploymentSpec:\n"


@pytest.fixture(scope="module")
def real() -> bytes:
    """What kfp 2.17.0 compiled."""
    return load_all_files("facts-kfp:v1")[PATH]


def test_a_real_pipeline_is_read(real: bytes) -> None:
    facts = read(PATH, real)
    assert [(item.name, item.value) for item in facts.parameters] == [("lr", 0.01)]
    image = "python:3.11-slim@sha256:" + "a" * 64
    assert {(item.group, item.name): item.value for item in facts.environment} == {
        ("image", "evaluate"): "python:3.11 (not pinned)",
        ("image", "train"): image,
        ("package", "kfp"): "2.17.0",
        ("package", "pandas"): "2.5.0",
    }
    assert {item.name: item.value for item in facts.lineage} == {
        "pipeline": f"kfp:churn-train sha256:{hashlib.sha256(real).hexdigest()}",
        "pipeline sdk": "kfp-2.17.0",
        "pipeline images pinned": "1 of 2",
    }
    assert facts.missing == (
        "packages: pipeline.yaml: read out of the commands of components, best effort",
    )


def test_resources_and_constants_of_tasks_are_read() -> None:
    content = b"""
schemaVersion: 2.1.0
deploymentSpec:
  executors:
    exec-train:
      container:
        image: x
        resources: {accelerator: {resourceCount: "2", resourceType: nvidia.com/gpu, count: "2"},
          memoryLimit: 8.0, resourceMemoryLimit: 8Gi, cpuLimit: 4.0}
root:
  inputDefinitions:
    parameters: {n: {defaultValue: 7.0, parameterType: NUMBER_INTEGER}, needed: {}}
  dag:
    tasks:
      train: {inputs: {parameters: {layers: {runtimeValue: {constant: [64.0, 32.0]}}}}}
components:
  comp-a: {dag: {tasks: {b: {inputs: {parameters: {c: {runtimeValue: {constant: x}}}}}}}}
"""
    facts = read("p.yml", content)
    found = {(item.group, item.name): item.value for item in facts.environment}
    assert found["hardware", "train accelerator"] == "nvidia.com/gpu x 2"
    assert found["hardware", "train memory limit"] == "8Gi"
    assert found["hardware", "train cpu limit"] == "4.0"
    assert {item.name: item.value for item in facts.parameters} == {
        "n": 7, "train.layers[0]": 64.0, "train.layers[1]": 32.0, "b.c": "x",
    }  # fmt: skip


def test_packages_are_read_out_of_shell_commands() -> None:
    command = (
        "python3 -m pip install --quiet --index-url https://me:secret@host/simple 'torch==2.7.0'"
        " 'pandas[all]>=2,<3' git+https://host/x.git  && pip install ./local numpy && echo done==1"
    )
    content = (
        HEAD + f'  executors: {{exec-a: {{container: {{command: [sh, "{command}"]}}}}}}'.encode()
    )
    facts = read(PATH, content)
    assert {item.name: item.value for item in facts.environment} == {
        "torch": "2.7.0", "pandas": ">=2,<3", "numpy": "unpinned",
    }  # fmt: skip
    assert "secret" not in repr(facts)


@pytest.mark.parametrize(
    "content", [b"a: 1\n", b"schemaVersion: 1\nroot: 2\ndeploymentSpec: 3\n", b"not: [yaml"]
)
def test_other_yaml_is_no_pipeline_and_no_error(content: bytes) -> None:
    facts = collect(make_kit(None), {"k8s/deploy.yaml": content})
    assert facts.missing == ()
    assert facts.lineage == ()


def test_a_broken_pipeline_is_said(real: bytes) -> None:
    (missing,) = read(PATH, real.replace(b"root:", b"root: [")).missing
    assert missing.startswith("pipeline.yaml: not valid YAML: line ")


def test_hostile_fields_are_absent_or_clean() -> None:
    content = (
        HEAD
        + b"""  executors:
    "\\e[2J":
      container: {image: "\\e[31m", resources: 3, command: [1, "pip install '", "pip install \\e"]}
    exec-b: [1]
    exec-c:
      container: {image: [x], command: "pip install x", resources: {accelerator: {type: [1]}}}
pipelineInfo: {name: "\\e"}
sdkVersion: {a: 1}
"""
    )
    facts = read(PATH, content)
    assert is_clean(facts)
    assert [(item.group, item.name) for item in facts.environment] == [("image", "\\x1b[2J")]


def test_a_changed_pipeline_shows(real: bytes) -> None:
    rows = differing(*changed(PATH, real, b"pandas==2.5.0", b"pandas==2.6.0"), "environment")
    assert {name: (row.a, row.b) for name, row in rows.items()} == {"pandas": ("2.5.0", "2.6.0")}
    rows = differing(
        *changed(PATH, real, b"defaultValue: 0.01", b"defaultValue: 0.5"), "parameters"
    )
    assert (rows["lr"].a, rows["lr"].b) == (0.01, 0.5)
    rows = differing(*changed(PATH, real, b"@sha256:" + b"a" * 64, b""), "environment")
    assert rows["image train"].b == "python:3.11-slim (not pinned)"
    rows = differing(*changed(PATH, real, b"return 0.5", b"return 0.6"), "lineage")
    assert list(rows) == ["pipeline"]
