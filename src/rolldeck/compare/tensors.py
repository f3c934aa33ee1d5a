"""Weights beside each other by what their headers say: totals, metadata, then tensor by tensor.

Where many tensors differ in one way, one row stands for all whose names differ only in numbers:
``model.layers.{0-31}.mlp.up_proj.weight``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rolldeck.compare.model import Cell, Row
from rolldeck.compare.values import rows_by_key
from rolldeck.facts.document import unique
from rolldeck.facts.model import Facts
from rolldeck.facts.pickles import Pickle
from rolldeck.facts.tensors import Tensor
from rolldeck.facts.weights import Weights

MOST_SINGLE = 48
"""Most tensors of one file that have a row each; of more, those alike share one."""

MOST_ROWS = 200
"""Most rows for the tensors of one file."""

_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]+(?![0-9A-Za-z])")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_SHAPE = re.compile(
    r"(?:[UIFC]\d{1,3}(?:_\w+)?|BF16|BOOL|STRING|[IT]?Q\d\w*|MXFP4|type \d{1,4})"
    r" (\d+(?:x\d+)*|scalar)"
)
"""How a tensor stands in a cell: its type and its shape. Metadata, such as the name ``Llama 3``, do
not look like one."""
_ONNX_FIELDS = frozenset(
    ("ir_version", "model_version", "producer_name", "producer_version", "domain", "doc_string")
)

_Pair = tuple[Weights | None, Weights | None]


def tensor_rows(a: Facts, b: Facts) -> list[Row]:
    """Return rows for the weights and the pickles of two versions; keys are unique.

    A key names its file only where a side has several.
    """
    pairs = _paired(a.weights, b.weights)
    rows: list[Row] = []
    names = _ambiguous(pairs)
    for one, other in pairs:
        present = one or other
        assert present is not None
        place = f"{present.path} " if len(pairs) > 1 else ""
        if one is None or other is None:
            rows.append(_one_sided(one, other))
        else:
            rows += _file_rows(one, other, place, names)
    rows += _pickle_rows(a.pickles, b.pickles)
    keys = unique(row.key for row in rows)
    return [replace(row, key=key) for row, key in zip(rows, keys, strict=True)]


def shape_of(cell: Cell) -> str | None:
    """Return the shape in a cell that shows a tensor; None where it shows something else."""
    found = _SHAPE.fullmatch(str(cell))
    return found[1] if found else None


def tensor_changes(rows: Iterable[Row]) -> list[str]:
    """Return how tensors differ for certain: ``added``, ``removed``, ``reshaped``, ``retyped``."""
    found = {_change(row) for row in rows if row.status != "equal" and row.verdict != "unknown"}
    return [word for word in ("added", "removed", "reshaped", "retyped") if word in found]


def _change(row: Row) -> str | None:
    shapes = shape_of(row.a), shape_of(row.b)
    if shapes == (None, None):
        return None
    if row.status != "changed":
        return row.status
    return "retyped" if shapes[0] == shapes[1] else "reshaped"


def _paired(left: Sequence[Weights], right: Sequence[Weights]) -> list[_Pair]:
    """Return which weights of A are those of B: by path, by name, or as the only ones left."""
    waiting = list(right)
    found: dict[int, Weights] = {}
    for name in (str, posixpath.basename):
        for place, one in enumerate(left):
            if place not in found:
                wanted = name(one.path)
                other = next((item for item in waiting if name(item.path) == wanted), None)
                if other is not None:
                    found[place] = other
                    waiting.remove(other)
    lonely = [place for place in range(len(left)) if place not in found]
    if len(lonely) == len(waiting) == 1:
        found[lonely[0]] = waiting.pop()
    pairs: list[_Pair] = [(one, found.get(place)) for place, one in enumerate(left)]
    return [*pairs, *((None, other) for other in waiting)]


def _ambiguous(pairs: Iterable[_Pair]) -> set[str]:
    """Return the names that stand for something in more than one file."""
    seen: set[str] = set()
    twice: set[str] = set()
    for pair in pairs:
        names = {name for side in pair if side is not None for name in _names(side)}
        twice |= seen & names
        seen |= names
    return twice


def _names(weights: Weights) -> Iterator[str]:
    yield from (tensor.name for tensor in weights.tensors)
    yield from _metadata(weights)


def _one_sided(one: Weights | None, other: Weights | None) -> Row:
    present = one or other
    assert present is not None
    key = f"weights {present.path}"
    if one is None:
        return Row(key, "added", None, _brief(present))
    return Row(key, "removed", _brief(present), None)


def _brief(weights: Weights) -> str:
    """Return weights in a few words."""
    if not weights.tensors:
        return weights.format
    count = len(weights.tensors)
    return f"{weights.format}, {count} tensor{'' if count == 1 else 's'}"


def _file_rows(one: Weights, other: Weights, place: str, twice: set[str]) -> Iterator[Row]:
    """Yield the rows of a file that both sides have; ``twice`` are names that need the place."""
    for row in _totals(one, other):
        yield replace(row, key=f"{place}{row.key}")
    for row in (*rows_by_key(_metadata(one), _metadata(other)), *_tensors(one, other)):
        yield replace(row, key=f"{place}{row.key}") if row.key in twice else row


def _totals(one: Weights, other: Weights) -> list[Row]:
    rows = [
        row for row in rows_by_key(_total(one), _total(other)) if (row.a, row.b) != ("null", "null")
    ]
    unread = [side.notice for side in (one, other) if side.notice]
    if unread:
        # What was not read of a side may be what the other has.
        note = "; ".join(dict.fromkeys(unread))
        rows.append(
            Row("header", "changed", _extent(one), _extent(other), verdict="unknown", note=note)
        )
        if (one.notice, one.tensors) == (other.notice, other.tensors):
            rows[-1] = replace(rows[-1], status="equal", verdict="neutral")
    return rows


def _extent(weights: Weights) -> str:
    """Return how much of a header was read."""
    if not weights.notice:
        return "read"
    return "read in part" if weights.tensors else "not read"


def _total(weights: Weights) -> dict[str, Cell]:
    types = ", ".join(f"{count} {dtype}" for dtype, count in weights.types.items())
    known = not weights.notice
    return {
        "format": weights.format,
        **({"files": weights.files} if weights.files > 1 else {}),
        **({"parameter count": weights.parameters} if known else {}),
        **({"tensor count": len(weights.tensors), "tensor types": types} if known else {}),
    }


def _metadata(weights: Weights) -> dict[str, Cell]:
    """Return what the header says beside its tensors; whole numbers as such."""
    return {_key(weights.format, key): _cell(value) for key, value in weights.metadata.items()}


def _key(form: str, key: str) -> str:
    """Return a key of its own for what is free text in the header."""
    own = form == "GGUF" or (form == "ONNX" and (key in _ONNX_FIELDS or key.startswith("opset")))
    return key if own else f"metadata {key}"


def _cell(text: str) -> Cell:
    return int(text) if _WHOLE.fullmatch(text) else text


def _tensors(one: Weights, other: Weights) -> list[Row]:
    left, right = ({tensor.name: tensor for tensor in side.tensors} for side in (one, other))
    rows = [
        _tensor_row(name, left.get(name), right.get(name), one, other)
        for name in dict.fromkeys((*left, *right))
    ]
    differing = [row for row in rows if row.status != "equal"]
    equal = [row for row in rows if row.status == "equal"]
    return [*_summarised(differing), *_summarised(equal)]


def _tensor_row(name: str, a: Tensor | None, b: Tensor | None, one: Weights, other: Weights) -> Row:
    if a is not None and b is not None:
        status = "equal" if (a.dtype, a.shape) == (b.dtype, b.shape) else "changed"
        return Row(name, "equal" if status == "equal" else "changed", _shown(a), _shown(b))
    if a is None:
        assert b is not None
        unread = "perhaps not read in A" if one.notice else ""
        return Row(
            name, "added", None, _shown(b), verdict="unknown" if unread else "neutral", note=unread
        )
    unread = "perhaps not read in B" if other.notice else ""
    return Row(
        name, "removed", _shown(a), None, verdict="unknown" if unread else "neutral", note=unread
    )


def _shown(tensor: Tensor) -> str:
    """Return type and shape: ``F32 8x8``."""
    return f"{tensor.dtype} {'x'.join(map(str, tensor.shape)) or 'scalar'}"


def _summarised(rows: list[Row]) -> list[Row]:
    """Return a row each where these are few, else one for all that differ only in numbers."""
    if len(rows) <= MOST_SINGLE:
        return rows
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        pattern = _NUMBER.sub("{}", row.key)
        groups.setdefault((pattern, row.status, row.a, row.b, row.note), []).append(row)
    found = [_together(group) for group in groups.values()]
    if len(found) <= MOST_ROWS:
        return found
    rest = sum(len(group) for group in list(groups.values())[MOST_ROWS - 1 :])
    last = rows[-1] if rows[-1].status == "equal" else Row("", "changed", None, None)
    key = f"{rest} more tensors"
    words = "equal" if last.status == "equal" else "different"
    return [*found[: MOST_ROWS - 1], replace(last, key=key, a=words, b=words, note="not listed")]


def _together(group: list[Row]) -> Row:
    """Return one row for tensors that are alike but for the numbers in their names."""
    first = group[0]
    if len(group) == 1:
        return first
    places: dict[int, set[int]] = {place: set() for place in range(len(_NUMBER.findall(first.key)))}
    for row in group:
        for place, number in enumerate(_NUMBER.findall(row.key)):
            places[place].add(int(number[:18]))
    numbers = iter(_span(places[place]) for place in range(len(places)))
    key = _NUMBER.sub(lambda _: next(numbers), first.key)
    note = f"{len(group)} tensors"
    return replace(first, key=key, note=f"{note}; {first.note}" if first.note else note)


def _span(numbers: set[int]) -> str:
    """Return numbers as ``{0-31}`` or ``{0-3,8}``."""
    ordered = sorted(numbers)
    if len(ordered) == 1:
        return str(ordered[0])
    spans: list[list[int]] = []
    for number in ordered:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    texts = [str(low) if low == high else f"{low}-{high}" for low, high in spans]
    return f"{{{','.join(texts if len(texts) <= 4 else [*texts[:3], '…', texts[-1]])}}}"


def _pickle_rows(left: Sequence[Pickle], right: Sequence[Pickle]) -> Iterator[Row]:
    """Yield rows for pickles; one that is on both sides has one for each thing it says."""
    ones = {item.path: item for item in left}
    others = {item.path: item for item in right}
    if len(ones) == len(others) == 1 and ones.keys() != others.keys():
        others = dict(zip(ones, others.values(), strict=True))
    for path in dict.fromkeys((*ones, *others)):
        one, other = ones.get(path), others.get(path)
        if one is None and other is not None:
            yield Row(f"pickle {path}", "added", None, other.brief)
        elif one is not None and other is None:
            yield Row(f"pickle {path}", "removed", one.brief, None)
        elif one is not None and other is not None:
            yield from _pickle(path, one, other)


def _pickle(path: str, one: Pickle, other: Pickle) -> Iterator[Row]:
    unread = "; ".join(dict.fromkeys(side.notice for side in (one, other) if side.notice))
    for row in rows_by_key(_pickle_cells(one), _pickle_cells(other)):
        is_certain = row.status in ("equal", "changed") or not unread
        yield replace(
            row,
            key=f"{path} {row.key}",
            verdict=row.verdict if is_certain else "unknown",
            note=row.note if is_certain else unread,
        )
    if unread:
        key, a, b = f"{path} instructions", one.notice or "read", other.notice or "read"
        if one == other:
            yield Row(key, "equal", a, b)
        else:
            yield Row(key, "changed", a, b, verdict="unknown")


def _pickle_cells(pickle: Pickle) -> dict[str, Cell]:
    return {
        "format": f"{pickle.packing} {pickle.format}".strip(),
        "protocol": pickle.protocol,
        **{library: version or "imported" for library, version in pickle.libraries},
        **{f"imports {item}": "yes" for item in pickle.imports},
    }
