"""What a layer will hold, and what lies there and is left out; no content is read.

Members are the element's parent directories, then its files and directories, sorted by the bytes
of their names in each directory, as kit walks them. In a few places kit drops files without a word:
here they are packed, unless the caller wants the very layers of kit.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rolldeck.errors import NotFoundError, RefusedError
from rolldeck.fsops import storage
from rolldeck.kit.kitfile import KITFILE_NAMES
from rolldeck.kit.kitignore import KITIGNORE, KitIgnore
from rolldeck.kit.member_path import member_parts
from rolldeck.kit.unwanted import SYSTEM, SYSTEM_NAMES

_NEVER = (*KITFILE_NAMES, KITIGNORE)

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """One member to write: path relative to the context, permission bits, size in bytes.

    ``stamp`` is what tells whether the file is the same later on: device, inode, and the times in
    nanoseconds of the last change of its content and of its status.
    """

    path: str
    is_dir: bool
    mode: int
    size: int
    stamp: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class LayerListing:
    """What a layer will hold, and (path, reason) of what it leaves out although it lies there."""

    entries: tuple[LayerEntry, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def size(self) -> int:
        """Bytes of the files' content."""
        return sum(entry.size for entry in self.entries)


def layer_entries(
    context: Path,
    element_path: str,
    ignore: KitIgnore | None = None,
    others: Mapping[str, str | None] | None = None,
    *,
    exact_kit: bool = False,
) -> LayerListing:
    """List the layer of one Kitfile element.

    ``others`` are the paths of all that is packed elsewhere: what lies in them is not in this
    layer, unless this element lies in theirs; the value says why that is worth telling, None where
    another layer holds it. A Kitfile and a .kitignore at the root belong to no layer.
    ``exact_kit`` drops and keeps what kit v1.11 does. Raises NotFoundError where the element does
    not exist, RefusedError where its path leads outside the context.
    """
    element = member_parts(element_path, empty=True)
    with storage(context):
        if not os.path.lexists(context.joinpath(*element)):
            raise NotFoundError(
                f"{element_path} does not exist in {context}",
                reference=element_path,
                hint="Correct the path in the Kitfile.",
            )
        walk = _Walk(context, element, ignore or KitIgnore(), exact_kit)
        for path, why in (others or {}).items():
            walk.add_other(member_parts(path, empty=True), why)
        walk.run()
    return LayerListing(tuple(walk.entries), tuple(walk.left_out))


@dataclass
class _Walk:
    context: Path
    element: Parts
    ignore: KitIgnore
    exact_kit: bool
    entries: list[LayerEntry] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    others: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path = "/".join(self.element)
        self.takes_back = any(pattern.takes_back for pattern in self.ignore.patterns)

    def add_other(self, parts: Parts, why: str | None) -> None:
        other = "/".join(parts)
        inside = parts == self.element[: len(parts)]
        if not (self.path.startswith(other) if self.exact_kit else inside):
            self.others[other] = why

    def run(self) -> None:
        """List the directories above the element, then all of it."""
        for depth in range(1, len(self.element)):
            if not self.above(self.element[:depth]):
                return
        if self.element:
            self.below(self.element)
        else:
            self.descend(())

    def above(self, parts: Parts) -> bool:
        """List a directory that the element lies in; False where nothing in it is packed."""
        path, found = self.look(parts)
        if self.is_elsewhere(path):
            return False
        reason = self.reason(parts, path, found)
        hidden = self.hidden(path)
        if reason or (hidden and not self.takes_back):
            self.left_out.append((path, reason or hidden or ""))
            return False
        if not hidden:
            self.add(path, found)
        return True

    def below(self, parts: Parts) -> None:
        """List a path of the element and all that lies in it."""
        path, found = self.look(parts)
        if self.is_elsewhere(path):
            return
        is_dir = stat.S_ISDIR(found.st_mode)
        reason = self.reason(parts, path, found)
        hidden = self.hidden(path)
        if reason or (hidden and not (is_dir and self.takes_back)):
            self.left_out.append((path, reason or hidden or ""))
            return
        if not hidden:
            self.add(path, found)
            if is_dir:
                self.descend(parts)
            return
        packed, told = len(self.entries), len(self.left_out)
        self.descend(parts)
        if len(self.entries) == packed:
            # Nothing was taken back: the directory stands for what lies in it.
            self.left_out[told:] = [(path, hidden)]

    def descend(self, parts: Parts) -> None:
        """List what lies in a directory."""
        with os.scandir(self.context.joinpath(*parts)) as found:
            names = sorted((item.name for item in found), key=os.fsencode)
        for name in names:
            self.below((*parts, name))

    def look(self, parts: Parts) -> tuple[str, os.stat_result]:
        """Return the path that parts make, and what lies there."""
        path = "/".join(parts)
        return path, os.lstat(self.context / path)

    def add(self, path: str, found: os.stat_result) -> None:
        """Add a member."""
        is_dir = stat.S_ISDIR(found.st_mode)
        stamp = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        size = 0 if is_dir else found.st_size
        self.entries.append(LayerEntry(path, is_dir, stat.S_IMODE(found.st_mode), size, stamp))

    def is_elsewhere(self, path: str) -> bool:
        """Whether a path belongs to no layer, or to another one; tells what is worth telling."""
        if path in _NEVER:
            return True
        for other, why in self.others.items():
            inside = path == other or path.startswith(f"{other}/")
            if inside or (self.exact_kit and path.startswith(other)):
                if why or not inside:
                    self.left_out.append((path, why or f"kit takes it for a part of {other}"))
                return True
        return False

    def hidden(self, path: str) -> str | None:
        """Return why .kitignore hides a path."""
        pattern = self.ignore.hidden_by(path)
        return (
            f"hidden by {pattern.text} in line {pattern.line} of {KITIGNORE}" if pattern else None
        )

    def reason(self, parts: Parts, path: str, found: os.stat_result) -> str | None:
        """Return why something is not packed, whatever .kitignore says."""
        if stat.S_ISLNK(found.st_mode):
            return "symbolic links are not packed"
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            return "special files are not packed"
        if self.exact_kit:
            there = posixpath.relpath(path, self.path or ".")
            back = posixpath.relpath(self.path or ".", path)
            return (
                "kit drops names with two dots in a row" if ".." in there and ".." in back else None
            )
        if parts[-1].lower() in SYSTEM_NAMES and len(parts) > len(self.element):
            return SYSTEM.why
        try:
            member_parts(path)
        except RefusedError as refusal:
            return refusal.message.rpartition(": ")[2]
        return None
