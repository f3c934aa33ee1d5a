"""A comparison as the JSON document that scripts rely on: strict JSON, stable keys."""

from __future__ import annotations

import math
from typing import Any

from rolldeck.compare.model import Cell, Comparison, Row, Section, Side
from rolldeck.compare.policy import GuardrailResult
from rolldeck.facts.document import non_finite


def to_json(comparison: Comparison, include_equal: bool = False) -> dict[str, Any]:
    """Return the document of ``diff --json``; rows that are equal only where asked for.

    Digests are whole, sizes are bytes, and a number that JSON lacks is text (``NaN``).
    """
    return {
        "a": _side(comparison.a),
        "b": _side(comparison.b),
        "identical": comparison.identical,
        "summary": comparison.summary,
        "like_for_like": comparison.like_for_like,
        "unlike": list(comparison.unlike),
        "suspects": list(comparison.suspects),
        "tolerance": comparison.tolerance,
        "sections": [_section(section, include_equal) for section in comparison.sections],
    }


def guardrail_json(result: GuardrailResult) -> dict[str, Any]:
    """Return one demand of a policy and what came of it."""
    return {
        "metric": result.metric,
        "slice": result.slice,
        "limit": result.limit_name,
        "bound": _number(result.limit),
        "outcome": result.outcome,
        "value": _number(result.value),
        "by": _number(result.by),
        "detail": result.detail,
    }


def _side(side: Side) -> dict[str, Any]:
    return {"reference": side.reference, "digest": side.digest, "label": side.label}


def _section(section: Section, include_equal: bool) -> dict[str, Any]:
    return {
        "name": section.name,
        "changed": section.changed,
        "equal": section.equal,
        "within_tolerance": section.within,
        "rows": [_row(row) for row in section.rows if include_equal or row.status != "equal"],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "key": row.key,
        "status": row.status,
        "a": _cell(row.a),
        "b": _cell(row.b),
        "delta": _number(row.delta),
        "relative": _number(row.relative),
        "verdict": row.verdict,
        "unit": row.unit,
        "higher_is_better": row.higher_is_better,
        "note": row.note,
        "percentage_points": _number(row.points),
        "within_tolerance": row.within,
    }


def _cell(value: Cell) -> Cell:
    if isinstance(value, float) and not math.isfinite(value):
        return non_finite(value)
    return value


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
