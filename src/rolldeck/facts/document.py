"""Fields of a document from outside, read by the type that they must have.

A wrong type reads as absent: one bad field never costs the rest of a record.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from rolldeck.facts.model import Value
from rolldeck.text import clean_line

MOST = 20_000
"""Most entries read out of one list or object of a document."""

_NAME_LIMIT = 250
"""Longest name shown, in characters: what MLflow allows for a key."""

_MOST_BITS = 4096
"""Largest integer shown in full, in bits."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


def mapping(value: Any) -> Mapping[str, Any]:
    """Return ``value`` where it is a JSON object; an empty one otherwise."""
    return value if isinstance(value, dict) else {}


def entries(value: Any) -> list[tuple[str, Any]]:
    """Return the first ``MOST`` pairs of a JSON object whose keys are text."""
    pairs: list[tuple[str, Any]] = []
    for key, item in mapping(value).items():
        if len(pairs) == MOST:
            break
        if isinstance(key, str):
            pairs.append((key, item))
    return pairs


def objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the JSON objects among the first ``MOST`` items of a list."""
    return [item for item in items(value) if isinstance(item, dict)]


def items(value: Any) -> list[Any]:
    """Return the first ``MOST`` items of a list; none where ``value`` is no list."""
    return value[:MOST] if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Return text or a plain scalar as one clean line, None where there is none."""
    if value is None or isinstance(value, (dict, list)):
        return None
    return clean_line(str(scalar(value))) or None


def name(value: Any) -> str | None:
    """Return a name as one clean line without surrounding space, None where there is none."""
    if not isinstance(value, str):
        return None
    return clean_line(value, _NAME_LIMIT).strip() or None


def scalar(value: Any) -> Value:
    """Return a JSON scalar as a value to show: text cleaned, numbers that JSON lacks as text."""
    if isinstance(value, str):
        return clean_line(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        bits = value.bit_length()
        return value if bits <= _MOST_BITS else f"an integer of {bits} bits"
    if isinstance(value, float):
        return value if math.isfinite(value) else non_finite(value)
    return clean_line(type(value).__name__)


def non_finite(value: float) -> str:
    """Return the usual name of a float that is no number: ``NaN``, ``Infinity``, ``-Infinity``."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def number(value: Any) -> float | None:
    """Return a finite number, also out of text as MLflow writes it; None for anything else."""
    if isinstance(value, str):
        value = value.strip()
        if len(value) > 64 or not _NUMBER.fullmatch(value):
            return None
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) else None


def count(value: Any) -> int | None:
    """Return a whole number of at least one, None for anything else."""
    found = None if isinstance(value, str) else number(value)
    return int(found) if found is not None and found >= 1 and found == int(found) else None


def without_credentials(address: str) -> str:
    """Return a URL without the user name and password that may stand in it."""
    return _URL_CREDENTIALS.sub("", address)


def unique(names: Iterable[str]) -> list[str]:
    """Return the names with `` (2)``, `` (3)`` after those that occurred before."""
    taken: set[str] = set()
    following: dict[str, int] = {}
    result = []
    for wanted in names:
        free = wanted
        while free in taken:
            following[wanted] = following.get(wanted, 1) + 1
            free = f"{wanted} ({following[wanted]})"
        taken.add(free)
        result.append(free)
    return result
