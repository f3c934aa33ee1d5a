"""``params.yaml`` and its like: settings by dotted path."""

from __future__ import annotations

from typing import Any

from rolldeck.facts.load import UnreadableFile, load_json, load_toml, load_yaml
from rolldeck.facts.model import Facts, Parameter
from rolldeck.facts.parameters import LIMIT, flatten
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line


def load_plain(path: str, data: bytes) -> Any:
    """Parse JSON, TOML or YAML, by the path's ending. Raises UnreadableFile."""
    if path.lower().endswith(".json"):
        return load_json(data)
    return load_toml(data) if path.lower().endswith(".toml") else load_yaml(data)


@tolerant
def read(path: str, data: bytes) -> Facts:
    """Read settings; an empty file has none."""
    document = load_plain(path, data)
    if document is None:
        return Facts()
    if not isinstance(document, dict):
        raise UnreadableFile("holds no object of parameters")
    return settings(document, clean_line(path))


def settings(document: Any, source: str, prefix: str = "") -> Facts:
    """Return every leaf of a document as a parameter; ``prefix`` stands before each path."""
    flat = flatten(document)
    remark = f"parameters: {source}: more than {LIMIT} values, the rest is not shown"
    return Facts(
        parameters=tuple(Parameter(prefix + name, value, source) for name, value in flat.leaves),
        missing=(remark,) if flat.truncated else (),
    )
