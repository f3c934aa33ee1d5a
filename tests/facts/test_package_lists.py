"""Lists of packages as the real tools write them, and what moves in a comparison."""

from __future__ import annotations

import pytest

from rolldeck.compare import Version, compare
from rolldeck.facts import collect
from tests.compare.rows import changed
from tests.facts.kits import make_kit
from tests.facts.package_files import CUDA, FILES, INSTALLED, LISTS, PACKAGES, PYTHON, group, read
from tests.golden_kits import layer_files, load_kit


@pytest.mark.parametrize("name", PACKAGES)
def test_what_real_tools_write(name: str) -> None:
    facts = read(name)
    assert group(facts, "package") == PACKAGES[name]
    assert group(facts, "package list") == {"source": name, **LISTS[name]}
    assert group(facts, "python") == PYTHON.get(name, {})
    assert {item.source for item in facts.environment} == {name}


def test_every_file_has_its_expectations() -> None:
    assert {path.name for path in FILES.iterdir()} == {*PACKAGES, "README.md"}


def test_what_mlflow_writes_beside_a_model() -> None:
    name = "facts-mlflow:v1.0.0"
    layer = next(layer for layer in load_kit(name).layers if layer.kind == "model")
    files = layer_files(name, layer)
    pins = {"mlflow": "3.17.2", "cloudpickle": "3.1.2", "numpy": "2.4.6", "pandas": "3.1.1",
            "psutil": "7.2.2", "rich": "15.0.0", "scikit-learn": "1.9.1",
            "scipy": "1.17.1"}  # fmt: skip
    facts = collect(make_kit(None), files)
    assert group(facts, "package") == pins
    assert facts.packages_source == "model/requirements.txt"
    assert group(facts, "python") == {"version": "3.11.7"}
    assert facts.missing == (
        "packages: model/requirements.txt holds 8 pins, what they depend on is unknown",
    )
    conda = read("conda.yaml", files["model/conda.yaml"])
    assert group(conda, "package") == pins | {"pip": "<=23.2.1"}
    assert group(conda, "package list")["completeness"] == "requested"
    environment = read("python_env.yaml", files["model/python_env.yaml"])
    assert [(item.group, item.value) for item in environment.environment] == [("python", "3.11.7")]


def test_what_a_dockerfile_says_of_the_image() -> None:
    facts = read("Dockerfile")
    assert group(facts, "image") == {
        "base": "nvidia/cuda:12.4.1-runtime-ubuntu22.04",
        "pinned": "no",
        "cuda": "12.4.1",
    }
    assert group(facts, "variable") == {
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "2",
        "SERVICE_TOKEN": "(not shown)",
        "MODE": "serving",
    }


@pytest.mark.parametrize(
    ("content", "base", "pinned"),
    [
        ("FROM python:3.11.7@sha256:" + "a" * 64, "python:3.11.7@sha256:" + "a" * 64, "by digest"),
        ("ARG BASE\nFROM ${BASE}", "${BASE}", "unknown"),
        ("ARG BASE=a:1\nARG TAG=2\nFROM ${BASE:-b:3}-$TAG", "a:1-2", "no"),
        ("from a:1 as one\nFROM b:1 AS two\nFROM ONE", "a:1", "no"),
        ("# syntax=docker/dockerfile:1\n# escape=`\nFROM `\n\n  a:1", "a:1", "no"),
        ("FROM a:1\nRUN x \\\n# y \\\nFROM b:1", "a:1", "no"),
        ("FROM a:1\nCOPY <<EOF /x\nFROM fake:1\nEOF", "a:1", "no"),
    ],
)
def test_base_images(content: str, base: str, pinned: str) -> None:
    image = group(read("Dockerfile", content.encode()), "image")
    assert (image["base"], image["pinned"]) == (base, pinned)


@pytest.mark.parametrize(
    ("base", "fact"),
    [
        ("python:3.11-slim", ("python", "requires", "==3.11.*")),
        ("docker.example/library/python:3.12.4", ("python", "version", "3.12.4")),
        ("pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime", ("image", "cuda", "12.4")),
    ],
)
def test_what_the_name_of_an_image_tells(base: str, fact: tuple[str, str, str]) -> None:
    facts = read("Dockerfile", f"FROM {base}".encode()).environment
    assert fact in [(item.group, item.name, item.value) for item in facts]


# What moves shows in the comparison.

