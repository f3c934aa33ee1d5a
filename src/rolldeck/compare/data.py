"""Data sets beside each other, compared only within one kind of identity.

What a data set is known by forms a ladder: the digest of the stored layer, of its content before
compression, of the files in it, digests that somebody declared, and last addresses and names.
Equal on a rung is the same data, and the note tells which rung it was. Different on one of the
first two is not yet different data, since packing changes them; different in a file's digest is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rolldeck.compare.model import Row
from rolldeck.facts.data_layers import FILE, FILES
from rolldeck.facts.declared import DIGEST
from rolldeck.facts.dvc import LEGACY_MD5, MD5
from rolldeck.facts.model import DataSet
from rolldeck.units import human_size

_DECLARED = {"uri": "same address, content unknown", "name": "same name, content unknown"}
"""Schemes under which equal does not mean the same content, with what to say of it."""

_CONTENT = "diff_id"
_PACKED = (DIGEST, _CONTENT)
"""Schemes under which different does not mean different content."""

_NO_DIGEST = (*_DECLARED, "revision")
"""Schemes under which two data sets may have one identity and nothing in common."""

_SCHEMES = {
    DIGEST: "layer digest",
    _CONTENT: "content digest",
    FILE: "file digest",
    FILES: "digests of all files",
    LEGACY_MD5: "dvc-md5 with line ends normalised",
    "mlflow": "MLflow digest",
}
_LADDER = (
    DIGEST, _CONTENT, FILE, FILES, "sha256", "sha512", MD5, LEGACY_MD5, "md5", "mlflow", "etag",
    "revision",
)  # fmt: skip
"""Schemes in the order in which they are tried; others follow, addresses and names come last."""


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
    differing: tuple[DataSet, DataSet] | None = None
    for one, other in _shared(ones, others):
        if one.identity == other.identity and not (differing and one.scheme in _DECLARED):
            rung = _DECLARED.get(one.scheme) or f"same {_scheme(one)}"
            return Row(key, "equal", _shown(one), _shown(other), note=_joined(note, rung))
        if one.identity != other.identity:
            differing = one, other
            if not _is_packed(one):
                break
    if differing is None:
        return _incomparable(key, ones[0], others[0])
    one, other = differing
    if one.scheme == DIGEST:
        remark = "other bytes, content unknown"
        return Row(key, "changed", _shown(one), _shown(other), verdict="unknown", note=remark)
    remark = _joined(note, *_extent(ones, others))
    return Row(key, "changed", _shown(one), _shown(other), note=remark)


def _incomparable(key: str, one: DataSet, other: DataSet) -> Row:
    remark = f"not comparable: {_scheme(one)} against {_scheme(other)}"
    return Row(key, "changed", _shown(one), _shown(other), verdict="unknown", note=remark)


def _shared(ones: _Known, others: _Known) -> Iterator[tuple[DataSet, DataSet]]:
    """Yield both sides under each scheme that both know, in the order of the ladder."""
    by_scheme = {item.scheme: item for item in reversed(others)}
    for one in sorted(ones, key=_rung):
        if one.scheme in by_scheme:
            yield one, by_scheme[one.scheme]


def _rung(item: DataSet) -> int:
    if item.scheme in _DECLARED:
        return len(_LADDER) + 1
    scheme = _CONTENT if _is_packed(item) and item.scheme != DIGEST else item.scheme
    return _LADDER.index(scheme) if scheme in _LADDER else len(_LADDER)


def _is_packed(item: DataSet) -> bool:
    # The content digest of an archive whose names are relative to a directory names that.
    return item.scheme in _PACKED or item.scheme.startswith(f"{_CONTENT} ")


def _scheme(item: DataSet) -> str:
    return _SCHEMES.get(item.scheme, item.scheme)


def _extent(ones: _Known, others: _Known) -> Iterator[str]:
    """Yield how rows, columns and bytes differ, where they do and both sides are known."""
    for noun in ("rows", "columns"):
        before, after = (_known(side, noun) for side in (ones, others))
        if before is not None and after is not None and before != after:
            yield f"{before:,} → {after:,} {noun}"
    before, after = (_known(side, "size") for side in (ones, others))
    if before is not None and after is not None and before != after:
        sizes = (human_size(before), human_size(after))
        exact = sizes[0] == sizes[1] or max(before, after) < 10_000
        yield f"{before} → {after} bytes" if exact else " → ".join(sizes)


def _known(items: _Known, field: str) -> int | None:
    values = (getattr(item, field) for item in items)
    return next((value for value in values if value is not None), None)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _renamed(left: dict[str, _Known], right: dict[str, _Known]) -> dict[str, str]:
    """Return new keys by old ones for data sets with one role and one digest on both sides."""
    new = {
        (item.role, item.scheme, item.identity): key
        for key, items in right.items()
        for item in items
        if key not in left and item.scheme not in _NO_DIGEST
    }
    found: dict[str, str] = {}
    for key, items in left.items():
        identities = ((item.role, item.scheme, item.identity) for item in sorted(items, key=_rung))
        target = next((new[identity] for identity in identities if identity in new), None)
        if key not in right and target is not None and target not in found.values():
            found[key] = target
    return found


def _shown(item: DataSet) -> str:
    """Return the identity with its scheme; a digest that names its own algorithm stays as it is."""
    if item.scheme in _DECLARED or item.identity.startswith(("sha256:", "sha512:")):
        return item.identity
    return f"{item.scheme}:{item.identity}"
