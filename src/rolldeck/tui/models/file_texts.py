"""The files of two versions that can be shown as text, and how their text differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from rolldeck.compare import Version
from rolldeck.facts.document import unique
from rolldeck.facts.file_type import is_text
from rolldeck.text import clean_line
from rolldeck.tui.models.comparison_files import ChangedLine, FileChange
from rolldeck.tui.models.comparison_state import Target
from rolldeck.tui.models.text_lines import left_parts, right_parts
from rolldeck.tui.models.text_rows import TextDiff, text_diff
from rolldeck.units import human_size

FileChanges = Mapping[Target, FileChange]
"""How the text of files differs, by the rows that stand for them."""

FIRST_LINES = 2
"""How many changed lines of a file the comparison itself shows."""

SMALL = 256 * 1024
"""Largest file whose changed lines are counted before somebody opens it."""


@dataclass(frozen=True, slots=True)
class FilePair:
    """One file on both sides; None where a side does not have it."""

    path: str
    a: bytes | None
    b: bytes | None

    @property
    def differs(self) -> bool:
        """Whether the sides differ."""
        return self.a != self.b

    @property
    def textual(self) -> bool:
        """Whether both sides are text."""
        return not any(side is not None and not is_text(side) for side in (self.a, self.b))

    @property
    def size(self) -> int:
        """Bytes of the larger side."""
        return max(len(self.a or b""), len(self.b or b""))

    @property
    def status(self) -> str:
        """What happened to the file, in a word."""
        if self.a is None:
            return "added"
        return "removed" if self.b is None else "changed" if self.differs else "same"


_CODE = (".py", ".ipynb", ".sh", ".r", ".jl", ".cpp", ".cu", ".rs", ".toml", ".yaml", ".yml")
_DOCS = (".md", ".rst", ".txt")
_RECORD_PLACES = ("runs/", "mlruns/", "run.", "metrics.", "docs/")


def reading_order(pair: FilePair) -> tuple[int, str]:
    """Return what sorts files to choose from: code first, docs and records of runs last."""
    path = pair.path.casefold()
    name = path.rpartition("/")[2]
    if path.startswith("src/") or path.endswith(_CODE) or name.startswith("requirements"):
        return 0, pair.path
    record = path.startswith(_RECORD_PLACES) or name.startswith(("run.", "metrics.", "run_"))
    return (2 if record or path.endswith(_DOCS) else 1), pair.path


def files_by_row(a: Version, b: Version) -> dict[Target, FilePair]:
    """Return the files at hand by the rows that stand for them."""
    return {
        target: FilePair(path, a.files.get(path), b.files.get(path))
        for target, path in paths_by_row(a, b).items()
        if not any(path not in side.files and side.may_have(path) for side in (a, b))
    }


def paths_by_row(a: Version, b: Version) -> dict[Target, str]:
    """Return the paths of all files, those that were not read among them, by their rows."""
    paths = sorted({*a.files, *a.listed, *b.files, *b.listed})
    keys = unique(clean_line(path, 500) for path in paths)
    return {Target("code", key): path for key, path in zip(keys, paths, strict=True)}


def count_changes(
    files: Mapping[Target, FilePair], cancelled: Callable[[], bool]
) -> dict[Target, FileChange]:
    """Return how the text of the files differs that are on both sides and not too large."""
    changes: dict[Target, FileChange] = {}
    for target, pair in files.items():
        if cancelled():
            break
        if pair.status == "changed" and pair.textual and pair.size <= SMALL:
            changes[target] = _change(text_diff(pair.a, pair.b))
    return changes


def _change(diff: TextDiff) -> FileChange:
    first: list[ChangedLine] = []
    for start, end in diff.changes[:1]:
        rows = diff.rows[start:end]
        first += [
            ChangedLine("-", row.left_number, tuple(left_parts(row)))
            for row in rows
            if row.left_number is not None
        ][:FIRST_LINES]
        first += [
            ChangedLine("+", row.right_number, tuple(right_parts(row)))
            for row in rows
            if row.right_number is not None
        ][:FIRST_LINES]
    return FileChange(diff.added, diff.removed, tuple(first))


def describe_bytes(pair: FilePair, labels: tuple[str, str]) -> tuple[str, ...]:
    """Return what is to be said of a file that is not text: sizes and digests of both sides."""
    width = max(len(clean_line(label)) for label in labels)
    lines = [
        f"{clean_line(label):<{width}}  {_bytes(data)}"
        for label, data in zip(labels, (pair.a, pair.b), strict=True)
    ]
    words = "The same bytes on both sides." if not pair.differs else "The bytes differ."
    return ("This file is not UTF-8 text, so its lines cannot be compared.", "", *lines, "", words)


def _bytes(data: bytes | None) -> str:
    if data is None:
        return "is not there"
    return f"{human_size(len(data))}  sha256:{sha256(data).hexdigest()[:12]}"
