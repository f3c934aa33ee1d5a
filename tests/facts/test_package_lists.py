"""Lists of packages as the real tools write them, hostile ones, and what moves in a comparison."""

from __future__ import annotations

import importlib
import json
import random
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rolldeck.compare import Version, compare
from rolldeck.facts import Facts, collect
from rolldeck.facts.load import load_json, load_toml, load_yaml
from rolldeck.facts.readers import PACKAGE_READERS, read_files
from tests.compare.rows import changed
from tests.facts.kits import make_kit
from tests.golden_kits import layer_files, load_kit

FILES = Path(__file__).parent / "files"
UV = {
    "cloudpickle": "3.1.2",
    "colorama": "0.4.6",
    "iniconfig": "2.3.1 in dev",
    "joblib": "1.6.0",
    "threadpoolctl": "3.5.0 if python_full_version < '3.13'"
    " or 3.6.0 if python_full_version >= '3.13'",
    "typing-extensions": "4.16.0",
}
WINDOWS = 'if sys_platform == "win32"'
INSTALLED = {
    "joblib": "1.5.2",
    "packaging": "26.3",
    "pip": "26.3",
    "setuptools": "84.2.1",
    "threadpoolctl": "3.6.0",
    "typing-extensions": "4.16.0",
    "wheel": "0.48.0",
}
BY_PLATFORM = {
    "_libgcc_mutex": "0.1",
    "joblib": "1.5.2",
    "numpy": "2.2.1 on linux-64 or 2.2.0 on osx-arm64",
    "threadpoolctl": "3.6.0",
}
CUDA = "2.5.1 py3.11_cuda12.4_cudnn9.1.0_0"

PACKAGES: dict[str, dict[str, str]] = {
    "uv.lock": UV,
    "pylock.toml": UV | {"colorama": "0.4.6 if sys_platform == 'win32'", "iniconfig": "2.3.1"},
    "poetry.lock": UV
    | {"colorama": f"0.4.6 {WINDOWS}", "threadpoolctl": '3.5.0 if python_version < "3.13"'},
    "pdm.lock": {
        "colorama": f"0.4.6 {WINDOWS}",
        "iniconfig": "2.3.1 in dev",
        "joblib": "1.6.0",
        "scorer-tools": "0.1 @ https://git.example/acme/scorer-tools.git@ee00d9c",
    },
    "Pipfile.lock": {
        "cloudpickle": "3.1.2",
        "joblib": "1.6.0",
        "threadpoolctl": "3.5.0",
        "iniconfig": "2.3.1 in dev",
    },
    "pixi.lock": BY_PLATFORM,
    "conda-lock.yml": BY_PLATFORM | {"pytest": "8.4.0 in dev"},
    "pip-inspect.json": INSTALLED,
    "pip-freeze.txt": INSTALLED,
    "requirements-pip-tools.txt": {"cloudpickle": "3.1.2", "joblib": "1.6.0"},
    "requirements-uv.txt": {
        "cloudpickle": "3.1.2",
        "joblib": "1.6.0",
        "threadpoolctl": "3.5.0",
        "typing-extensions": "4.16.0",
    },
    "bom.cdx.json": INSTALLED,
    "bom-uv.cdx.json": UV | {"iniconfig": "2.3.1", "threadpoolctl": "3.5.0 or 3.6.0"},
    "bom.spdx.json": {
        "lib4sbom": "0.10.4",
        "pyyaml": "6.0.3",
        "semantic-version": "2.10.0",
        "defusedxml": "0.7.1",
        "fastjsonschema": "2.22.3",
        "jsonschema": "4.26.0",
    },
    "environment.yml": {
        "_libgcc_mutex": "0.1",
        "ca-certificates": "2024.7.4",
        "pytorch": CUDA,
        "ruamel-yaml": "0.18.6",
        "threadpoolctl": "3.5.0",
    },
    "conda-explicit.txt": {"_libgcc_mutex": "0.1", "pytorch": CUDA, "joblib": "1.5.2"},
    "conda-export.txt": {"_libgcc_mutex": "0.1", "joblib": "1.5.2"},
    "Dockerfile": {"threadpoolctl": "3.5.0", "joblib": ">=1.4", "numpy": "2.2.1"},
}
"""What each file lists."""

