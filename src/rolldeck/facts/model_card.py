"""The front matter of a model card, ``README.md`` as Hugging Face reads it.

``model-index`` is read result by result: one that lacks its task or data set costs no other. A
value that is no number (``n/a``, ``90.0%``) is shown as the text that it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rolldeck.facts.document import (
    items,
    mapping,
    name,
    number,
    objects,
    scalar,
    text,
    unique,
    without_credentials,
)
from rolldeck.facts.load import load_yaml
from rolldeck.facts.model import DataSet, Facts, LineageFact, Metric
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line

EVALUATION = "evaluation"
"""Role of the data that a model was measured on."""
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_LIMIT = 1024 * 1024
_VALUE_LIMIT = 500
_MOST_NAMES = 20
_LINEAGE = (
    ("license", "license"),
    ("license name", "license_name"),
    ("library", "library_name"),
    ("task", "pipeline_tag"),
    ("language", "language"),
)


@tolerant
def read(path: str, data: bytes) -> Facts:
    """Read a model card; empty facts where it has no front matter."""
    content = data[:_LIMIT].decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    match = _FRONT_MATTER.match(content)
    if match is None:
        return Facts()
    document, source = mapping(load_yaml(match[1].encode())), clean_line(path)
    metrics, data_sets = read_results(_results(document), source)
    trained_on = (name(item) for item in _list(document.get("datasets")))
    return Facts(
        metrics=metrics,
        data=(
            *(DataSet(label, "declared", "name", label, source) for label in trained_on if label),
            *data_sets,
        ),
        lineage=_unique_lineage(_lineage(document), source),
    )


def _unique_lineage(pairs: Iterable[tuple[str, str]], source: str) -> tuple[LineageFact, ...]:
    """Return facts under unique names: a merged model has several bases."""
    found = list(pairs)
    labels = unique(label for label, _ in found)
    return tuple(
        LineageFact(label, value, source) for label, (_, value) in zip(labels, found, strict=True)
    )


def _lineage(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    relation = text(document.get("base_model_relation"))
    for label in _list(document.get("base_model")):
        if base := text(label):
            address = without_credentials(base)
            yield "base model", f"{address} ({relation})" if relation else address
    for label, key in _LINEAGE:
        names = [found for item in _list(document.get(key)) if (found := text(item))]
        if names:
            yield label, clean_line(", ".join(names), _VALUE_LIMIT)


def _list(value: Any) -> list[Any]:
    return (items(value) if isinstance(value, list) else [value])[:_MOST_NAMES]


Result = tuple[Mapping[str, Any], Mapping[str, Any]]
"""One measured value with the data set that it was measured on."""


def _results(document: Mapping[str, Any]) -> Iterator[Result]:
    for model in objects(document.get("model-index")):
        for result in objects(model.get("results")):
            for metric in objects(result.get("metrics")):
                yield metric, mapping(result.get("dataset"))


def read_results(
    results: Iterator[Result], source: str
) -> tuple[tuple[Metric, ...], tuple[DataSet, ...]]:
    """Return metrics under unique keys, and the revisions of the data they were measured on.

    Of several metrics of one type on one data set the later ones go by their own name.
    """
    metrics: dict[str, Metric] = {}
    measured_on: dict[str, DataSet] = {}
    for fields, data_set in results:
        labels = [label for key in ("type", "name") if (label := name(fields.get(key)))]
        if not labels:
            continue
        read = _metric(labels[0], fields, data_set, source)
        options = (replace(read, name=label) for label in labels)
        metric = next((item for item in options if item.key not in metrics), None)
        if metric is None:
            names = unique([*(item.name for item in metrics.values()), labels[-1]])
            metric = replace(read, name=names[-1])
        metrics[metric.key] = metric
        if metric.dataset and metric.revision:
            label = f"{metric.dataset} {metric.slice}" if metric.slice else metric.dataset
            found = DataSet(label, EVALUATION, "revision", metric.revision, source)
            measured_on.setdefault(label, found)
    return tuple(metrics.values()), tuple(measured_on.values())


def _metric(
    label: str, fields: Mapping[str, Any], data_set: Mapping[str, Any], source: str
) -> Metric:
    called = name(data_set.get("name")) or name(data_set.get("type"))
    config = name(data_set.get("config"))
    if called and config and config not in called:
        called = f"{called} {config}"
    value = fields.get("value")
    found = number(value)
    told = None
    if found is None:
        told = clean_line(", ".join(str(scalar(item)) for item in _list(value)), _VALUE_LIMIT)
    return Metric(
        label,
        found,
        source,
        text="no value" if value is None else told,
        slice=name(data_set.get("split")),
        dataset=called or config,
        revision=name(data_set.get("revision")),
    )
