"""A disk that forgets: what may be left of a directory after power is lost between two calls.

A small model of POSIX, in the manner of ALICE: the bytes of a file are on the disk after an fsync
of the file, a name after an fsync of its directory; what is not synced may be there or not. From a
log of calls it draws the disk as it may be after each of them.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.faults.seam import Call

Loss = Literal["all that is not synced", "bytes that are not synced", "half of such bytes"]
LOSSES: tuple[Loss, ...] = (
    "all that is not synced",
    "bytes that are not synced",
    "half of such bytes",
)


@dataclass
class _Node:
    """A file, link or directory, as programs see it and as it is on the disk."""

    kind: int
    mode: int = 0o644
    data: bytes = b""
    synced: bytes = b""
    names: dict[str, _Node] = field(default_factory=dict)
    synced_names: dict[str, _Node] = field(default_factory=dict)

    def sync(self) -> None:
        """Have everything of this one node on the disk."""
        self.synced = self.data
        self.synced_names = dict(self.names)


class Disk:
    """What lies below one directory; all of it is on the disk in the beginning."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._top = _read(Path(self._root))

    def apply(self, call: Call) -> None:
        """Let one call take effect."""
        if call.name == "rename":
            node = self._parent(call.path).names.pop(os.path.basename(call.path))
            self._parent(call.to).names[os.path.basename(call.to)] = node
        elif call.name == "link":
            self._parent(call.to).names[os.path.basename(call.to)] = self._node(call.path)
        elif call.name in ("unlink", "rmdir"):
            del self._parent(call.path).names[os.path.basename(call.path)]
        elif call.name in ("create", "mkdir", "symlink"):
            kinds = {"create": stat.S_IFREG, "mkdir": stat.S_IFDIR, "symlink": stat.S_IFLNK}
            node = _Node(kinds[call.name], call.mode)
            if call.name == "symlink":
                node.data = node.synced = call.to.encode()
            self._parent(call.path).names[os.path.basename(call.path)] = node
        else:
            self._change(self._node(call.path), call)

    @staticmethod
    def _change(node: _Node, call: Call) -> None:
        if call.name == "write":
            data = base64.b64decode(call.data)
            before = node.data[: call.at].ljust(call.at, b"\0")
            node.data = before + data + node.data[call.at + len(data) :]
        elif call.name == "ftruncate":
            node.data = node.data[: call.at].ljust(call.at, b"\0")
        elif call.name == "truncate":
            node.data = b""
        elif call.name == "fchmod":
            node.mode = call.mode
        elif call.name == "fsync":
            node.sync()
        elif call.name != "ioctl":  # which reserves room behind the end
            raise AssertionError(f"not in the model: {call}")

    def _parent(self, path: str) -> _Node:
        return self._node(os.path.dirname(path))

    def _node(self, path: str) -> _Node:
        node = self._top
        relative = os.path.relpath(path, self._root)
        for name in () if relative == "." else relative.split("/"):
            node = node.names[name]
        return node

    def image(self, loss: Loss) -> dict[str, tuple[int, int, bytes]]:
        """Return what is there after such a loss: kind, mode and bytes by relative path."""
        return dict(_image(self._top, "", loss))


def _image(node: _Node, place: str, loss: Loss) -> Iterator[tuple[str, tuple[int, int, bytes]]]:
    names = node.synced_names if loss == "all that is not synced" else node.names
    for name, child in names.items():
        path = f"{place}{name}"
        data = child.synced
        if loss == "half of such bytes" and child.data != child.synced:
            data = child.data[: (len(child.synced) + len(child.data)) // 2]
        yield path, (child.kind, child.mode, data)
        yield from _image(child, f"{path}/", loss)


def draw(image: Iterable[tuple[str, tuple[int, int, bytes]]], root: Path) -> None:
    """Make an image's files below ``root``, which is new."""
    root.mkdir()
    for path, (kind, mode, data) in image:
        place = root / path
        if kind == stat.S_IFDIR:
            place.mkdir()
            place.chmod(mode)
        elif kind == stat.S_IFLNK:
            place.symlink_to(data.decode())
        else:
            place.write_bytes(data)
            place.chmod(mode)


def _read(path: Path) -> _Node:
    found = path.lstat()
    node = _Node(stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode))
    if node.kind == stat.S_IFDIR:
        node.names = {child.name: _read(child) for child in path.iterdir()}
    elif node.kind == stat.S_IFLNK:
        node.data = os.readlink(path).encode()
    else:
        node.data = path.read_bytes()
    node.sync()
    return node
