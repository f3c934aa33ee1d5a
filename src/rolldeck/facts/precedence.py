"""The one rule by which several sources become one set of facts.

Sources come strongest first. Per metric, parameter, environment fact, data set and lineage entry
the first source that has it counts; where a later one disagrees that is kept: on the metric, or in
words. Packages and signature come whole from one source, since a mixture would be nobody's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rolldeck.facts.document import number
from rolldeck.facts.model import (
    LISTING,
    DataSet,
    EnvironmentFact,
    Facts,
    LineageFact,
    Metric,
    Parameter,
    Value,
)
from rolldeck.facts.package_versions import agree
from rolldeck.facts.run_record import shown

_MOST_CONFLICTS = 8
"""Most disagreements kept on one metric, and told in words per kind of fact."""


def merge(sources: Sequence[Facts]) -> Facts:
    """Return the facts of all sources, strongest first."""
    remarks: list[str] = []
    for source in sources:
        remarks += source.missing
    signed = next((source for source in sources if source.signature is not None), Facts())
    return Facts(
        metrics=_metrics(metric for source in sources for metric in source.metrics),
        parameters=_settings(
            (item for source in sources for item in source.parameters), "parameter", remarks
        ),
        environment=_environment(sources, remarks),
        data=_data((item for source in sources for item in source.data), remarks),
        signature=signed.signature,
        signature_source=signed.signature_source,
        tokenizer=_settings(
            (item for source in sources for item in source.tokenizer), "tokenizer", remarks
        ),
        weights=tuple(item for source in sources for item in source.weights),
        pickles=tuple(item for source in sources for item in source.pickles),
        lineage=_lineage((item for source in sources for item in source.lineage), remarks),
        missing=tuple(dict.fromkeys(remarks)),
    )


def _metrics(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    kept: dict[str, Metric] = {}
    by_name: dict[str, list[str]] = {}
    for metric in metrics:
        key = metric.key if metric.key in kept else _same_metric(metric, kept, by_name)
        if key is None:
            kept[metric.key] = metric
            by_name.setdefault(metric.name, []).append(metric.key)
        else:
            kept[key] = _joined(kept[key], metric)
    return tuple(kept.values())


def _same_metric(
    metric: Metric, kept: dict[str, Metric], by_name: dict[str, list[str]]
) -> str | None:
    """Return the key of the metric that one without slice and data set is, if only one can be."""
    candidates = by_name.get(metric.name, ())
    if len(candidates) != 1 or metric.slice or metric.dataset:
        return None
    return candidates[0] if kept[candidates[0]].source != metric.source else None


def _joined(kept: Metric, other: Metric) -> Metric:
    conflicts = kept.conflicts
    if not _agree(kept, other):
        conflicts = (*conflicts, (other.source, shown(other)))[:_MOST_CONFLICTS]
    declared = kept.higher_is_better
    return replace(
        kept,
        conflicts=conflicts,
        unit=kept.unit or other.unit,
        higher_is_better=other.higher_is_better if declared is None else declared,
        n=kept.n if kept.n is not None else other.n,
        history=kept.history or other.history,
    )


def _agree(a: Metric, b: Metric) -> bool:
    """Whether two sources say the same: equal to the six digits to which records round."""
    if a.value is None or b.value is None:
        return a.value is None and b.value is None and a.text == b.text
    return math.isclose(a.value, b.value, rel_tol=1e-6, abs_tol=1e-12)


def _settings(
    settings: Iterable[Parameter], kind: str, remarks: list[str]
) -> tuple[Parameter, ...]:
    kept: dict[str, Parameter] = {}
    conflicts = []
    for item in settings:
        first = kept.setdefault(item.name, item)
        if first.source != item.source and not _same_value(first.value, item.value):
            conflicts.append(
                f"conflict: {kind} {item.name} is {first.value} in {first.source},"
                f" {item.value} in {item.source}"
            )
    remarks += _told(conflicts, f"{kind}s")
    return tuple(kept.values())


def _same_value(a: Value, b: Value) -> bool:
    """Whether two sources mean one value: ``1``, ``1.0`` and MLflow's ``"1"`` do."""
    x, y = number(a), number(b)
    return x == y if x is not None and y is not None else str(a) == str(b)


def _environment(sources: Sequence[Facts], remarks: list[str]) -> tuple[EnvironmentFact, ...]:
    kept: dict[tuple[str, str], EnvironmentFact] = {}
    conflicts = []
    facts = [item for source in sources for item in source.environment]
    packages_from = next((item.source for item in facts if item.group == "package"), None)
    for item in facts:
        key = (item.group, item.name)
        if item.source != packages_from and (
            item.group == LISTING or (item.group == "package" and key not in kept)
        ):
            continue
        first = kept.setdefault(key, item)
        if first.source != item.source and not _same_fact(first, item):
            conflicts.append(
                f"conflict: {item.group} {item.name} is {first.value} in {first.source},"
                f" {item.value} in {item.source}"
            )
    remarks += _told(conflicts, "environment")
    return tuple(kept.values())


def _same_fact(a: EnvironmentFact, b: EnvironmentFact) -> bool:
    return agree(a.value, b.value) if a.group == "package" else a.value == b.value


def _data(data: Iterable[DataSet], remarks: list[str]) -> tuple[DataSet, ...]:
    """Return the data sets by role and name, each once under every scheme that identifies it."""
    kept: dict[tuple[str, str, str], DataSet] = {}
    conflicts = []
    for item in data:
        first = kept.setdefault((item.role, item.name, item.scheme), item)
        if first.identity != item.identity:
            conflicts.append(
                f"conflict: data {item.name} is {first.scheme} {first.identity} in {first.source},"
                f" {item.identity} in {item.source}"
            )
    remarks += _told(conflicts, "data")
    return tuple(kept.values())


def _lineage(items: Iterable[LineageFact], remarks: list[str]) -> tuple[LineageFact, ...]:
    kept: dict[str, LineageFact] = {}
    conflicts = []
    for item in items:
        first = kept.setdefault(item.name, item)
        if first.value != item.value:
            conflicts.append(
                f"conflict: {item.name} is {first.value} in {first.source},"
                f" {item.value} in {item.source}"
            )
    remarks += _told(conflicts, "lineage")
    return tuple(kept.values())


def _told(conflicts: list[str], kind: str) -> list[str]:
    shown_ones = conflicts[:_MOST_CONFLICTS]
    if len(conflicts) > _MOST_CONFLICTS:
        shown_ones.append(f"conflict: {len(conflicts) - _MOST_CONFLICTS} more in {kind}")
    return shown_ones
