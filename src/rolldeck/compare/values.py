"""Values beside each other: when two are equal, and rows for things that are keyed by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rolldeck.compare.model import Cell, Row
from rolldeck.facts.document import scalar
from rolldeck.facts.model import Facts, Parameter
from rolldeck.facts.parameters import flatten
from rolldeck.kit.model import Kit

_IDENTITY = ("name", "path")
"""Keys by which an item of a Kitfile's list is known, so that one added shifts no others."""
_LEFT_OUT = frozenset({"digest", "diffId", "diffIds"})
"""Fields that the layers section shows."""
_KITFILE_ANNOTATION = "ml.kitops.modelkit.kitfile"
NOT_DECLARED = "not declared"


def same(a: Cell, b: Cell) -> bool:
    """Whether two values are equal: numbers by value (``1`` is ``1.0``), text by text.

    A truth value equals no number, and a number no text.
    """
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b
    return type(a) is type(b) and a == b


def value_row(key: str, a: Cell, b: Cell, note: str = "") -> Row:
    """Return a row for a value that both sides have; numbers also get their difference."""
    if same(a, b):
        return Row(key, "equal", a, b, note=note)
    if not note and type(a) is not type(b) and str(a) == str(b):
        note = f"{_type(a)} against {_type(b)}"
    delta, relative = difference(a, b)
    return Row(key, "changed", a, b, delta, relative, note=note)


def _type(value: Cell) -> str:
    if isinstance(value, bool):
        return "truth value"
    return "text" if isinstance(value, str) else "number"


def difference(a: Cell, b: Cell) -> tuple[float | None, float | None]:
    """Return B minus A and that as a fraction of A, None where either has no meaning.

    The fraction has none where A is zero or nearly so, or where the sign changes.
    """
    x, y = _number(a), _number(b)
    if x is None or y is None:
        return None, None
    delta = y - x
    if not math.isfinite(delta):
        return None, None
    if abs(x) < 1e-12 or x * y < 0:
        return delta, None
    relative = delta / abs(x)
    return delta, relative if math.isfinite(relative) else None


def _number(value: Cell) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def rows_by_key(a: Mapping[str, Cell], b: Mapping[str, Cell]) -> list[Row]:
    """Return one row per key of either side, those of A first; a null value reads ``null``."""
    rows = []
    for key in dict.fromkeys((*a, *b)):
        if key not in b:
            rows.append(Row(key, "removed", _present(a[key]), None))
        elif key not in a:
            rows.append(Row(key, "added", None, _present(b[key])))
        else:
            rows.append(value_row(key, _present(a[key]), _present(b[key])))
    return rows


def _present(value: Cell) -> Cell:
    return "null" if value is None else value


def parameter_rows(a: Iterable[Parameter], b: Iterable[Parameter]) -> list[Row]:
    """Return rows for parameters by dotted path."""
    return rows_by_key({item.name: item.value for item in a}, {item.name: item.value for item in b})


def signature_rows(a: Facts, b: Facts) -> list[Row]:
    """Return rows for inputs, outputs, architecture and tokenizer; none where no side tells any.

    Where one side declares no signature, one row says so: whether the two fit is unknown.
    """
    return [*_field_rows(a, b), *_architecture_rows(a, b), *_tokenizer_rows(a, b)]


def _architecture_rows(a: Facts, b: Facts) -> list[Row]:
    """Return rows for the architecture; what only one side tells is unknown on the other."""
    rows = rows_by_key(*({item.name: item.value for item in side.architecture} for side in (a, b)))
    return [
        row
        if row.status in ("changed", "equal")
        else replace(row, verdict="unknown", note="not told on the other side")
        for row in rows
    ]


def _tokenizer_rows(a: Facts, b: Facts) -> list[Row]:
    """Return rows for the tokenizer, where both sides have one or neither."""
    if not (a.tokenizer and b.tokenizer):
        return _one_sided_tokenizer(a, b) if a.tokenizer or b.tokenizer else []
    return rows_by_key(
        *({f"tokenizer {item.name}": item.value for item in side.tokenizer} for side in (a, b))
    )


