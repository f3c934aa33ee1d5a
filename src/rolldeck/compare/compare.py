"""Two versions to one ``Comparison``: every section, its rows worst first, and the summary."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rolldeck.compare.data import data_rows
from rolldeck.compare.direction import NO_DIRECTIONS, Directions
from rolldeck.compare.environment import environment_rows
from rolldeck.compare.files import NOT_READ, Content, ListedFile, file_rows
from rolldeck.compare.guardrail import judged
from rolldeck.compare.layers import layer_rows
from rolldeck.compare.likeness import Likeness, likeness
from rolldeck.compare.metrics import metric_rows
from rolldeck.compare.model import Comparison, Row, Section, SectionName, Side
from rolldeck.compare.policy import Policy
from rolldeck.compare.summary import IDENTICAL, summarise, suspects
from rolldeck.compare.tensors import tensor_rows
from rolldeck.compare.values import (
    kitfile_rows,
    lineage_rows,
    manifest_rows,
    parameter_rows,
    signature_rows,
)
from rolldeck.facts.model import Facts
from rolldeck.kit.chain import Link
from rolldeck.kit.model import Kit, Layer
from rolldeck.text import clean_line


@dataclass(frozen=True, slots=True)
class Version:
    """One version as it is compared: ``label`` is its short name, ``files`` the small text files
    of its code and docs layers by path, empty where these were not read.

    ``chain`` are the kits that its model comes from, whose layers stand in ``kit`` with theirs as
    origin; ``chain_problem`` says why they are not known. ``members`` are the sha256 of all files
    of the layers that were read, by the layers' digests. ``listed`` are files of code and docs that
    are known by size alone, ``hidden`` the layers of which not even that is known. ``remarks`` say
    in words which layers were not looked through to their end.
    """

    reference: str
    label: str
    kit: Kit
    facts: Facts
    files: Mapping[str, bytes] = field(default_factory=dict)
    chain: tuple[Link, ...] = ()
    chain_problem: str | None = None
    members: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    listed: Mapping[str, ListedFile] = field(default_factory=dict)
    hidden: tuple[Layer, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What of this version was not read, so that a comparison cannot know it."""
        chain = (self.chain_problem,) if self.chain_problem else ()
        return (*chain, *(f"{clean_line(self.label, 60)}: {text}" for text in self.remarks))

    @property
    def side(self) -> Side:
        """What names this version in a comparison."""
        return Side(self.reference, self.kit.digest, self.label)

    def may_have(self, path: str) -> bool:
        """Whether there is or may be a file of code or docs by this path that was not read."""
        return path in self.listed or any(_lies_in(path, _element(item)) for item in self.hidden)


def compare(
    a: Version,
    b: Version,
    tolerance: float = 0.0,
    directions: Directions = NO_DIRECTIONS,
    policy: Policy | None = None,
) -> Comparison:
    """Compare two versions; A is the baseline, deltas are B minus A.

    ``tolerance`` is a fraction: a metric that moves by no more than it counts as equal.
    ``directions`` is what the user says of metrics, ``policy`` what is demanded of them. One
    digest is one version, whatever was read of either side.
    """
    tolerance = max(tolerance, 0.0)
    identical = a.kit.digest == b.kit.digest
    other = a if identical else b
    sections = {
        name: Section(name, tuple(sort_rows(rows)))
        for name, rows in _rows(a, other, tolerance, directions).items()
    }
    shown = tuple(sections.values())
    if identical:
        same = Comparison(a.side, b.side, True, IDENTICAL, shown, tolerance)
        return judged(same, policy)
    found = _likeness(a, b, sections)
    paths = _code_paths(a.kit, b.kit)
    comparison = Comparison(
        a.side,
        b.side,
        False,
        summarise(sections, paths, found.unlike),
        shown,
        tolerance,
        found.same,
        found.unlike,
        suspects(sections, paths),
        tuple(dict.fromkeys((*a.problems, *b.problems))),
    )
    return judged(comparison, policy)


def _likeness(a: Version, b: Version, sections: Mapping[SectionName, Section]) -> Likeness:
    rows = (sections["metrics"].rows, sections["data"].rows)
    return likeness(a.facts.metrics, b.facts.metrics, *rows)


