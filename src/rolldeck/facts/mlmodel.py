"""``MLmodel``: what MLflow notes of a model that it logs, with its signature as JSON in YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import entries, mapping, name, text
from rolldeck.facts.load import UnreadableFile, load_yaml
from rolldeck.facts.model import EnvironmentFact, Facts, LineageFact
from rolldeck.facts.parameters_file import settings
from rolldeck.facts.signature import read_signature
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line

_LINEAGE = (
    ("run id", "run_id"),
    ("mlflow model", "model_id"),
    ("mlflow version", "mlflow_version"),
    ("model logged", "utc_time_created"),
)
_TOLD = re.compile(
    r"\w+_version|\w+_class|serialization_format|loader_module|task|source_model_name"
)
"""Fields of a flavor that say how the model is stored and loaded."""
_FLAVOR_LIMIT = 500
_MOST_FLAVORS = 50


@tolerant
def read(path: str, data: bytes) -> Facts:
    """Read an ``MLmodel`` file."""
    source = clean_line(path)
    # As text: a version 3.10 is no number.
    document = mapping(load_yaml(data, as_text=True))
    if not document:
        raise UnreadableFile("holds no description of a model")
    python = text(_field(document, "flavors", "python_function", "python_version"))
    described = settings(mapping(document.get("metadata")), source, "metadata.")
    return Facts(
        parameters=described.parameters,
        environment=(EnvironmentFact("python", "version", python, source),) if python else (),
        signature=read_signature(document.get("signature")),
        signature_source=source,
        lineage=tuple(LineageFact(*pair, source) for pair in _lineage(document)),
        missing=described.missing,
    )


def _field(document: Mapping[str, Any], *keys: str) -> Any:
    for key in keys[:-1]:
        document = mapping(document.get(key))
    return document.get(keys[-1])


def _lineage(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if text(document.get("run_id")):
        yield "run system", "mlflow"
    for label, key in _LINEAGE:
        if found := text(document.get(key)):
            yield label, found
    for key, flavor in entries(document.get("flavors"))[:_MOST_FLAVORS]:
        if called := name(key):
            yield f"mlflow flavor {called}", _flavor(mapping(flavor))


def _flavor(fields: Mapping[str, Any]) -> str:
    """Return how a flavor stores the model; Python's version stands with the environment."""
    told = [
        f"{key} {value}"
        for key, item in entries(fields)
        if _TOLD.fullmatch(key) and key != "python_version" and (value := text(item))
    ]
    return clean_line(", ".join(told), _FLAVOR_LIMIT) or "declared"


@tolerant
def read_registration(path: str, data: bytes) -> Facts:
    """Read ``registered_model_meta``: the name in MLflow's registry."""
    document = mapping(load_yaml(data, as_text=True))
    label, version = text(document.get("model_name")), text(document.get("model_version"))
    if label is None:
        return Facts()
    value = f"{label} version {version}" if version else label
    return Facts(lineage=(LineageFact("registered model", value, clean_line(path)),))
