"""Metrics beside each other: which belong together, how far they moved, and which way is good."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rolldeck.compare.direction import NO_DIRECTIONS, Directions
from rolldeck.compare.model import Cell, Row, Status, Verdict
from rolldeck.compare.values import difference
from rolldeck.facts.model import Metric

_PROPORTIONS = frozenset(
    {
        "acc", "accuracy", "precision", "recall", "sensitivity", "specificity", "tpr", "tnr",
        "fpr", "fnr", "top1", "top5", "hit", "pass", "em",
    }
)  # fmt: skip
"""Tokens of metrics that are a share of rows, for which ``n`` alone gives a noise band."""

_SHARES = _PROPORTIONS | {
    "f1", "f2", "f05", "fbeta", "fscore", "auc", "auroc", "rocauc", "auprc", "prauc", "aucpr",
    "ap", "map", "iou", "miou", "jaccard", "dice", "ndcg", "mrr", "hitrate", "ppv", "npv", "fdr",
    "ece", "eer", "wer", "cer", "rate", "share", "fraction",
}  # fmt: skip
"""Tokens of metrics between 0 and 1, whose difference reads as percentage points."""
_UNLIKE = "not like for like"

_NORMAL_95 = 1.959964
"""Half-width of the central 95 % of a normal distribution, in standard deviations."""
_REPRESENTATION = 1e-12
"""Relative difference below which two numbers differ only in how they were written."""


def metric_rows(
    a: Sequence[Metric],
    b: Sequence[Metric],
    tolerance: float = 0.0,
    directions: Directions = NO_DIRECTIONS,
) -> list[Row]:
    """Return a row per metric of either side.

    ``tolerance`` is a fraction: a metric that moves by no more of the larger value is equal.
    Metrics go by name with slice and data set; where only one side declares these, by name if it
    is unique on both. A row's key tells slice and data set only where the name alone would not do.
    """
    pairs, notes = _aligned(a, b)
    rows = [
        _row(one, other, tolerance, note, directions)
        for (one, other), note in zip(pairs, notes, strict=True)
    ]
    names = [pair[0].name if pair[0] else pair[1].name if pair[1] else "" for pair in pairs]
    count = Counter(names)
    return [
        replace(row, key=name) if count[name] == 1 else row
        for row, name in zip(rows, names, strict=True)
    ]


_Pair = tuple[Metric | None, Metric | None]


def _aligned(a: Sequence[Metric], b: Sequence[Metric]) -> tuple[list[_Pair], list[str]]:
    left, right = ({metric.key: metric for metric in side} for side in (a, b))
    names = [Counter(metric.name for metric in side.values()) for side in (left, right)]
    by_name = {metric.name: metric for metric in right.values()}
    pairs: list[_Pair] = []
    notes = []
    taken: set[str] = set()
    for key, metric in left.items():
        other = right.get(key)
        note = ""
        if other is None and names[0][metric.name] == 1 == names[1][metric.name]:
            candidate = by_name[metric.name]
            if _compatible(metric, candidate):
                other, note = candidate, "slice or data set declared on one side only"
        if other is not None:
            taken.add(other.key)
        elif metric.name in by_name:
            note = f"{_UNLIKE}: other slice or data set"
        pairs.append((metric, other))
        notes.append(note)
    for key, metric in right.items():
        if key not in taken:
            pairs.append((None, metric))
            known = metric.name in names[0]
            notes.append(f"{_UNLIKE}: other slice or data set" if known else "")
    return pairs, notes


def _compatible(a: Metric, b: Metric) -> bool:
    return all(
        one is None or other is None or one == other
        for one, other in ((a.slice, b.slice), (a.dataset, b.dataset))
    )


def _row(
    a: Metric | None, b: Metric | None, tolerance: float, note: str, directions: Directions
) -> Row:
    if a is None or b is None:
        return _one_sided(a, b, note, directions)
    good, disagreement = _agreed_direction(a, b, directions)
    unit, other_unit = _agreed_unit(a, b)
    status: Status = "changed"
    verdict: Verdict = "unknown"
    delta = relative = points = None
    within = False
    remark = ""
    if a.value is None or b.value is None:
        if a.value is None and b.value is None and a.text == b.text:
            status, verdict = "equal", "neutral"
        else:
            remark = f"not comparable: {a.text or b.text}"
    elif other_unit:
        remark = other_unit
    else:
        delta, relative = difference(a.value, b.value)
        points = _points(a, b)
        moved = abs(b.value - a.value)
        largest = max(abs(a.value), abs(b.value))
        if moved <= max(tolerance, _REPRESENTATION) * largest:
            status, verdict = "equal", "neutral"
            within = moved > _REPRESENTATION * largest
            remark = f"within tolerance {tolerance * 100:g} %" if within else ""
        else:
            verdict, remark = _verdict(b.value - a.value, good), _noise(a, b)
            remark = _joined(_sign_flip(a.value, b.value), remark)
    revision = _other_revision(a, b)
    return Row(
        key=a.key if len(a.key) >= len(b.key) else b.key,
        status=status,
        a=_cell(a),
        b=_cell(b),
        delta=delta,
        relative=relative,
        verdict=verdict,
        unit=unit,
        higher_is_better=good,
        note=_joined(remark, note, revision, disagreement, _doubt(a) or _doubt(b)),
        within=within,
        metric=a.name,
        slice=b.slice or a.slice,
        points=points,
        like=not revision,
    )


def _sign_flip(a: float, b: float) -> str:
    return "not comparable as a fraction: the sign changed" if a * b < 0 else ""


def _points(a: Metric, b: Metric) -> float | None:
    """Return B minus A in percentage points, None where the two are no shares of a whole."""
    if a.value is None or b.value is None:
        return None
    units = {a.unit or b.unit, b.unit or a.unit}
    if units == {"%"}:
        return b.value - a.value
    is_share = 0.0 <= a.value <= 1.0 and 0.0 <= b.value <= 1.0 and units == {None}
    return (b.value - a.value) * 100 if is_share and _is_named(a.name, _SHARES) else None


def _one_sided(a: Metric | None, b: Metric | None, note: str, directions: Directions) -> Row:
    only = a or b
    assert only is not None
    return Row(
        key=only.key,
        status="added" if a is None else "removed",
        a=_cell(a),
        b=_cell(b),
        verdict="unknown",
        unit=only.unit,
        higher_is_better=directions.of(only.name, only.higher_is_better),
        note=_joined(note, _doubt(only)),
        metric=only.name,
        slice=only.slice,
        like=not note.startswith(_UNLIKE),
    )


def _cell(metric: Metric | None) -> Cell:
    if metric is None:
        return None
    return metric.value if metric.value is not None else metric.text or "no value"


def _verdict(delta: float, good: bool | None) -> Verdict:
    if good is None:
        return "unknown"
    return "better" if (delta > 0) == good else "worse"


def _agreed_direction(a: Metric, b: Metric, directions: Directions) -> tuple[bool | None, str]:
    declared = {side.higher_is_better for side in (a, b)} - {None}
    if len(declared) == 2 and a.name not in directions.own:
        return None, "the versions declare opposite directions"
    return directions.of(a.name, next(iter(declared), None)), ""


def _agreed_unit(a: Metric, b: Metric) -> tuple[str | None, str]:
    if a.unit and b.unit and a.unit != b.unit:
        return None, f"not comparable: {a.unit} against {b.unit}"
    return a.unit or b.unit, ""


def _other_revision(a: Metric, b: Metric) -> str:
    if a.revision and b.revision and a.revision != b.revision:
        return f"{_UNLIKE}: other revision of the data set"
    return ""


def _doubt(metric: Metric) -> str:
    if not metric.conflicts:
        return ""
    source, value = metric.conflicts[0]
    return f"sources disagree: {value} in {source}"


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _noise(a: Metric, b: Metric) -> str:
    """Say where a change is no larger than chance makes it; the verdict does not change by it."""
    if a.interval and b.interval:
        overlap = a.interval[0] <= b.interval[1] and b.interval[0] <= a.interval[1]
        return "within noise, declared intervals overlap" if overlap else ""
    if a.n is None or b.n is None or not _is_named(a.name, _PROPORTIONS):
        return ""
    shares = [_share(metric) for metric in (a, b)]
    band = noise_band(zip(shares, (a.n, b.n), strict=True))
    if band is None or abs((shares[1] or 0.0) - (shares[0] or 0.0)) > band:
        return ""
    return f"within noise, n = {a.n}" if a.n == b.n else f"within noise, n = {a.n} and {b.n}"


def noise_band(samples: Iterable[tuple[float | None, int]]) -> float | None:
    """Return the half-width of the 95 % band of a difference of two proportions.

    ``samples`` are share and number of rows of each, taken as independent test sets. Returns None
    where a share is missing or a number of rows is not positive.
    """
    variance = 0.0
    for share, n in samples:
        if share is None or n < 1:
            return None
        variance += share * (1 - share) / n
    return _NORMAL_95 * math.sqrt(variance)


def _is_named(name: str, tokens: frozenset[str]) -> bool:
    return not tokens.isdisjoint(re.split(r"[^a-z0-9]+", name.lower()))


def _share(metric: Metric) -> float | None:
    if metric.value is None:
        return None
    value = metric.value / 100 if metric.unit == "%" else metric.value
    return value if 0.0 <= value <= 1.0 else None
