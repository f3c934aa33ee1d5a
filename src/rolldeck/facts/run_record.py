"""The run record: what a training run wrote of itself into the kit that came out of it.

It stands at ``model.parameters.modelrun`` of a Kitfile (sealed by the config's digest) and, with
packages and histories, in the docs file ``modelrun/run.json``. A field of a wrong type reads as
absent; a record of another major schema version is not read at all, and that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rolldeck.facts.document import (
    MOST,
    count,
    entries,
    mapping,
    name,
    non_finite,
    number,
    objects,
    text,
)
from rolldeck.facts.history import read_history
from rolldeck.facts.model import Facts, Metric, Parameter
from rolldeck.facts.parameters import flatten
from rolldeck.facts.run_environment import read_environment
from rolldeck.facts.run_lineage import read_data, read_lineage
from rolldeck.facts.signature import read_signature

SOURCE = "model.parameters.modelrun"
FILE = "modelrun/run.json"
MAJOR = 1
"""Major schema version that is read."""


def read_run_record(document: Any, source: str) -> Facts:
    """Read a run record; a file may hold it directly or under the key ``modelrun``.

    ``source`` is the place it came from, as each fact names it.
    """
    record = mapping(document)
    record = mapping(record.get("modelrun")) or record
    if not record:
        return Facts(missing=(f"{source}: the run record is no JSON object",))
    version = _schema_version(record)
    if version is not None and version.partition(".")[0] != str(MAJOR):
        return Facts(
            missing=(f"{source}: not read, its schema version is {version}, known is {MAJOR}.x",)
        )
    missing = [] if version else [f"{source}: declares no schema version, read as {MAJOR}.x"]
    missing += _overlong(record, source)
    settings = flatten(mapping(record.get("parameters")))
    if settings.truncated:
        missing.append(f"{source}: too many parameters, the rest is not shown")
    return Facts(
        metrics=read_metrics(record.get("metrics"), source),
        parameters=tuple(Parameter(path, value, source) for path, value in settings.leaves),
        environment=read_environment(record, source),
        data=read_data(record, source),
        signature=read_signature(record.get("signature")),
        signature_source=source,
        lineage=read_lineage(record, source),
        missing=tuple(missing),
    )


def full_record(record: Any) -> tuple[str | None, str | None]:
    """Return path and sha256 (hexadecimal) of the file that a record names as its full form."""
    full = mapping(mapping(record).get("full"))
    digest = mapping(full.get("digest")).get("sha256")
    return name(full.get("path")), name(digest)


def _schema_version(record: Mapping[str, Any]) -> str | None:
    return text(record.get("schemaVersion"))


def _overlong(record: Mapping[str, Any], source: str) -> list[str]:
    return [
        f"{source}: {key}: only the first {MOST} of {len(record[key])} were read"
        for key in ("metrics", "packages", "resolvedDependencies")
        if isinstance(record.get(key), list) and len(record[key]) > MOST
    ]


def read_metrics(value: Any, source: str) -> tuple[Metric, ...]:
    """Read a list of metrics, or an object of numbers by name; keys are unique in the result.

    Of several entries with one key the one with the highest step counts, the later one where
    steps are equal; the values of the others are kept as conflicts.
    """
    if isinstance(value, dict):
        rows: list[tuple[str | None, Mapping[str, Any]]] = [
            (name(key), {"value": item}) for key, item in entries(value)
        ]
    else:
        rows = [(name(item.get("name")), item) for item in objects(value)]
    steps: dict[str, float] = {}
    found: dict[str, Metric] = {}
    for label, item in rows:
        if label is None:
            continue
        metric = _metric(label, item, source)
        step = number(item.get("step"))
        step = float("-inf") if step is None else step
        before = found.get(metric.key)
        if before is None:
            found[metric.key], steps[metric.key] = metric, step
        elif step >= steps[metric.key]:
            found[metric.key], steps[metric.key] = _superseding(metric, before), step
        else:
            found[metric.key] = _superseding(before, metric)
    return tuple(found.values())


_MOST_CONFLICTS = 8


def _superseding(kept: Metric, other: Metric) -> Metric:
    if kept.value == other.value and kept.text == other.text:
        return replace(kept, conflicts=(*other.conflicts, *kept.conflicts)[:_MOST_CONFLICTS])
    conflict = (f"{other.source}, another step", shown(other))
    conflicts = (*kept.conflicts, *other.conflicts, conflict)
    return replace(kept, conflicts=conflicts[:_MOST_CONFLICTS])


def shown(metric: Metric) -> str:
    """Return a metric's value as text."""
    return metric.text or "" if metric.value is None else f"{metric.value:.12g}"


def _metric(label: str, item: Mapping[str, Any], source: str) -> Metric:
    value = item.get("value")
    found = number(value)
    direction = item.get("higherIsBetter")
    return Metric(
        name=label,
        value=found,
        source=source,
        text=None if found is not None else _why_no_number(item, value),
        unit=_unit(item.get("unit")),
        higher_is_better=direction if isinstance(direction, bool) else None,
        slice=name(item.get("slice")),
        dataset=name(item.get("dataset")) or name(mapping(item.get("dataset")).get("name")),
        n=count(item.get("n")),
        interval=_interval(item.get("confidenceInterval")),
        history=read_history(item.get("history")),
    )


_UCUM = {"1": None, "By": "B"}
"""Units that UCUM writes as people do not; ``1`` says that there is none."""


def _unit(value: Any) -> str | None:
    found = name(value)
    return _UCUM.get(found, found) if found else None


def _why_no_number(item: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, float):
        return non_finite(value)
    return name(item.get("nonFinite")) or text(value) or "no value"


def _interval(value: Any) -> tuple[float, float] | None:
    bounds = mapping(value)
    lower, upper = number(bounds.get("lowerBound")), number(bounds.get("upperBound"))
    return (lower, upper) if lower is not None and upper is not None and lower <= upper else None
