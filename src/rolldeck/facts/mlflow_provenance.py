"""``model.parameters.mlflow_provenance``: what ``kit import mlflow://`` notes of an MLflow run.

MLflow hands out metrics as numbers or as text (``NaN``) and every parameter as text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from rolldeck.facts.document import entries, mapping, name, number, scalar
from rolldeck.facts.model import Facts, LineageFact, Parameter, Value
from rolldeck.facts.parameters import flatten
from rolldeck.facts.run_lineage import plain
from rolldeck.facts.run_record import read_metrics
from rolldeck.units import rfc3339

SOURCE = "model.parameters.mlflow_provenance"

_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_NUMBER_LIMIT = 17
"""Longest text taken for a number: a longer one may be an identifier."""

_PREFIX = "mlflow_"
_LINEAGE = (
    ("run id", "run_id"),
    ("run name", "run_name"),
    ("run status", "run_status"),
    ("experiment", "experiment_id"),
    ("tracking server", "tracking_uri"),
)
_TIMES = (("run started", "start_time"), ("run finished", "end_time"))


def read_mlflow_provenance(document: Any) -> Facts:
    """Read the provenance of an imported MLflow run; empty facts where there is none."""
    record = {
        key.removeprefix(_PREFIX): value
        for key, value in entries(document)
        if key.startswith(_PREFIX)
    }
    if not record:
        return Facts()
    lineage = [("run system", "mlflow")]
    lineage += [(label, value) for label, key in _LINEAGE if (value := plain(record.get(key)))]
    lineage += [(label, value) for label, key in _TIMES if (value := _time(record.get(key)))]
    return Facts(
        metrics=read_metrics(mapping(record.get("metrics")), SOURCE),
        parameters=_parameters(record.get("params")),
        lineage=tuple(LineageFact(label, value, SOURCE) for label, value in lineage),
    )


def _parameters(params: Any) -> tuple[Parameter, ...]:
    """Return MLflow's parameters, whose names may hold dots and slashes, under their own names."""
    found: dict[str, Parameter] = {}
    for key, value in entries(params):
        label = name(key)
        if label is None:
            continue
        nested = flatten({label: value}).leaves if isinstance(value, (dict, list)) else None
        for path, leaf in nested or ((label, _value(value)),):
            found.setdefault(path, Parameter(path, leaf, SOURCE))
    return tuple(found.values())


def _value(value: Any) -> Value:
    """Return a parameter's value; text that JSON would read as a number is that number."""
    if isinstance(value, str) and len(value) <= _NUMBER_LIMIT and _JSON_NUMBER.fullmatch(value):
        return float(value) if set(value) & set(".eE") else int(value)
    return scalar(value)


def _time(value: Any) -> str | None:
    """Return a time in milliseconds since 1970 as RFC 3339, any other text as it is."""
    milliseconds = number(value)
    if milliseconds is None:
        return plain(value)
    try:
        return rfc3339(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (OverflowError, ValueError, OSError):
        return plain(value)
