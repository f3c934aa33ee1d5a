"""The unpacked Kitfile is byte for byte the one that kit writes."""

from __future__ import annotations

from typing import Any

import pytest

from rolldeck.errors import IntegrityError
from rolldeck.kit.go_yaml import sorted_keys
from rolldeck.kit.kitfile_yaml import kitfile_yaml
from tests.kit.golden_kits import EXPECTED, GoldenVersion

WITH_KITFILE = [stem for stem in EXPECTED if GoldenVersion(stem).expected.get("kit_unpack_kitfile")]


@pytest.mark.parametrize("stem", WITH_KITFILE)
def test_golden_kitfile(stem: str) -> None:
    expected = GoldenVersion(stem).expected
    written = kitfile_yaml(expected["kit_inspect"]["kitfile"])
    assert written.decode() == expected["kit_unpack_kitfile"]


def parameters(value: Any) -> str:
    """Return how a value stands below ``model.parameters``."""
    text = kitfile_yaml({"manifestVersion": "1", "model": {"parameters": value}}).decode()
    return text.removeprefix('manifestVersion: "1"\nmodel:\n  parameters:').rstrip("\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain text", " plain text"),
        ("", ' ""'),
        ("y", ' "y"'),
        ("on", ' "on"'),
        ("null", ' "null"'),
        ("1.10", ' "1.10"'),
        ("017", ' "017"'),
        ("0o17", ' "0o17"'),
        ("1e-4", ' "1e-4"'),
        ("12:30:45", ' "12:30:45"'),
        ("2024-01-02", ' "2024-01-02"'),
        ("1.2.3", " 1.2.3"),
        ("a: b", " 'a: b'"),
        ("a #b", " 'a #b'"),
        ("it's", " it's"),
        ("'quoted", " '''quoted'"),
        (" lead", " ' lead'"),
        ("[x]", " '[x]'"),
        ("tab\there", ' "tab\\there"'),
        ("back\\slash", " back\\slash"),
        ("Zoë", " Zoë"),
        ("🚀", ' "\\U0001F680"'),
        ("a\u2028b", " 'a\u2028    b'"),
        ("\ufeffa", ' "\\uFEFF\\x61"'),
        ("two\nlines", " |-\n    two\n    lines"),
        ("two\nlines\n", " |\n    two\n    lines"),
        ("\nlead", " |2-\n\n    lead"),
        ("trail \nx ", ' "trail \\nx "'),
        (True, " true"),
        (None, ""),
        (0.00001, " 1e-05"),
        (12345678, " 1.2345678e+07"),
        (999999, " 999999"),
        (1.0, " 1"),
        ([], " []"),
        ({}, " {}"),
        ([[1, [2]], {}], "\n    - - 1\n      - - 2\n    - {}"),
        ({"a": {"b": [{"c": 1}]}}, "\n    a:\n      b:\n        - c: 1"),
        ({"k" * 129: 1}, f"\n    ? {'k' * 129}\n    : 1"),
        ({"a\nb": {"c": 1}}, "\n    ? |-\n      a\n      b\n    : c: 1"),
    ],
)
def test_free_values(value: Any, text: str) -> None:
    written = parameters(value)
    if value is None:
        assert "parameters" not in written
    else:
        assert written == text


def test_fields_are_in_order_and_unknown_ones_dropped() -> None:
    kitfile = {
        "docs": [{"description": "d", "digest": "sha256:x"}],
        "unknown": 1,
        "model": {"parts": [{"type": "t", "name": "n"}], "path": "p", "other": {}},
        "package": {"authors": ["a, b", "", "n"], "name": None},
        "code": [],
        "datasets": None,
    }
    assert kitfile_yaml(kitfile).decode() == (
        'manifestVersion: ""\n'
        "package:\n"
        '  authors: [\'a, b\', "", "n"]\n'
        "model:\n"
        "  path: p\n"
        "  parts:\n"
        '    - name: "n"\n'
        "      type: t\n"
        "docs:\n"
        '  - path: ""\n'
        "    description: d\n"
    )


def test_keys_sort_naturally() -> None:
    assert sorted_keys(["a10", "a2", "A", "a", "_", "1", "10", "2", "a02"]) == [
        *("_", "1", "2", "10", "A", "a", "a2", "a02", "a10"),
    ]


@pytest.mark.parametrize(
    "kitfile",
    [
        {"package": []},
        {"package": {"name": 1}},
        {"package": {"authors": "x"}},
        {"package": {"authors": [1]}},
        {"model": "x"},
        {"code": {}},
        {"code": ["x"]},
        {"model": {"parameters": 10**400}},
        {"model": {"parameters": float("inf")}},
    ],
)
def test_malformed_config(kitfile: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        kitfile_yaml(kitfile)


def test_deep_values_are_refused() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    with pytest.raises(IntegrityError, match="deep"):
        kitfile_yaml({"model": {"parameters": deep}})
