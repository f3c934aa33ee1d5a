"""Data sets beside each other, compared only within one kind of identity.

A digest of the content proves that data are the same; an address or a name declares it at most.
"""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.compare.model import Row
from rolldeck.facts.document import unique
from rolldeck.facts.model import DataSet

_DECLARED = {"uri": "same address, content unknown", "name": "same name, content unknown"}
"""Schemes under which equal does not mean the same content, with what to say of it."""

_SCHEMES = {"diff_id": "content digest", "digest": "layer digest"}


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
            rows.append(Row(key, "added", None, _shown(other)))
        elif one is not None and other is None:
            rows.append(Row(key, "removed", _shown(one), None))
        elif one is not None and other is not None:
            row_key = renamed.get(key, key)
            note = f"was {key}" if key in renamed else ""
            rows.append(_row(row_key, one, other, note))
    return rows


def _keyed(data: Sequence[DataSet]) -> dict[str, DataSet]:
    """Return data sets by role and name; of several under one key the first is the strongest."""
    names = unique(f"{item.role} {item.name}" for item in data)
    return dict(zip(names, data, strict=True))


def _row(key: str, one: DataSet, other: DataSet, note: str) -> Row:
    before, after = _shown(one), _shown(other)
    if one.scheme != other.scheme:
        schemes = (_SCHEMES.get(item.scheme, item.scheme) for item in (one, other))
        remark = f"not comparable: {' against '.join(schemes)}"
        return Row(key, "changed", before, after, verdict="unknown", note=remark)
    if one.identity == other.identity:
        return Row(key, "equal", before, after, note=note or _DECLARED.get(one.scheme, ""))
    if one.scheme == "digest":
        remark = "other bytes, content unknown"
        return Row(key, "changed", before, after, verdict="unknown", note=remark)
    return Row(key, "changed", before, after, note=note)


def _renamed(left: dict[str, DataSet], right: dict[str, DataSet]) -> dict[str, str]:
    """Return new keys by old ones for data sets with one role and one digest on both sides."""
    gone = [key for key in left if key not in right]
    new = {
        (item.role, item.scheme, item.identity): key
        for key, item in right.items()
        if key not in left and item.scheme not in _DECLARED
    }
    found: dict[str, str] = {}
    for key in gone:
        item = left[key]
        target = new.pop((item.role, item.scheme, item.identity), None)
        if target is not None:
            found[key] = target
    return found


def _shown(item: DataSet) -> str:
    """Return the identity with its scheme; a digest that names its own algorithm stays as it is."""
    if item.scheme in ("uri", "name", "digest", "diff_id"):
        return item.identity
    return f"{item.scheme}:{item.identity}"
