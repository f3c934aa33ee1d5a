"""Which part of the version number a step from one version to another raises, and why.

The contract of a model is its signature, tokenizer, architecture and labels: what breaks callers is
major. Other weights or data behind the same contract are minor, everything else is a patch. What
cannot be told, and what fails a policy, is left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from rolldeck.compare.compare import Version
from rolldeck.compare.model import Comparison, Row, Side
from rolldeck.compare.policy import Policy
from rolldeck.compare.report import failed
from rolldeck.compare.tensors import shape_of
from rolldeck.facts.next_version import Level, is_initial, next_version
from rolldeck.oci import is_tag

BumpLevel = Literal["major", "minor", "patch", "none", "review"]

_WEIGHTS = ("model", "modelpart")
_ARCHITECTURE = frozenset({"architecture", "architectures", "model_type"})
_SIZES = frozenset(
    {"hidden_size", "intermediate_size", "n_embd", "n_head", "n_layer", "num_attention_heads",
     "num_hidden_layers", "num_key_value_heads", "num_labels", "vocab_size"}
)  # fmt: skip
"""Keys of ``config.json`` that say how large the parts of a network are."""

_LABELS = frozenset({"id2label", "label2id", "labels", "classes"})
_KITFILE_MAJOR = frozenset({"model.framework", "model.format"})
_REQUIREMENTS = {
    "python version": "Python",
    "python requires": "Python",
    "nvidia-cuda-runtime": "CUDA",
    "image cuda": "CUDA",
}
_INDEX = re.compile(r"\[[^\]]*\]")
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Bump:
    """A proposal: ``current`` is the version that A's tag names and ``proposed`` the next one,
    None where the tag names none, nothing changed, or a person must decide."""

    a: Side
    b: Side
    level: BumpLevel
    current: str | None
    proposed: str | None
    reasons: tuple[str, ...]


def propose(comparison: Comparison, a: Version, b: Version, today: date) -> Bump:
    """Propose the next version number for B, which was made from A; a person decides."""
    level, reasons = _level(comparison, a, b)
    current = _current(a)
    proposed = None
    if current and level in ("major", "minor", "patch"):
        step: Level = "major" if level == "major" else "minor" if level == "minor" else "patch"
        if step == "major" and is_initial(current):
            level, step = "minor", "minor"
            reasons.append("before 1.0 a breaking change raises the minor part")
        made = a.kit.created.date() if a.kit.created else None
        proposed = next_version(current, step, today, made)
        if proposed is None:
            reasons.append(f"{current} names no version that could be counted on")
    elif current is None:
        reasons.append("A has no tag that names a version")
    return Bump(comparison.a, comparison.b, level, current, proposed, tuple(reasons))


def _level(comparison: Comparison, a: Version, b: Version) -> tuple[BumpLevel, list[str]]:
    if comparison.identical:
        return "none", ["the same manifest"]
    breaking = list(dict.fromkeys(_breaking(comparison)))
    unknown = list(_unknown(comparison, a, b))
    retrained = list(_retrained(comparison))
    small = list(_small(comparison))
    failures = [f"guardrail failed: {item.detail}" for item in failed(comparison.guardrails)]
    if failures:
        return "review", [*failures, *breaking, *unknown, *retrained, *small]
    if breaking:
        return "major", [*breaking, *unknown, *retrained]
    if unknown:
        return "review", [*unknown, *retrained, *small]
    if retrained:
        return "minor", [*retrained, *small]
    if small:
        return "patch", [*small, "the weights are the same"]
    return "none", ["the same content, packed in another way"]


def _breaking(comparison: Comparison) -> Iterator[str]:
    for row in _changed(comparison, "signature"):
        if row.note == "breaks callers":
            yield f"{row.key} {_words(row)}"
        elif row.key.startswith("tokenizer ") and row.verdict != "unknown":
            yield "the tokenizer changed"
    for row in _changed(comparison, "parameters"):
        parts = [_INDEX.sub("", part) for part in row.key.split(".")]
        if parts[-1] in _ARCHITECTURE or (parts[0] == "config" and parts[-1] in _SIZES):
            yield f"architecture: {row.key} {_words(row)}"
        elif not _LABELS.isdisjoint(parts):
            yield "the labels of the output changed"
    for row in _changed(comparison, "kitfile"):
        if row.key in _KITFILE_MAJOR and row.status == "changed":
            yield f"{row.key} {_words(row)}"
    shapes = [row for row in _tensors(comparison) if not _same_shape(row)]
    if shapes:
        yield f"architecture: {_some(shapes, 'tensors')} came, went or have another shape"
    for row in _changed(comparison, "environment"):
        what = _REQUIREMENTS.get(row.key)
        read = _major if what else _cuda_build
        before, after = read(row.a), read(row.b)
        if before is not None and after is not None and after > before:
            yield f"{what or f'the CUDA of {row.key}'} {row.b} is needed, it was {row.a}"


def _unknown(comparison: Comparison, a: Version, b: Version) -> Iterator[str]:
    """Yield what cannot be told, where it matters: the same weights keep their contract."""
    weights = _weights(comparison)
    if not weights:
        return
    if any(row.note == "not read" for row in weights):
        yield "the weights are not known: the kit that they come from was not read"
    missing = [side.label for side in (a, b) if side.facts.signature is None]
    if missing:
        labels = " and ".join(missing)
        verb = "declare" if len(missing) > 1 else "declares"
        yield f"{labels} {verb} no signature: whether callers break is unknown"
    for row in _changed(comparison, "signature"):
        if row.key == "tokenizer" and row.verdict == "unknown":
            yield "a tokenizer was found on one side only"


def _retrained(comparison: Comparison) -> Iterator[str]:
    weights = _weights(comparison)
    if weights:
        doubt = any(row.verdict == "unknown" for row in weights)
        yield "the weights changed" + (
            " (other bytes, their content is not known)" if doubt else ""
        )
    rows = [row for row in _changed(comparison, "data") if row.verdict != "unknown"]
    if rows:
        yield f"{_some(rows, 'data sets')} changed"
    rows = [
        row
        for row in _changed(comparison, "signature")
        if not row.note and row.key.partition(" ")[0] in ("input", "output", "param")
    ]
    yield from (f"{row.key} {_words(row)}, which breaks no caller" for row in rows)
    rows = [row for row in _tensors(comparison) if _same_shape(row)]
    if rows:
        yield f"{_some(rows, 'tensors')} have another type"
    rows = [row for row in _changed(comparison, "metrics") if _improved(row, comparison.policy)]
    if rows:
        yield f"{_some(rows, 'metrics')} improved by more than the policy lets them get worse"


def _improved(row: Row, policy: Policy | None) -> bool:
    """Whether a metric with a guardrail got better by more than that lets it get worse."""
    if policy is None or row.verdict != "better" or not row.like or row.metric is None:
        return False
    demanded = policy.metrics.get(row.metric)
    if demanded is None:
        return False
    demanded = demanded.slices.get(row.slice or "", demanded)
    moves = (
        (row.delta, demanded.max_regression),
        (row.relative, demanded.max_relative_regression),
    )
    beyond = [abs(move) > limit for move, limit in moves if move is not None and limit is not None]
    return bool(beyond) and all(beyond)


def _small(comparison: Comparison) -> Iterator[str]:
    for name, noun in (
        ("code", "files"),
        ("environment", "things of the environment"),
        ("parameters", "parameters"),
        ("metrics", "metrics"),
    ):
        rows = _changed(comparison, name)
        if rows:
            yield f"{_some(rows, noun)} changed"
    kinds = {
        row.key.partition(" ")[0]
        for row in _changed(comparison, "layers")
        if row.key.partition(" ")[0] not in (*_WEIGHTS, "dataset")
    }
    if kinds and not _changed(comparison, "code"):
        yield f"layers of {' and '.join(sorted(kinds))} changed"
    described = [row for row in _changed(comparison, "kitfile") if row.key not in _KITFILE_MAJOR]
    if described:
        yield f"{_some(described, 'fields of the Kitfile')} changed"


def _weights(comparison: Comparison) -> list[Row]:
    return [
        row
        for row in _changed(comparison, "layers")
        if row.key.partition(" ")[0] in _WEIGHTS and not row.note.startswith("same content")
    ]


def _changed(comparison: Comparison, name: str) -> list[Row]:
    """Return the rows of a section that differ; none where there is no such section."""
    return [
        row
        for section in comparison.sections
        if str(section.name) == name
        for row in section.rows
        if row.status != "equal"
    ]


def _tensors(comparison: Comparison) -> list[Row]:
    """Return the rows of tensors; others of their section tell of files and what these import."""
    rows = _changed(comparison, "tensors")
    return [row for row in rows if shape_of(row.a) or shape_of(row.b)]


def _same_shape(row: Row) -> bool:
    """Whether a tensor is on both sides with one shape: then its type alone changed."""
    return row.status == "changed" and shape_of(row.a) == shape_of(row.b)


def _words(row: Row) -> str:
    if row.status == "added":
        return f"was added: {row.b}"
    if row.status == "removed":
        return "was removed"
    return f"is {row.b}, was {row.a}"


def _some(rows: list[Row], noun: str) -> str:
    if len(rows) == 1:
        return rows[0].key
    names = ", ".join(row.key for row in rows[:_MOST_NAMES])
    return f"{len(rows)} {noun} ({names}{', …' if len(rows) > _MOST_NAMES else ''})"


def _major(value: object) -> int | None:
    found = re.search(r"\d+", value, re.ASCII) if isinstance(value, str) else None
    return int(found[0][:9]) if found else None


def _cuda_build(value: object) -> int | None:
    """Return the major version of CUDA that a package is built for: 12 for ``2.7.1+cu126``."""
    found = re.search(r"\+cu(\d{1,2})\d\b", value, re.ASCII) if isinstance(value, str) else None
    return int(found[1]) if found else None


def _current(version: Version) -> str | None:
    """Return the tag that names a version, else what its Kitfile calls it."""
    from rolldeck.facts.versions import is_version_tag

    tag = version.reference.partition("@")[0].rpartition("/")[2].partition(":")[2]
    stated = version.kit.package.get("version")
    for found in (tag, version.label, stated):
        if isinstance(found, str) and is_tag(found) and is_version_tag(found):
            return found
    return None
