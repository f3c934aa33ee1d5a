"""Lists of packages that are damaged, endless, of wrong types, or hold secrets."""

from __future__ import annotations

import importlib
import json
import random
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any

import pytest

from rolldeck.facts.load import load_json, load_toml, load_yaml
from rolldeck.facts.readers import PACKAGE_READERS
from tests.facts.package_files import FILES, PACKAGES, read

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
