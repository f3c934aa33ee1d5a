"""The tokenizer beside a language model: what turns text into the model's input.

``tokenizer.json`` of tokenizers is known by the digest of its content and by its vocabulary's
size, ``tokenizer_config.json`` of transformers by its settings. A chat template is known by digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import entries, mapping, name, objects, scalar, text
from rolldeck.facts.load import UnreadableFile, load_json
from rolldeck.facts.model import Facts, LineageFact, Parameter, Value
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line

_PLACES = frozenset(
    {"name_or_path", "_name_or_path", "tokenizer_file", "vocab_file", "merges_file", "cache_dir"}
)
"""Settings that say where a tokenizer lay when it was saved."""
_TEMPLATE = "chat_template"


@tolerant
def read(path: str, data: bytes) -> Facts:
    """Read ``tokenizer.json``."""
    source, document = clean_line(path), load_json(data)
    if not isinstance(document, dict):
        raise UnreadableFile("holds no tokenizer")
    model = mapping(document.get("model"))
    found = {
        "content": _digest(data),
        "model": text(model.get("type")),
        "vocabulary": _vocabulary(model.get("vocab"), document.get("added_tokens")),
        "normalizer": text(mapping(document.get("normalizer")).get("type")),
        "pre-tokenizer": text(mapping(document.get("pre_tokenizer")).get("type")),
    }
    return Facts(
        tokenizer=tuple(
            Parameter(label, value, source) for label, value in found.items() if value is not None
        )
    )


def _vocabulary(vocabulary: Any, added: Any) -> int | None:
    """Return how many tokens there are, those that were added among them."""
    if isinstance(vocabulary, dict):
        known = set(vocabulary)
    elif isinstance(vocabulary, list):
        known = {item[0] for item in vocabulary if isinstance(item, list) and _is_text(item[:1])}
    else:
        return None
    extra = {item["content"] for item in objects(added) if isinstance(item.get("content"), str)}
    return len(known | extra)


def _is_text(values: list[Any]) -> bool:
    return bool(values) and isinstance(values[0], str)


@tolerant
def read_config(path: str, data: bytes) -> Facts:
    """Read ``tokenizer_config.json``."""
    source, document = clean_line(path), load_json(data)
    if not isinstance(document, dict):
        raise UnreadableFile("holds no settings of a tokenizer")
    version = text(document.get("transformers_version"))
    return Facts(
        tokenizer=tuple(Parameter(label, value, source) for label, value in _settings(document)),
        lineage=(LineageFact("transformers version", version, source),) if version else (),
    )


def _settings(document: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    for key, value in entries(document):
        label = name(key)
        if label is None or key in _PLACES or key == "transformers_version":
            continue
        if key == _TEMPLATE:
            yield "chat template", _digest(_template(value))
        elif isinstance(value, dict) and isinstance(value.get("content"), str):
            yield label, scalar(value["content"])
        elif not isinstance(value, (dict, list)):
            yield label, scalar(value)
        elif label == "added_tokens_decoder":
            yield "added tokens", len(value)


def _template(value: Any) -> bytes:
    """Return a template's text; of several by name, all of them."""
    parts = [value] if isinstance(value, str) else [item.get("template") for item in objects(value)]
    joined = "\0".join(part for part in parts if isinstance(part, str))
    return joined.encode("utf-8", errors="surrogatepass")


@tolerant
def read_template(path: str, data: bytes) -> Facts:
    """Read ``chat_template.jinja``: known by digest alone, which is that of the same template in
    ``tokenizer_config.json``."""
    return Facts(tokenizer=(Parameter("chat template", _digest(data), clean_line(path)),))


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
