"""A local Kitfile reads as kit reads it, and becomes the config that kit writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolldeck.errors import UsageError
from rolldeck.kit.kitfile import config_json, read_kitfile
from rolldeck.kit.strict_yaml import load_yaml


def free(text: str) -> Any:
    """Return what ``text`` means below ``model.parameters``."""
    return read_kitfile(f"model:\n  parameters:\n    k: {text}\n".encode())["model"]["parameters"][
        "k"
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("true", True),
        ("1e-4", 0.0001),
        ("1.2e+3", 1200.0),
        ("12:30:45", "12:30:45"),
        ("017", 15),
        ("0o17", 15),
        ("08", 8.0),
        ("0xFF", 255),
        ("-0b11", -3),
        ("1_000", 1000),
        ("9007199254740993", 9007199254740993),
        ("18446744073709551616", 1.8446744073709552e19),
        ("~", None),
        (".5", 0.5),
        ("1.10", 1.1),
        ("1e999", "1e999"),
        ("<<x", "<<x"),
        ("2024-01-02", "2024-01-02T00:00:00Z"),
        ("2024-1-2 3:4:5.60", "2024-01-02T03:04:05.6Z"),
        ("2024-01-02T03:04:05+02:00", "2024-01-02T03:04:05+02:00"),
        ("2024-02-30", "2024-02-30"),
        ("'017'", "017"),
        ('"on"', "on"),
        ("[1, x, {a: ~}]", [1, "x", {"a": None}]),
    ],
)
def test_free_values(text: str, value: Any) -> None:
    found = free(text)
    assert found == value
    assert type(found) is type(value)


def test_text_fields_keep_their_text() -> None:
    kitfile = read_kitfile(
        b"manifestVersion: 1.0\npackage:\n  version: 1.10\n  name: on\n  license: ~\n"
        b"  authors: [1, 017, null]\ncode: [null, {path: 2024-01-02}]\ndocs:\n"
    )
    assert kitfile == {
        "manifestVersion": "1.0",
        "package": {"version": "1.10", "name": "on", "authors": ["1", "017"]},
        "code": [{"path": "2024-01-02"}],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x 1\n", "line 1: anchors"),
        ("a: 1\nb: *x\n", "line 2"),
        ("model:\n  parameters:\n    <<: {a: 1}\n", "line 3: merge keys"),
        ("package: !!map {}\n", "line 1: tags"),
        ("package: {name: !x y}\n", "line 1: tags"),
        ("model: {}\npackage: {}\nmodel: {}\n", "line 3: the key model stands already in line 1"),
        ("model:\n  parameters: {1: x}\n", "line 2: the key 1 is not text"),
        ("model:\n  parameters: {2024-01-02: x}\n", "line 2: the key 2024-01-02 is not text"),
        ("model:\n  parameters: {[a]: x}\n", "line 2: a key must be text"),
        ("metrics: {}\n", "line 1: unknown field metrics"),
        ("package:\n  foo: 1\n", "line 2: unknown field foo"),
        ("package: x\n", "line 1: a mapping"),
        ("package: {name: []}\n", "line 1: name must be text"),
        ("code: {}\n", "line 1: code must be a list"),
        ("package: {authors: [[x]]}\n", "line 1: authors must be a list of texts"),
        ("a: [\n", "line 2"),
        ("a: 'x\n", "line"),
        ("a: 1\n---\nb: 1\n", "line 2: a second document"),
        ("a: " + "[" * 40 + "]" * 40, "line 1: nested deeper"),
        ("- x\n" * 21_000, "over 20000"),
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("a: \x07\n", "not YAML"),
    ],
)
def test_errors_name_the_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_kitfile(text.encode())
    assert message in caught.value.message
    assert caught.value.reference == "Kitfile"


def test_size_and_encoding() -> None:
    with pytest.raises(UsageError, match="larger than 256 KiB"):
        read_kitfile(b" " * (256 * 1024 + 1))
    with pytest.raises(UsageError, match="line 2: not UTF-8"):
        read_kitfile(b"a: 1\nb: \xff\n")
    assert load_yaml("\ufeffa: 1\n".encode(), "x").plain() == {"a": 1}


def test_bombs_stop_early() -> None:
    for text in (
        "a: &a [x]\nb: [*a, *a]\n",
        "a: " + "{b: " * 20_000,
        "\n".join(f"k{number}: 1" for number in range(21_000)),
    ):
        with pytest.raises(UsageError):
            load_yaml(text.encode(), "bomb")


def test_config_is_written_as_go_does() -> None:
    kitfile = {
        "docs": [{"description": "x"}],
        "model": {
            "parameters": {"b": 1e21, "a": [1e-7, 0.1, 5e-324, 1.0, -0.0, 2**63], "é": "<&>\u2028"},
            "name": 'q"\\\b\x01\x7fé🚀',
        },
        "package": {},
    }
    assert config_json(kitfile, [("sha256:m", "sha256:m"), None]).decode() == (
        '{"manifestVersion":"","package":{},'
        '"model":{"name":"q\\"\\\\\\b\\u0001\x7fé🚀","parameters":{'
        '"a":[1e-7,0.1,5e-324,1,-0,9223372036854775808],"b":1e+21,'
        '"é":"\\u003c\\u0026\\u003e\\u2028"},"digest":"sha256:m","diffId":"sha256:m"},'
        '"docs":[{"path":"","description":"x"}]}'
    )
    assert "digest" not in kitfile["model"]
    assert json.loads(config_json({}))["package"] == {}


def test_numbers_that_json_cannot_hold() -> None:
    for text in (".nan", ".inf", "-.Inf"):
        with pytest.raises(UsageError):
            config_json({"model": {"parameters": free(text)}})
