"""Whether the metrics of two versions were measured on the same thing.

Only evaluation data counts: new training data is a normal retrain. What nobody declares is
unknown, never the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rolldeck.compare.model import Row
from rolldeck.facts.model import Metric
from rolldeck.text import clean_line

_EVALUATION = frozenset({"evaluation", "eval", "test", "testing", "validation", "val", "holdout"})
"""Words in the role or name of a data set that metrics are measured on."""
_TRAINING = frozenset({"training", "train"})


@dataclass(frozen=True, slots=True)
class Likeness:
    """``same`` is None where it is not declared; ``unlike`` names what differs, shortest first."""

    same: bool | None
    unlike: tuple[str, ...] = ()


def likeness(
    a: Sequence[Metric], b: Sequence[Metric], metrics: Sequence[Row], data: Sequence[Row]
) -> Likeness:
    """Judge by the rows of metrics and data, and by the data sets that the metrics name."""
    rows = [row for row in data if _is_evaluation(row.key)]
    unlike = []
    known = {row.status for row in rows if row.verdict != "unknown"}
    if "changed" in known or ({"added", "removed"} <= known and "equal" not in known):
        unlike.append("other evaluation data")
    if apart := {clean_line(row.metric or row.key, 60) for row in metrics if not row.like}:
        names = ", ".join(sorted(apart)) if len(apart) <= 2 else f"{len(apart)} metrics"
        unlike.append(f"other slice or data set of {names}")
    if unlike:
        return Likeness(False, tuple(unlike))
    if not metrics or "equal" in known or _all_name_one_data_set(a, b):
        return Likeness(True)
    return Likeness(None)


def _is_evaluation(key: str) -> bool:
    words = set(re.split(r"[^a-z]+", key.lower()))
    return not words.isdisjoint(_EVALUATION) and words.isdisjoint(_TRAINING)


def _all_name_one_data_set(a: Sequence[Metric], b: Sequence[Metric]) -> bool:
    """Whether every metric says what it was measured on: differences then show in its row."""
    measured = [*a, *b]
    return bool(measured) and all(metric.dataset for metric in measured)
