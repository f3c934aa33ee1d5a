"""The record of an unpacked tree: what was written, and whether it is still so.

``unpack`` returns a ``Tree``; it is kept as JSON beside the tree (never inside it), and
``verify_tree`` holds the files against it later.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from rolldeck.errors import IntegrityError
from rolldeck.fsops import storage
from rolldeck.oci import Digest, parse_digest
from rolldeck.progress import Progress

if TYPE_CHECKING:
    from rolldeck.kit.skeleton import Skeleton

EntryType = Literal["file", "dir"]

Stamp = tuple[int, int, int, int]
"""Inode, size and times of modification and change in nanoseconds: any write changes it, and the
time of change cannot be set back."""

_NO_NAMES = frozenset(("", ".", ".."))
"""What a path in a record never holds; a path there is compared with others, never opened."""

_CHUNK = 1024 * 1024
_TYPE_NAMES = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a directory", stat.S_IFREG: "a file"}


class TreeEntry(NamedTuple):
    """One file or directory: relative path, permission bits, size in bytes, sha256 in hex.

    A directory has size 0 and no sha256. A large file that came in one pass has none either: it
    is checked by the digest of its ``layer``, which it is a part of.
    """

    path: str
    type: EntryType
    mode: int
    size: int = 0
    sha256: str | None = None
    layer: Digest | None = None


@dataclass(frozen=True)
class Tree:
    """Everything that was written, sorted by path, and the layers that were left out."""

    entries: tuple[TreeEntry, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    @cached_property
    def files(self) -> int:
        """Number of files."""
        return sum(entry.type == "file" for entry in self.entries)

    @cached_property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)

    def to_json(self) -> dict[str, Any]:
        """Return the tree as a JSON document."""
        return {
            "entries": [
                {
                    "path": entry.path,
                    "type": entry.type,
                    "mode": f"{entry.mode:04o}",
                    "size": entry.size,
                    "sha256": entry.sha256,
                }
                | ({"layer": entry.layer} if entry.layer else {})
                for entry in self.entries
            ],
            "skipped": [{"path": path, "reason": reason} for path, reason in self.skipped],
        }

    @classmethod
    def from_json(cls, document: Any) -> Tree:
        """Read a tree back; raises IntegrityError where the record is damaged."""
        try:
            entries = tuple(_read_entry(item) for item in document["entries"])
            skipped = tuple(
                (str(item["path"]), str(item["reason"])) for item in document["skipped"]
            )
        except (KeyError, TypeError, ValueError, IntegrityError):
            raise IntegrityError(
                "The record of the unpacked tree is damaged", hint="Unpack the version again."
            ) from None
        return cls(entries, skipped)


def _read_entry(item: Any) -> TreeEntry:
    path, kind, size, sha256 = item["path"], item["type"], item["size"], item["sha256"]
    layer = parse_digest(item["layer"]) if "layer" in item else None
    has_own = kind == "file" and layer is None
    well_formed = (
        isinstance(path, str)
        and _NO_NAMES.isdisjoint(path.split("/"))
        and kind in ("file", "dir")
        and type(size) is int
        and size >= 0
        and (isinstance(sha256, str) and len(bytes.fromhex(sha256)) == 32) == has_own
    )
    if not well_formed:
        raise ValueError
    return TreeEntry(path, cast(EntryType, kind), int(item["mode"], 8), size, sha256, layer)


def verify_tree(
    root: Path,
    tree: Tree,
    progress: Progress,
    stamps: Mapping[str, Stamp] | None = None,
    *,
    believe_stamps: bool = True,
    skeletons: Callable[[Digest], Skeleton | None] = lambda layer: None,
) -> list[tuple[str, str]]:
    """Compare the files under ``root`` with the record; return (path, problem), sorted.

    Finds what is missing, extra, of another type, or of another size or content; permission bits
    may differ. With ``stamps`` a file whose stamp is unchanged is not read again, unless
    ``believe_stamps`` is False: then they only help to name what was changed. Files without a
    hash of their own are checked by their layers, whose ``skeletons`` are needed for that. Never
    follows a link, ``root`` included. Raises StorageError for what cannot be read, CancelledError
    when asked to stop.
    """
    known = stamps or {}
    progress.expect(tree.bytes)
    expected = {entry.path: entry for entry in tree.entries}
    problems: list[tuple[str, str]] = []
    unsure: dict[Digest, dict[str, bool]] = {}
    with storage(root):
        for path, name, directory in _walk(root):
            entry = expected.pop(path, None)
            if entry is None:
                problems.append((path, "extra"))
                continue
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            touched = path in known and known[path] != _stamp(found)
            if believe_stamps and path in known and not touched:
                progress.advance(entry.size)
            elif problem := _compare(entry, found, name, directory, progress):
                problems.append((path, problem))
            elif entry.layer is not None:
                unsure.setdefault(entry.layer, {})[path] = touched
                # All of its layer is read for it, and counted there.
                progress.expect(-entry.size)
    problems += [(path, "missing") for path in expected]
    for layer, files in unsure.items():
        problems += _check_by_layer(root, skeletons(layer), files, dict(problems), progress)
    return sorted(problems)


def _check_by_layer(
    root: Path,
    skeleton: Skeleton | None,
    files: Mapping[str, bool],
    known: Mapping[str, str],
    progress: Progress,
) -> list[tuple[str, str]]:
    if skeleton is None:
        return [(path, "cannot be checked: its skeleton is missing") for path in files]
    # Imported here: most trees have no such file, and to roll back should be quick.
    from rolldeck.kit.rebuild import changed_files

    progress.expect(skeleton.layer.size)
    return changed_files(root, skeleton, files, set(known), progress)


def stamp_tree(root: Path) -> dict[str, Stamp]:
    """Return the stamps of the files under ``root``, taken right after they were written."""
    with storage(root):
        found = {
            path: os.stat(name, dir_fd=directory, follow_symlinks=False)
            for path, name, directory in _walk(root)
        }
    return {path: _stamp(status) for path, status in found.items() if stat.S_ISREG(status.st_mode)}


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _walk(root: Path) -> Iterator[tuple[str, str, int]]:
    """Yield path, name and open parent directory of everything under ``root``."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # From a descriptor, not from a name: nobody can put a link in the way meanwhile.
        for place, directories, files, parent in os.fwalk(".", dir_fd=descriptor):
            base = place.removeprefix(".").removeprefix("/")
            for name in (*directories, *files):
                yield f"{base}/{name}" if base else name, name, parent
    finally:
        os.close(descriptor)


def _compare(
    entry: TreeEntry, found: os.stat_result, name: str, directory: int, progress: Progress
) -> str | None:
    kind = stat.S_IFMT(found.st_mode)
    wanted = stat.S_IFDIR if entry.type == "dir" else stat.S_IFREG
    if kind != wanted:
        return f"is {_TYPE_NAMES.get(kind, 'a special file')}, not {_TYPE_NAMES[wanted]}"
    if entry.type == "dir":
        return None
    if found.st_size != entry.size:
        return f"has {found.st_size} bytes instead of {entry.size}"
    if entry.sha256 is None or _sha256(name, directory, progress) == entry.sha256:
        return None
    return "content changed"


def _sha256(name: str, directory: int, progress: Progress) -> str:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    digest = hashlib.sha256()
    with open(os.open(name, flags, dir_fd=directory), "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            progress.check()
            digest.update(chunk)
            progress.advance(len(chunk))
    return digest.hexdigest()
