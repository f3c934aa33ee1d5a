"""What the details say of weights, pickles and the signature of a version, in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.cells import number
from rolldeck.text import clean_line

if TYPE_CHECKING:
    from rolldeck.facts import Facts
    from rolldeck.facts.pickles import Pickle
    from rolldeck.facts.weights import Weights

Rows = list[tuple[str, str, str]]
"""Name, value and a dim remark."""


def weights_brief(facts: Facts) -> tuple[str, ...]:
    """Return per model how many numbers it holds, in how many tensors and of which types."""
    return tuple(_brief(item) for item in facts.weights)


def weights_rows(facts: Facts) -> Rows:
    """Return a row per model, and one for each thing that its header says beside tensors."""
    rows: Rows = []
    for item in facts.weights:
        files = f"{item.files} files" if item.files > 1 else ""
        rows.append((item.path, f"{item.format} {_size(item)}".strip(), item.notice or files))
        rows += [(f"  {key}", text, "") for key, text in item.metadata.items()]
    return rows


def pickles_brief(facts: Facts) -> tuple[str, ...]:
    """Return per pickle what it would import, counted; no verdict."""
    return tuple(item.brief for item in facts.pickles)


def pickles_rows(facts: Facts) -> Rows:
    """Return a row per pickle, and one for each import from outside of known ML packages."""
    rows: Rows = []
    for item in facts.pickles:
        rows.append((item.path, item.brief, "; ".join(filter(None, (_form(item), item.notice)))))
        rows += [(f"  {library}", version or "imported", "") for library, version in item.libraries]
        rows += [(f"  {name}", "outside known ML packages", "") for name in item.outside]
    return rows


def signature_rows(facts: Facts) -> Rows:
    """Return inputs, outputs, architecture and tokenizer."""
    rows: Rows = [(name, text, "") for name, text in facts.signature or ()]
    rows += [(item.name, str(item.value), item.source) for item in facts.architecture]
    return rows + [
        (f"tokenizer {item.name}", str(item.value), item.source) for item in facts.tokenizer
    ]


def _brief(weights: Weights) -> str:
    place = clean_line(weights.path.rpartition("/")[2], 40)
    return f"{place} {_size(weights) or clean_line(weights.notice, 60)}"


def _size(weights: Weights) -> str:
    """Return ``7.24 B parameters, 291 tensors, BF16``; nothing of a header that was not read."""
    if not weights.tensors:
        return ""
    count = len(weights.tensors)
    parts = [f"{count} tensor{'' if count == 1 else 's'}", *list(weights.types)[:3]]
    if weights.parameters is not None:
        parts.insert(0, f"{_large(weights.parameters)} parameters")
    return ", ".join(parts)


def _large(count: int) -> str:
    for unit, letter in ((10**12, " T"), (10**9, " B"), (10**6, " M")):
        if count >= unit:
            return f"{number(count / unit, 3)}{letter}"
    return f"{count:,}"


def _form(pickle: Pickle) -> str:
    return f"{pickle.packing} {pickle.format} {pickle.protocol}".strip()