REGISTRY = "https://registry.example/simple"
CHANNEL = "https://conda.example/conda-forge"
PLATFORMS = "linux-64, osx-arm64"
LISTS: dict[str, dict[str, str]] = {
    "uv.lock": {"completeness": "lock", "hashes": "all", "index": REGISTRY},
    "pylock.toml": {"completeness": "lock", "hashes": "all", "index": REGISTRY},
    "poetry.lock": {"completeness": "lock", "hashes": "all", "index": REGISTRY},
    "pdm.lock": {"completeness": "lock", "hashes": "all"},
    "Pipfile.lock": {"completeness": "lock", "hashes": "all", "index": REGISTRY},
    "pixi.lock": {
        "completeness": "lock",
        "hashes": "5 of 7",
        "index": f"{CHANNEL}/",
        "platforms": PLATFORMS,
    },
    "conda-lock.yml": {
        "completeness": "lock",
        "hashes": "all",
        "index": CHANNEL,
        "platforms": PLATFORMS,
    },
    "pip-inspect.json": {"completeness": "freeze"},
    "pip-freeze.txt": {"completeness": "freeze", "hashes": "none"},
    "requirements-pip-tools.txt": {"completeness": "lock", "hashes": "all"},
    "requirements-uv.txt": {"completeness": "lock", "hashes": "all"},
    "bom.cdx.json": {"completeness": "sbom", "hashes": "none"},
    "bom-uv.cdx.json": {"completeness": "sbom", "hashes": "all"},
    "bom.spdx.json": {"completeness": "sbom", "hashes": "none"},
    "environment.yml": {"completeness": "freeze", "index": "pytorch, conda-forge"},
    "conda-explicit.txt": {
        "completeness": "freeze",
        "hashes": "all",
        "index": CHANNEL,
        "platforms": "linux-64",
    },
    "conda-export.txt": {"completeness": "freeze", "platforms": "linux-64"},
    "Dockerfile": {"completeness": "requested"},
}
"""What is known of each list."""

PYTHON = {
    "uv.lock": {"requires": ">=3.11"},
    "pylock.toml": {"requires": ">=3.11"},
    "poetry.lock": {"requires": ">=3.11"},
    "pdm.lock": {"requires": ">=3.11"},
    "Pipfile.lock": {"requires": "==3.11.*"},
    "pixi.lock": {"version": "3.11.7"},
    "conda-lock.yml": {"version": "3.11.7"},
    "pip-inspect.json": {"version": "3.11.7", "implementation": "cpython"},
    "environment.yml": {"version": "3.11.7"},
    "conda-explicit.txt": {"version": "3.11.7"},
    "conda-export.txt": {"version": "3.11.7"},
}
"""What each file says of Python; nothing where it is not here."""


def read(name: str, data: bytes | None = None) -> Facts:
    """Read one file alone."""
    (facts,) = read_files({name: (FILES / name).read_bytes() if data is None else data})
    return facts


def group(facts: Facts, name: str) -> dict[str, str]:
    """Return the facts of a group by name."""
    return {item.name: item.value for item in facts.environment if item.group == name}


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


# Hostile files.

JUNK = (b"", b"\x00", b"\xff\xfe\x00", b"[" * 100_000, b"{}", b"[]", b"~", b"- a\n", b'"x"')


@pytest.mark.parametrize("name", [*PACKAGES, "python_env.yaml", "conda.yaml", "MLmodel"])
def test_what_is_no_such_file_is_said_or_empty(name: str) -> None:
    for junk in JUNK:
        assert not read(name, junk).packages


@pytest.mark.parametrize("name", PACKAGES)
def test_damaged_files_never_raise(name: str) -> None:
    randomness, content = random.Random(7), (FILES / name).read_bytes()
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(randomness.randint(1, 6)):
            damaged[randomness.randrange(len(damaged))] = randomness.randrange(256)
        read(name, bytes(damaged[: randomness.randint(0, len(damaged))]))


def parser(name: str) -> tuple[ModuleType, str]:
    """Return the module that reads a structured file, and by what it parses."""
    kind = {"json": "load_json", "toml": "load_toml"}.get(name.rpartition(".")[2])
    kind = kind or ("load_toml" if name in ("uv.lock", "poetry.lock", "pdm.lock") else "load_yaml")
    kind = "load_json" if name == "Pipfile.lock" else kind
    reader = next(
        reader
        for patterns, reader in PACKAGE_READERS
        if any(fnmatchcase(name.lower(), pattern) for pattern in patterns.split())
    )
    return importlib.import_module(reader.__module__), kind


