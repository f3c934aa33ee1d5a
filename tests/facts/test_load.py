"""Files of other tools as plain values: what they mean, and where reading them stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rolldeck.facts import load
from rolldeck.facts.load import UnreadableFile, load_json, load_toml, load_yaml

BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)
)


def test_anchors_and_merge_keys_are_expanded() -> None:
    document = b"base: &b {lr: 0.1, epochs: 5}\nrun: {<<: *b, epochs: 7}\nlist: {<<: [*b, {z: 1}]}"
    assert load_yaml(document) == {
        "base": {"lr": 0.1, "epochs": 5},
        "run": {"lr": 0.1, "epochs": 7},
        "list": {"lr": 0.1, "epochs": 5, "z": 1},
    }


def test_scalars_mean_what_they_mean_in_a_kitfile() -> None:
    document = b"on: on\nrate: 1e-4\ntime: 12:30:45\nno: ~\nquoted: '1'\nyes: true"
    assert load_yaml(document) == {
        "on": "on", "rate": 1e-4, "time": "12:30:45", "no": None, "quoted": "1", "yes": True,
    }  # fmt: skip


def test_scalars_as_text_stay_as_they_are_written() -> None:
    found = load_yaml(b"python: 3.10\ndate: 2024-01-02\nbig: 0x10\nnone: null", as_text=True)
    assert found == {"python": "3.10", "date": "2024-01-02", "big": "0x10", "none": None}


def test_tags_make_no_objects() -> None:
    assert load_yaml(b"a: !!python/object/apply:os.system ['true']") == {"a": ["true"]}
    assert load_yaml(b"a: !!str 3") == {"a": "3"}


def test_only_the_first_document_is_read() -> None:
    assert load_yaml(b"a: 1\n---\nb: [") == {"a": 1}
    assert load_yaml(b"") is None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (BOMB, "holds more than 200000 values"),
        (b"a: [" + b"x, " * 200_000 + b"]", "holds more than 200000 values"),
        (b"- " * 70 + b"x", "nested deeper than 64"),
        (b"[" * 100_000, "nested deeper than 64"),
        (b"a: &a [*a]", "an alias without its anchor"),
        (b"a: *b", "an alias without its anchor"),
        (b"? [a]\n: 1", "line 1: a key is no text"),
        (b"a: b: c", "line 1: "),
        (b"\xff\xfe\x00", "not valid YAML"),
    ],
)
def test_hostile_yaml(data: bytes, problem: str) -> None:
    with pytest.raises(UnreadableFile, match=problem):
        load_yaml(data)


def test_a_bomb_of_merge_keys_stops() -> None:
    wide = b"a0: &a0 {" + b", ".join(b"k%d: 1" % n for n in range(5000)) + b"}\n"
    data = wide + b"".join(b"b%d: {<<: *a0}\n" % n for n in range(100))
    with pytest.raises(UnreadableFile, match="holds more than"):
        load_yaml(data)


def test_composing_stops_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "SECONDS", -1.0)
    assert load_yaml(b"a: 1") == {"a": 1}
    with pytest.raises(UnreadableFile, match="takes longer"):
        load_yaml(b"- x\n" * 5000)


@pytest.mark.parametrize("loader", [load_json, load_toml, load_yaml])
def test_size_is_limited(loader: Callable[[bytes], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "SIZE_LIMIT", 10)
    with pytest.raises(UnreadableFile, match="larger than 10 bytes"):
        loader(b"[1, 2, 3, 4]")


@pytest.mark.parametrize("data", [b"a = [" * 5000, b"a = 1\na = 2", b"\xff", b"a = " + b"9" * 9000])
def test_hostile_toml(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="not valid TOML: "):
        load_toml(data)


@pytest.mark.parametrize(
    "data",
    [b"a." * 500_000 + b"b = 1", b"[" + b"'a' . " * 40 + b"b]", b"x = {" + b'"a".' * 40 + b"b=1}"],
)
def test_long_dotted_keys_are_not_read(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="not read: a key of more than 32 parts"):
        load_toml(data)


def test_text_with_many_points_is_no_long_key() -> None:
    assert load_toml(b"a = '" + b"." * 100 + b"'\nb.c.d = 1") == {
        "a": "." * 100,
        "b": {"c": {"d": 1}},
    }


@pytest.mark.parametrize("data", [b"[" * 100_000, b"{", b"\xff", b"9" * 9000])
def test_hostile_json(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="not valid JSON: "):
        load_json(data)
