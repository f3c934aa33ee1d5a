"""``metrics.json`` and its like: plain numbers, nested keys by dotted path.

Numbers are metrics, and so is what stands where a number should (``NaN``, ``n/a``, null); any
other text and truth values describe the run and are parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rolldeck.facts.document import non_finite, number
from rolldeck.facts.load import UnreadableFile
from rolldeck.facts.model import Facts, Metric, Parameter, Value
from rolldeck.facts.parameters import LIMIT, flatten
from rolldeck.facts.parameters_file import load_plain
from rolldeck.facts.run_record import read_metrics
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line

_NOT_METRICS = ("step", "epoch", "timestamp")
"""Top-level keys that say when, not how well."""
_SERIES = 16
"""Longest list of which every item is a metric; a longer one is a curve."""
_DEPTH = 8
"""How deep a curve is looked for."""
_NO_NUMBER = re.compile(r"n/?a|none|null|-|undefined|[-+]?[\d.,]+\s*%|", re.IGNORECASE)
"""Text that stands where a number should."""


@tolerant
def read(path: str, data: bytes) -> Facts:
    """Read numbers by name, or a list of objects with name and value."""
    source, document = clean_line(path), load_plain(path, data)
    if isinstance(document, list) and document:
        return Facts(metrics=read_metrics(document, source))
    if not isinstance(document, dict):
        raise UnreadableFile("holds no object of metrics")
    curves: list[str] = []
    flat = flatten(_without_curves(document, "", curves))
    leaves = [leaf for leaf in flat.leaves if leaf[0] not in _NOT_METRICS]
    metrics = {path: read_metric(path, value, source) for path, value in leaves}
    return Facts(
        metrics=tuple(metric for metric in metrics.values() if metric),
        parameters=tuple(
            Parameter(path, value, source) for path, value in leaves if metrics[path] is None
        ),
        missing=tuple(_remarks(source, curves, flat.truncated)),
    )


def read_metric(name: str, value: Value, source: str) -> Metric | None:
    """Return the metric that a value is; None for text and truth values that are none."""
    found = number(value)
    if found is not None:
        return Metric(name, found, source)
    if value is None:
        return Metric(name, None, source, text="no value")
    if not isinstance(value, str):
        return None
    if spelled := _non_finite(value):
        return Metric(name, None, source, text=spelled)
    if _NO_NUMBER.fullmatch(value.strip()):
        return Metric(name, None, source, text=value.strip() or "no value")
    return None


def _non_finite(value: str) -> str | None:
    """Return the usual name of what a float is that is no number (``nan`` of dvclive)."""
    word = value.strip().lower().lstrip("+-.")
    if word not in ("nan", "inf", "infinity"):
        return None
    return non_finite(float(("-" if value.strip().startswith("-") else "") + word))


def _without_curves(node: Any, path: str, curves: list[str], depth: int = 0) -> Any:
    """Return a document without its long lists, whose paths are added to ``curves``."""
    if not isinstance(node, dict) or depth == _DEPTH:
        return node
    kept = {}
    for key, item in node.items():
        place = f"{path}.{key}" if path else str(key)
        if isinstance(item, list) and len(item) > _SERIES:
            curves.append(place)
        else:
            kept[key] = _without_curves(item, place, curves, depth + 1)
    return kept


def _remarks(source: str, curves: list[str], truncated: bool) -> Iterator[str]:
    if curves:
        names = clean_line(", ".join(curves[:4]), 200) + (", …" if len(curves) > 4 else "")
        yield f"metrics: {source}: lists of more than {_SERIES} are not shown: {names}"
    if truncated:
        yield f"metrics: {source}: more than {LIMIT} values, the rest is not shown"