STRUCTURED = [name for name in PACKAGES if not name.endswith((".txt", "Dockerfile"))]


@pytest.mark.parametrize("name", STRUCTURED)
def test_fields_of_wrong_types_cost_only_themselves(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, kind = parser(name)
    loaders: dict[str, Any] = {"load_json": load_json, "load_toml": load_toml,
                               "load_yaml": lambda data: load_yaml(data, as_text=True)}  # fmt: skip
    content, randomness = (FILES / name).read_bytes(), random.Random(11)
    for _ in range(60):
        document = loaders[kind](content)
        swap(document, randomness)
        monkeypatch.setattr(module, kind, lambda *_, found=document, **__: found)
        for item in read(name, content).environment:
            assert "\u202e" not in item.name + item.value
            assert "\n" not in item.value


def swap(document: Any, randomness: random.Random) -> None:
    """Put something of another type into one place of a document, anywhere."""
    wrong = [None, True, 7, 1e400, "\u202e\n", [], {}, [[1]], [None], {"a": {"b": []}}, "x" * 9000]
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        places += [(node, key) for key in keys]
        waiting += [node[key] for key in keys if isinstance(node[key], (dict, list))]
    for _ in range(randomness.randint(1, 5)):
        node, key = randomness.choice(places)
        node[key] = randomness.choice(wrong)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("requirements.txt", "-i https://u:canary@h.example/simple\na @ https://u:canary@h/a.zip"),
        ("uv.lock", '[[package]]\nname="a"\nversion="1"\nsource={git="https://u:canary@h/a#1"}'),
        ("pylock.toml", '[[packages]]\nname="a"\nindex="https://u:canary@h/s"\nversion="1"'),
        ("Pipfile.lock", json.dumps({"_meta": {"sources": [{"url": "https://u:canary@h/s"}]},
                                     "default": {"a": {"git": "https://u:canary@h/a"}}})),
        ("environment.yml", "channels: [https://u:canary@h/c]\ndependencies: [a=1]\n"
                            "variables: {DB: 'postgres://u:canary@h/d', API_KEY: canary}"),
        ("Dockerfile", "FROM h.example/a:1\nENV A=https://u:canary@h/ PASSWORD=canary"),
        ("conda-explicit.txt", "@EXPLICIT\nhttps://u:canary@h/c/linux-64/a-1-0.conda"),
        ("poetry.lock", '[[package]]\nname="a"\nversion="1"\n[package.source]\ntype="git"\n'
                        'url="https://u:canary@h/a"\nresolved_reference="c1"'),
        ("pip-inspect.json", json.dumps({"installed": [{"metadata": {"name": "a", "version": "1"},
                                         "direct_url": {"url": "https://u:canary@h/a"}}]})),
    ],
)  # fmt: skip
def test_credentials_are_not_shown(name: str, content: str) -> None:
    facts = read(name, content.encode())
    assert facts.environment
    assert "canary" not in repr(facts)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("uv.lock", '[[package]]\nname = "a"\nversion = "1"\n' * 30_000),
        ("requirements.txt", "\n".join(f"a{n}==1" for n in range(60_000))),
        ("environment.yml", "dependencies:\n" + "- a=1\n" * 60_000),
        ("Dockerfile", "FROM a\n" + "ENV A=1\nRUN pip install a==1 <<EOF\n" * 20_000),
        ("bom.cdx.json", '{"bomFormat":"CycloneDX","components":['
                         + ",".join('{"type":"library","name":"a"}' for _ in range(30_000)) + "]}"),
    ],
)  # fmt: skip
def test_long_files_are_bounded(name: str, content: str) -> None:
    assert len(read(name, content.encode()).environment) <= 20_010


def test_a_list_of_conda_that_is_called_requirements() -> None:
    content = (FILES / "conda-export.txt").read_bytes()
    assert group(read("requirements.txt", content), "package") == PACKAGES["conda-export.txt"]


def test_requirements_redirected_by_a_windows_shell() -> None:
    content = (FILES / "pip-freeze.txt").read_text().encode("utf-16")
    assert group(read("requirements.txt", content), "package") == INSTALLED