def _rows(
    a: Version, b: Version, tolerance: float, directions: Directions
) -> dict[SectionName, list[Row]]:
    """Return the rows of all sections, in the order in which they are shown."""
    return {
        "manifest": manifest_rows(a.kit, b.kit),
        "layers": _layer_rows(a, b),
        "kitfile": kitfile_rows(a.kit, b.kit),
        "metrics": metric_rows(a.facts.metrics, b.facts.metrics, tolerance, directions),
        "parameters": parameter_rows(a.facts.parameters, b.facts.parameters),
        "environment": environment_rows(a.facts, b.facts),
        "code": _code_rows(a, b) if _files_read(a) and _files_read(b) else [],
        "data": data_rows(a.facts.data, b.facts.data),
        "tensors": tensor_rows(a.facts, b.facts),
        "signature": signature_rows(a.facts, b.facts),
        "lineage": lineage_rows(a.facts, b.facts),
    }


def _layer_rows(a: Version, b: Version) -> list[Row]:
    """Return the rows of the layers; one instead of all weights where a side's are not known."""
    members = {**a.members, **b.members}
    if not (a.chain_problem or b.chain_problem):
        return layer_rows(a.kit, b.kit, members)
    left, right = (clean_line(version.kit.model_reference or "its own", 500) for version in (a, b))
    if left == right:
        weights = Row("model", "equal", left, right, note="not read")
    else:
        weights = Row("model", "changed", left, right, verdict="unknown", note="not read")
    return [weights, *layer_rows(_without_weights(a.kit), _without_weights(b.kit), members)]


def _without_weights(kit: Kit) -> Kit:
    kept = tuple(layer for layer in kit.layers if layer.kind not in ("model", "modelpart"))
    return replace(kit, layers=kept)


def _files_read(version: Version) -> bool:
    """Whether the files are known: read, or none to be read."""
    kinds = {layer.kind for layer in version.kit.layers}
    known = version.files or version.listed
    return bool(known) or kinds.isdisjoint(("code", "docs", "prompt"))


def _code_rows(a: Version, b: Version) -> list[Row]:
    """Return the rows of files; one for a layer whose files are not known on a side."""
    shared = {layer.digest for layer in a.hidden} & {layer.digest for layer in b.hidden}
    hidden = dict.fromkeys(
        _element(layer) for layer in (*a.hidden, *b.hidden) if layer.digest not in shared
    )
    rows = file_rows(_known_files(a, hidden), _known_files(b, hidden))
    for element in hidden:
        key, one, other = clean_line(element, 500), _state(a, element), _state(b, element)
        rows.append(Row(key, "changed", one, other, verdict="unknown", note=NOT_READ))
    return rows


def _known_files(version: Version, hidden: Iterable[str]) -> dict[str, Content]:
    known: dict[str, Content] = {**version.listed, **version.files}
    return {
        path: content
        for path, content in known.items()
        if not any(_lies_in(path, element) for element in hidden)
    }


def _element(layer: Layer) -> str:
    return posixpath.normpath(layer.path) if layer.path else "."


def _lies_in(path: str, element: str) -> bool:
    return element == "." or path == element or path.startswith(f"{element}/")


def _state(version: Version, element: str) -> str | None:
    """Return whether the files of an element are known; None where there is no such element."""
    if any(_element(layer) == element for layer in version.hidden):
        return NOT_READ
    paths = (*version.files, *version.listed)
    return "read" if any(_lies_in(path, element) for path in paths) else None


def _code_paths(*kits: Kit) -> set[str]:
    return {
        posixpath.normpath(layer.path)
        for kit in kits
        for layer in kit.layers
        if layer.kind in ("code", "prompt") and layer.path
    }


_STATUSES = ("changed", "added", "removed", "equal")


def sort_rows(rows: Iterable[Row]) -> list[Row]:
    """Return rows worst first.

    Regressions come first, the largest relative change before smaller ones and one without a
    relative change before all; then other changes by relative change, then what has none by
    status (changed, added, removed) and key, and what is equal last.
    """
    return sorted(rows, key=_rank)


def _rank(row: Row) -> tuple[int, float, int, str]:
    status = _STATUSES.index(row.status)
    if row.status == "equal":
        return 3, 0.0, status, row.key
    moved = None if row.relative is None else -abs(row.relative)
    if row.verdict == "worse":
        return 0, float("-inf") if moved is None else moved, status, row.key
    if moved is not None:
        return 1, moved, status, row.key
    return 2, 0.0, status, row.key
