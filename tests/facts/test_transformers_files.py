"""Settings and tokenizer that transformers, peft and tokenizers save beside a model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from rolldeck.facts import collect, tokenizer
from rolldeck.facts.transformers_files import read
from tests.facts.comparing import changed, differing
from tests.facts.kits import is_clean, lineage_of, make_kit

V1, V2 = (Path(__file__).parent / "huggingface_files" / version for version in ("v1", "v2"))
"""What transformers 5.23.0 and tokenizers 0.23.3 wrote."""


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_real_settings_are_read() -> None:
    config = {
        item.name: item.value for item in read("config.json", files(V1)["config.json"]).parameters
    }
    assert config["config.architectures[0]"] == "BertForSequenceClassification"
    assert config["config.num_hidden_layers"] == 2
    assert config["config.dtype"] == "float32"
    assert config["config.id2label.1"] == "yes"
    assert "config.transformers_version" not in config
    facts = collect(make_kit(None), files(V1))
    assert lineage_of(facts)["transformers version"] == "5.23.0"
    found = {item.name: item.value for item in facts.parameters}
    assert found["generation_config.temperature"] == 0.7


def test_an_adapter_names_its_base() -> None:
    content = json.dumps({
        "base_model_name_or_path": "acme/base", "revision": "abc", "r": 8, "peft_version": "0.18.0",
    }).encode()  # fmt: skip
    facts = read("adapter/adapter_config.json", content)
    assert {item.name: item.value for item in facts.lineage} == {
        "base model": "acme/base", "base model revision": "abc", "peft version": "0.18.0",
    }  # fmt: skip
    assert [(item.name, item.value) for item in facts.parameters] == [("adapter_config.r", 8)]


def test_a_real_tokenizer_is_read() -> None:
    given = files(V1)
    facts = collect(make_kit(None), given)
    found = {item.name: item.value for item in facts.tokenizer}
    assert found["vocabulary"] == 40
    assert found["model"] == "BPE"
    assert found["pre-tokenizer"] == "Whitespace"
    digest = hashlib.sha256(given["tokenizer.json"]).hexdigest()
    assert found["content"] == f"sha256:{digest}"
    assert found["tokenizer_class"] == "TokenizersBackend"
    assert found["model_max_length"] == 128
    assert found["pad_token"] == "[PAD]"
    template = hashlib.sha256(given["chat_template.jinja"]).hexdigest()
    assert found["chat template"] == f"sha256:{template}"
    assert {item.source for item in facts.tokenizer} == {
        "tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
    }  # fmt: skip


def test_a_template_is_the_same_wherever_it_stands() -> None:
    config = json.dumps({"chat_template": "{{ x }}"}).encode()
    (inside,) = tokenizer.read_config("tokenizer_config.json", config).tokenizer
    (beside,) = tokenizer.read_template("chat_template.jinja", b"{{ x }}").tokenizer
    assert inside.value == beside.value


@pytest.mark.parametrize(
    ("vocabulary", "added", "size"),
    [({"a": 0, "b": 1}, [{"content": "b"}, {"content": "c"}], 3),
     ([["a", -1.0], ["b", -2.0]], [], 2),
     ([[["x"], 1], "y", []], [{"content": 3}, 4], 0), ("text", [], None), (None, None, None)],
)  # fmt: skip
def test_vocabularies_of_every_model_are_counted(
    vocabulary: object, added: object, size: int | None
) -> None:
    content = json.dumps({"model": {"vocab": vocabulary}, "added_tokens": added}).encode()
    facts = tokenizer.read("tokenizer.json", content)
    assert {item.name: item.value for item in facts.tokenizer}.get("vocabulary") == size


@pytest.mark.parametrize(
    "path",
    ["config.json", "generation_config.json", "adapter_config.json", "tokenizer.json",
     "tokenizer_config.json"],
)  # fmt: skip
@pytest.mark.parametrize("content", [b"", b"[1]", b"3", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_said(path: str, content: bytes) -> None:
    facts = collect(make_kit(None), {path: content})
    assert [remark for remark in facts.missing if remark.startswith(f"{path}: ")]


def test_hostile_fields_are_absent_or_clean() -> None:
    hostile = {
        "\x1b[2J": "\x1b", "transformers_version": [1], "_name_or_path": "https://a:secret@host/x",
        "chat_template": [3, {"template": "\ud800"}], "pad_token": {"content": [1]},
        "model_max_length": 10**400, "deep": {"a": [{}] * 3}, "nan": float("nan"),
    }  # fmt: skip
    content = json.dumps(hostile).encode()
    told = [read("config.json", content), tokenizer.read_config("tokenizer_config.json", content)]
    assert is_clean(told)
    assert "secret" not in repr(told)
    assert {item.name: item.value for item in told[0].parameters}["config.nan"] == "NaN"


def test_changed_settings_show() -> None:
    rows = differing(files(V1), files(V2), "parameters")
    assert {name: (row.a, row.b) for name, row in rows.items()} == {
        "config.num_hidden_layers": (2, 3), "generation_config.temperature": (0.7, 0.9),
    }  # fmt: skip


def test_a_changed_tokenizer_shows() -> None:
    rows = differing(files(V1), files(V2), "signature")
    assert set(rows) == {"tokenizer content", "tokenizer vocabulary"}
    assert (rows["tokenizer vocabulary"].a, rows["tokenizer vocabulary"].b) == (40, 44)
    path = "tokenizer_config.json"
    rows = differing(*changed(path, files(V1)[path], b"128", b"256"), "signature")
    assert (rows["tokenizer model_max_length"].a, rows["tokenizer model_max_length"].b) == (
        128,
        256,
    )
    rows = differing({"chat_template.jinja": b"a"}, {"chat_template.jinja": b"b"}, "signature")
    assert list(rows) == ["tokenizer chat template"]


def test_a_tokenizer_on_one_side_is_unknown() -> None:
    rows = differing({"tokenizer.json": b"{}"}, {"x": b""}, "signature")
    assert [(row.a, row.b, row.verdict) for row in rows.values()] == [
        ("found", "not found", "unknown")
    ]
