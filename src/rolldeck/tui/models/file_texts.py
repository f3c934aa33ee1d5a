"""The files of two versions that can be shown as text, and how their text differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256

from rolldeck.compare import Comparison, Version
from rolldeck.tui.models.comparison_rows import ChangedLine, FileChange
from rolldeck.tui.models.comparison_state import Target
from rolldeck.tui.models.text_lines import LONGEST_LINE
from rolldeck.tui.models.text_rows import TextDiff, TextRow
from rolldeck.units import human_size, short_digest

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


def is_text(data: bytes) -> bool:
    """Return whether some bytes are UTF-8 text."""
    if b"\\0" in data:
        return False
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def file_pair(a: Version, b: Version, path: str) -> FilePair | None:
    """Return a file of both versions, or None where its bytes are not at hand."""
    one, other = a.files.get(path), b.files.get(path)
    return None if one is None and other is None else FilePair(path, one, other)


def changed_files(a: Version, b: Version) -> tuple[FilePair, ...]:
    """Return the files at hand that differ, by path."""
    paths = sorted({*a.files, *b.files})
    pairs = (FilePair(path, a.files.get(path), b.files.get(path)) for path in paths)
    return tuple(pair for pair in pairs if pair.differs)