MUTATIONS: list[tuple[str, str, str, str, str | None, str | None]] = [
    ("uv.lock", 'version = "1.6.0"', 'version = "1.5.0"', "joblib", "1.6.0", "1.5.0"),
    ("pylock.toml", 'version = "1.6.0"', 'version = "1.7.0"', "joblib", "1.6.0", "1.7.0"),
    ("pylock.toml", '"joblib"', '"joblib2"', "joblib", "1.6.0", None),
    ("poetry.lock", 'version = "4.16.0"', 'version = "4.17"', "typing-extensions", "4.16.0",
     "4.17"),
    ("pdm.lock", "ee00d9c", "ff00d9c", "scorer-tools",
     "0.1 @ https://git.example/acme/scorer-tools.git@ee00d9c",
     "0.1 @ https://git.example/acme/scorer-tools.git@ff00d9c"),
    ("Pipfile.lock", '"==3.5.0"', '"==3.6.0"', "threadpoolctl", "3.5.0", "3.6.0"),
    ("Pipfile.lock", '"3.11"', '"3.12"', "python requires", "==3.11.*", "==3.12.*"),
    ("pixi.lock", "python-3.11.7", "python-3.12.1", "python version", "3.11.7", "3.12.1"),
    ("pixi.lock", "joblib-1.5.2", "joblib-1.5.3", "joblib", "1.5.2", "1.5.3"),
    ("conda-lock.yml", "version: 2.2.0", "version: 2.2.1", "numpy",
     "2.2.1 on linux-64 or 2.2.0 on osx-arm64", "2.2.1"),
    ("pip-inspect.json", '"3.11.7"', '"3.11.9"', "python version", "3.11.7", "3.11.9"),
    ("pip-inspect.json", '"1.5.2"', '"1.5.3"', "joblib", "1.5.2", "1.5.3"),
    ("pip-freeze.txt", "wheel==", "wheels==", "wheels", None, "0.48.0"),
    ("requirements-uv.txt", "joblib==1.6.0", "joblib==1.6.0+local", "joblib", "1.6.0",
     "1.6.0+local"),
    ("requirements-pip-tools.txt", "    --hash=sha256:2ccc", "    # --hash=sha256:2ccc",
     "package list hashes", "all", "1 of 2"),
    ("bom.cdx.json", "joblib@1.5.2", "joblib@1.5.3", "joblib", "1.5.2", "1.5.3"),
    ("bom.spdx.json", "pyyaml@6.0.3", "pyyaml@6.0.4", "pyyaml", "6.0.3", "6.0.4"),
    ("environment.yml", "py3.11_cuda12.4_cudnn9.1.0_0", "py3.11_cpu_0", "pytorch", CUDA,
     "2.5.1 py3.11_cpu_0"),
    ("environment.yml", "THREADS: 2", "THREADS: 4", "variable OMP_NUM_THREADS", "2", "4"),
    ("conda-explicit.txt", "joblib-1.5.2", "joblib-1.5.3", "joblib", "1.5.2", "1.5.3"),
    ("conda-export.txt", "joblib=1.5.2", "joblib=1.5.3", "joblib", "1.5.2", "1.5.3"),
    ("Dockerfile", "CUDA=12.4.1", "CUDA=12.6.0", "image cuda", "12.4.1", "12.6.0"),
    ("Dockerfile", "numpy==2.2.1", "numpy==2.3.0", "numpy", "2.2.1", "2.3.0"),
]  # fmt: skip


def version(label: str, files: dict[str, bytes]) -> Version:
    """Return a version that holds these files and nothing else."""
    kit = make_kit(None, {"label": label})
    return Version(label, label, kit, collect(kit, files), files)


@pytest.mark.parametrize(("name", "old", "new", "key", "before", "after"), MUTATIONS)
def test_a_mutation_shows_in_the_comparison(
    name: str, old: str, new: str, key: str, before: str | None, after: str | None
) -> None:
    content = (FILES / name).read_text()
    assert old in content
    files = {name: content.encode()}, {name: content.replace(old, new).encode()}
    rows = changed(compare(version("a", files[0]), version("b", files[1])), "environment")
    assert (rows[key].a, rows[key].b) == (before, after)


def test_every_reader_has_a_mutation() -> None:
    assert {mutation[0] for mutation in MUTATIONS} | {"bom-uv.cdx.json"} == set(PACKAGES)


def test_a_list_of_conda_that_is_called_requirements() -> None:
    content = (FILES / "conda-export.txt").read_bytes()
    assert group(read("requirements.txt", content), "package") == PACKAGES["conda-export.txt"]


def test_an_export_of_conda_that_holds_packages_of_pip_leaves_nothing_out() -> None:
    content = (FILES / "conda-export.txt").read_bytes()
    assert read("conda-export.txt", content).missing
    facts = read("conda-export.txt", content + b"decorator=4.4.1=pypi_0\n")
    assert group(facts, "package")["decorator"] == "4.4.1"
    assert not facts.missing


def test_an_explicit_list_of_files_at_hand_has_no_channel() -> None:
    content = b"@EXPLICIT\npkgs/pillow-6.2.1-py36hd70f55b_1.tar.bz2\n"
    facts = read("conda-explicit.txt", content)
    assert group(facts, "package") == {"pillow": "6.2.1"}
    assert "index" not in group(facts, "package list")


def test_requirements_redirected_by_a_windows_shell() -> None:
    content = (FILES / "pip-freeze.txt").read_text().encode("utf-16")
    assert group(read("requirements.txt", content), "package") == INSTALLED