def _one_sided_tokenizer(a: Facts, b: Facts) -> list[Row]:
    one, other = ("found" if side.tokenizer else "not found" for side in (a, b))
    return [Row("tokenizer", "changed", one, other, verdict="unknown")]


def _field_rows(a: Facts, b: Facts) -> list[Row]:
    if a.signature is None and b.signature is None:
        return []
    if a.signature is None or b.signature is None:
        one, other = (
            NOT_DECLARED if found is None else f"{len(found)} fields"
            for found in (a.signature, b.signature)
        )
        note = "compatibility unknown"
        return [Row("signature", "changed", one, other, verdict="unknown", note=note)]
    rows = []
    for row in rows_by_key(dict(a.signature), dict(b.signature)):
        rows.append(_judged_field(row) if row.status != "equal" else row)
    return rows


def _judged_field(row: Row) -> Row:
    """Say where a changed field breaks callers: an input or output gone, retyped, or now needed."""
    is_input = row.key.startswith("input ")
    optional = isinstance(row.b, str) and row.b.endswith(", optional")
    compatible = row.status == "added" and (not is_input or optional)
    compatible |= is_input and row.status == "changed" and row.b == f"{row.a}, optional"
    return Row(row.key, row.status, row.a, row.b, note="" if compatible else "breaks callers")


def lineage_rows(a: Facts, b: Facts) -> list[Row]:
    """Return rows for commit, run and parents."""
    return rows_by_key(*({item.name: item.value for item in side.lineage} for side in (a, b)))


def kitfile_rows(a: Kit, b: Kit) -> list[Row]:
    """Return rows for the fields of the Kitfile, or of a ModelPack's config where there is none.

    Without digests (the layers section has them) and ``model.parameters`` (its own section has
    them); items of lists go by name or path where these are unique.
    """
    return rows_by_key(_kitfile(a), _kitfile(b))


def _kitfile(kit: Kit) -> dict[str, Cell]:
    document = _without(kit.kitfile or kit.config, 0)
    model = document.get("model")
    if kit.kitfile and isinstance(model, dict):
        document["model"] = {key: item for key, item in model.items() if key != "parameters"}
    return dict(flatten(document, identity=_IDENTITY).leaves) if document else {}


def _without(node: Any, depth: int) -> Any:
    """Return a document without the digests of its elements, down to where those stand."""
    if isinstance(node, dict):
        if depth == 3:
            return node
        return {
            key: _without(item, depth + 1) for key, item in node.items() if key not in _LEFT_OUT
        }
    if isinstance(node, list):
        return [_without(item, depth) for item in node]
    return node


def manifest_rows(a: Kit, b: Kit) -> list[Row]:
    """Return rows for the manifest's own fields, annotations, and an index's entries."""
    return rows_by_key(_manifest(a), _manifest(b))


def _manifest(kit: Kit) -> dict[str, Cell]:
    manifest = kit.manifest
    fields: dict[str, Any] = {
        "mediaType": manifest.media_type,
        "artifactType": manifest.artifact_type,
        "config.mediaType": manifest.config.media_type if manifest.config else None,
        "config.digest": manifest.config.digest if manifest.config else None,
        "subject": manifest.subject.digest if manifest.subject else None,
        "size": kit.size,
        "layers": None if manifest.is_index else len(manifest.layers),
    }
    for index, entry in enumerate(manifest.manifests):
        fields[f"manifests[{index}]"] = entry.digest
    fields = {key: scalar(value) for key, value in fields.items() if value is not None}
    annotations = {
        key: value for key, value in manifest.annotations.items() if key != _KITFILE_ANNOTATION
    }
    fields.update(flatten({"annotations": annotations}).leaves if annotations else ())
    return fields
