"""What lies in the directory that is packed: names, types and sizes, no content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rolldeck.fsops import storage
from rolldeck.progress import Progress

ContextKind = Literal["file", "dir", "link", "special"]


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """One name: its path relative to the context, what it is, its size in bytes (files only)."""

    path: str
    kind: ContextKind
    size: int = 0

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.path.rpartition("/")[2]


class ContextTree:
    """All entries below a directory; each directory stands before what lies in it."""

    def __init__(self, entries: Sequence[ContextEntry]) -> None:
        self.entries = tuple(entries)
        self._index = {entry.path: number for number, entry in enumerate(self.entries)}

    def find(self, path: str) -> ContextEntry | None:
        """Return the entry of a path, None where nothing lies there."""
        number = self._index.get(path)
        return None if number is None else self.entries[number]

    def within(self, path: str) -> Iterator[ContextEntry]:
        """Yield the entry of a path and all that lies below it; all for the empty path."""
        if not path:
            yield from self.entries
            return
        number = self._index.get(path, len(self.entries))
        while number < len(self.entries):
            entry = self.entries[number]
            if entry.path != path and not entry.path.startswith(f"{path}/"):
                return
            yield entry
            number += 1


def read_context(
    root: Path,
    progress: Progress,
    enter: Callable[[ContextEntry], bool] = lambda directory: True,
) -> ContextTree:
    """List a directory, names sorted by their bytes; links are not followed.

    ``enter`` says whether to look into a directory; it is listed in any case. Raises StorageError
    for a directory that cannot be read.
    """
    entries: list[ContextEntry] = []
    waiting = [ContextEntry("", "dir")]
    while waiting:
        entry = waiting.pop()
        if entry.path:
            entries.append(entry)
        if entry.kind == "dir" and (not entry.path or enter(entry)):
            progress.check()
            found = _scan(root, entry.path)
            waiting += sorted(found, key=lambda item: os.fsencode(item.path), reverse=True)
    return ContextTree(entries)


def _scan(root: Path, directory: str) -> list[ContextEntry]:
    found = []
    start = f"{directory}/" if directory else ""
    with storage(root / directory), os.scandir(root / directory) as names:
        for item in names:
            path = start + item.name
            if item.is_symlink():
                found.append(ContextEntry(path, "link"))
            elif item.is_dir():
                found.append(ContextEntry(path, "dir"))
            elif item.is_file():
                found.append(ContextEntry(path, "file", item.stat(follow_symlinks=False).st_size))
            else:
                found.append(ContextEntry(path, "special"))
    return found
