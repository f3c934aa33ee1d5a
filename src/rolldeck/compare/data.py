"""Data sets beside each other, compared only within one kind of identity.

A digest of the content proves that data are the same; an address or a name declares it at most.
"""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.compare.model import Row
from rolldeck.facts.declared import DIGEST
from rolldeck.facts.model import DataSet

_DECLARED = {"uri": "same address, content unknown", "name": "same name, content unknown"}
"""Schemes under which equal does not mean the same content, with what to say of it."""

_SCHEMES = {"diff_id": "content digest", "file": "file digest", DIGEST: "layer digest"}


def data_rows(a: Sequence[DataSet], b: Sequence[DataSet]) -> list[Row]:
    """Return a row per data set of either side, keyed by role and name.

    Values read ``scheme:identity``. A data set that has another name on the other side is found by
    its digest; two that are known by different schemes cannot be told apart, and that is said.
    """
    left, right = _keyed(a), _keyed(b)
    renamed = _renamed(left, right)
    rows = []
    for key in dict.fromkeys((*left, *right)):
        if key in renamed.values():
            continue
        one, other = left.get(key), right.get(renamed.get(key, key))
        if one is None and other is not None:
            rows.append(Row(key, "added", None, _shown(other[0])))
        elif one is not None and other is None:
            rows.append(Row(key, "removed", _shown(one[0]), None))
        elif one is not None and other is not None:
            row_key = renamed.get(key, key)
            note = f"was {key}" if key in renamed else ""
            rows.append(_row(row_key, one, other, note))
    return rows


_Known = list[DataSet]
"""What is known of one data set: its identity under one or several schemes, strongest first."""


def _keyed(data: Sequence[DataSet]) -> dict[str, _Known]:
    """Return what is known of each data set by role and name."""
    found: dict[str, _Known] = {}
    for item in data:
        found.setdefault(f"{item.role} {item.name}", []).append(item)
    return found


def _row(key: str, ones: _Known, others: _Known, note: str) -> Row:
    one, other = _comparable(ones, others)
    before, after = _shown(one), _shown(other)
    if one.scheme != other.scheme:
        schemes = (_SCHEMES.get(item.scheme, item.scheme) for item in (one, other))
        remark = f"not comparable: {' against '.join(schemes)}"
        return Row(key, "changed", before, after, verdict="unknown", note=remark)
    if one.identity == other.identity:
        return Row(key, "equal", before, after, note=note or _DECLARED.get(one.scheme, ""))
    if one.scheme == DIGEST:
        remark = "other bytes, content unknown"
        return Row(key, "changed", before, after, verdict="unknown", note=remark)
    return Row(key, "changed", before, after, note=note)


def _comparable(ones: _Known, others: _Known) -> tuple[DataSet, DataSet]:
    """Return both sides under the first scheme that both know, else under each one's first."""
    schemes = {item.scheme: item for item in reversed(others)}
    for one in ones:
        if one.scheme in schemes:
            return one, schemes[one.scheme]
    return ones[0], others[0]


def _renamed(left: dict[str, _Known], right: dict[str, _Known]) -> dict[str, str]:
    """Return new keys by old ones for data sets with one role and one digest on both sides."""
    new = {
        (items[0].role, items[0].scheme, items[0].identity): key
        for key, items in right.items()
        if key not in left and items[0].scheme not in _DECLARED
    }
    found: dict[str, str] = {}
    for key, items in left.items():
        if key not in right:
            identity = (items[0].role, items[0].scheme, items[0].identity)
            target = new.pop(identity, None)
            if target is not None:
                found[key] = target
    return found


def _shown(item: DataSet) -> str:
    """Return the identity with its scheme; a digest that names its own algorithm stays as it is."""
    if item.scheme in _DECLARED or item.identity.startswith(("sha256:", "sha512:")):
        return item.identity
    return f"{item.scheme}:{item.identity}"
