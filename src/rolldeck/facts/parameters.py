"""Any JSON value spelled out as scalars by dotted path, and the free-form parameters of a Kitfile.

``{"a": {"b": [1, {"c": true}]}}`` becomes ``a.b[0] = 1`` and ``a.b[1].c = true``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rolldeck.facts.document import mapping, number, scalar, unique
from rolldeck.facts.model import Facts, Metric, Parameter, Value
from rolldeck.text import clean_line

LIMIT = 5_000
"""Most leaves spelled out of one value."""
DEPTH = 16
"""Deepest nesting spelled out; what lies deeper is shown as JSON text."""
_PATH_LIMIT = 500
_TEXT_LIMIT = 200

SOURCE = "model.parameters"
_OWN_READERS = ("modelrun", "mlflow_provenance")
"""Records inside the parameters that have a reader of their own."""


@dataclass(frozen=True, slots=True)
class Flat:
    """Leaves by unique dotted path, in document order; ``truncated`` where there were more."""

    leaves: tuple[tuple[str, Value], ...]
    truncated: bool


def flatten(value: Any, *, identity: Sequence[str] = (), limit: int = LIMIT) -> Flat:
    """Spell out a JSON value by dotted path.

    Items of a list are named by index, or by the first of the ``identity`` keys under which all
    of them hold different text: ``datasets[train].path``. An empty object or list is a leaf.
    """
    leaves: list[tuple[str, Value]] = []
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    truncated = False
    while waiting:
        path, node, depth = waiting.pop()
        if len(leaves) >= limit:
            truncated = True
            break
        if not isinstance(node, (dict, list)) or not node:
            leaves.append((path, _leaf(node)))
            continue
        if depth == DEPTH:
            leaves.append((path, _as_text(node)))
            continue
        room = limit - len(leaves)
        truncated = truncated or len(node) > room
        waiting.extend(reversed(_children(path, node, depth + 1, identity, room)))
    if leaves and leaves[0][0] == "" and not isinstance(value, (dict, list)):
        return Flat((("value", leaves[0][1]),), truncated)
    named = [leaf for leaf in leaves if leaf[0]]
    paths = unique(path for path, _ in named)
    values = [found for _, found in named]
    return Flat(tuple(zip(paths, values, strict=True)), truncated)


def _children(
    path: str, node: Any, depth: int, identity: Sequence[str], room: int
) -> list[tuple[str, Any, int]]:
    found: list[tuple[str, Any, int]] = []
    if isinstance(node, dict):
        for key, child in node.items():
            if len(found) == room:
                break
            step = clean_line(str(key), _PATH_LIMIT) or '""'
            found.append((_joined(path, f".{step}" if path else step), child, depth))
        return found
    names = _names(node[:room], identity)
    for index, child in enumerate(node[:room]):
        found.append((_joined(path, f"[{names[index] if names else index}]"), child, depth))
    return found


def _joined(path: str, step: str) -> str:
    return clean_line(path + step, _PATH_LIMIT)


def _names(nodes: list[Any], identity: Sequence[str]) -> list[str] | None:
    for key in identity:
        names = [
            node[key] for node in nodes if isinstance(node, dict) and isinstance(node.get(key), str)
        ]
        if len(names) == len(nodes) == len(set(names)):
            return [clean_line(found, _PATH_LIMIT) for found in names]
    return None


def _leaf(node: Any) -> Value:
    if isinstance(node, dict):
        return "{}"
    return "[]" if isinstance(node, list) else scalar(node)


def _as_text(node: Any) -> str:
    try:
        return clean_line(json.dumps(node), _TEXT_LIMIT)
    except (TypeError, ValueError, RecursionError):
        return "nested too deep to show"


def read_parameters(parameters: Any) -> Facts:
    """Read ``model.parameters``: settings, and as metrics the numbers under a ``metrics`` key.

    ``metrics.f1`` and ``governance.validation_metrics.f1`` are metrics named ``f1``, or by whole
    path where several would have that name; every other leaf is a parameter by dotted path.
    """
    if isinstance(parameters, dict):
        parameters = {key: item for key, item in parameters.items() if key not in _OWN_READERS}
    if parameters is None or parameters == {}:
        return Facts()
    flat = flatten(parameters)
    settings = []
    measured: list[tuple[str, str, str, float]] = []
    for path, value in flat.leaves:
        found = None if isinstance(value, str) else number(value)
        place = _metrics_place(path)
        if place is None or found is None:
            settings.append(Parameter(path, value, SOURCE))
        else:
            measured.append((path, path[place:], path[: place - 1], found))
    uses = Counter(short for _, short, _, _ in measured)
    metrics = unique(path if uses[short] > 1 else short for path, short, _, _ in measured)
    missing = (f"{SOURCE}: more than {LIMIT} values, the rest is not shown",)
    return Facts(
        metrics=tuple(
            Metric(metric, value, f"{SOURCE}.{parent}")
            for metric, (_, _, parent, value) in zip(metrics, measured, strict=True)
        ),
        parameters=tuple(settings),
        missing=missing if flat.truncated else (),
    )


def _metrics_place(path: str) -> int | None:
    """Return where the metric's name starts: after the first step that has a token ``metrics``."""
    position = 0
    for step in path.split(".")[:-1]:
        position += len(step) + 1
        if "metrics" in re.split(r"[^a-z]+", step.lower()):
            return position
    return None


def read_numbers(document: Any, source: str, *, skip: Sequence[str] = ()) -> tuple[Metric, ...]:
    """Read a metrics file: every leaf by dotted path, numbers as such and the rest as text."""
    metrics = []
    for path, value in flatten(mapping(document)).leaves:
        if path in skip:
            continue
        found = number(value)
        metrics.append(Metric(path, found, source, text=None if found is not None else str(value)))
    return tuple(metrics)
