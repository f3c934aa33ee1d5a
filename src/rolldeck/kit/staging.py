"""The directory that a version is unpacked into before anybody can see it.

Every name is created relative to an open directory, one component at a time, without following
links and without reusing what is there; no path out of an archive ever reaches the kernel whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rolldeck import fsops, half_made
from rolldeck.errors import UsageError
from rolldeck.kit.member_path import refused
from rolldeck.kit.tree import TreeEntry

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY_MODE = 0o755
_FORBIDDEN = 0o7002
"""Bits that nothing unpacked ever has: set-id, sticky, writable by everyone."""


class Staging:
    """A fresh tree that only its owner can enter; knows every name that it has made."""

    def __init__(self, root: int) -> None:
        """Take over ``root``, a descriptor of a new directory."""
        self._root = root
        self._parent: tuple[tuple[str, ...], int] | None = None
        self._umask = self._read_umask()
        self._entries: dict[str, TreeEntry] = {}

    @property
    def entries(self) -> tuple[TreeEntry, ...]:
        """What was made so far, sorted by path."""
        return tuple(sorted(self._entries.values(), key=lambda entry: entry.path))

    def add_directory(self, parts: tuple[str, ...], mode: int = _DIRECTORY_MODE) -> None:
        """Create a directory and its parents; one that was made before keeps its mode.

        Raises RefusedError where a file was made under that name.
        """
        for depth in range(1, len(parts)):
            self._make_directory(parts[:depth], _DIRECTORY_MODE)
        self._make_directory(parts, mode)

    def add_file(
        self, parts: tuple[str, ...], mode: int, chunks: Iterable[bytes | memoryview]
    ) -> None:
        """Create a file from its content, hashed and made durable, and its parents.

        Raises RefusedError where the name was made before.
        """
        path = "/".join(parts)
        if path in self._entries:
            raise refused(path, "it occurs twice")
        if parts[1:]:
            self.add_directory(parts[:-1])
        parent = self._open_parent(parts[:-1])
        with self._no_collision(path):
            descriptor = fsops.create(parts[-1], 0o600, dir_fd=parent)
        digest, size = hashlib.sha256(), 0
        try:
            for chunk in chunks:
                fsops.write(descriptor, chunk)
                digest.update(chunk)
                size += len(chunk)
            mode = self._permitted(mode, 0o600)
            fsops.set_mode(descriptor, mode)
            fsops.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._entries[path] = TreeEntry(path, "file", mode, size, digest.hexdigest())

    def seal(self) -> None:
        """Make every directory durable and give the root its final mode."""
        for entry in self.entries:
            if entry.type == "dir":
                fsops.fsync(self._open_parent(tuple(entry.path.split("/"))))
        fsops.set_mode(self._root, self._permitted(_DIRECTORY_MODE, 0o700))
        fsops.fsync(self._root)

    def close(self) -> None:
        """Close the directories that are still open."""
        self._close_parent()
        os.close(self._root)

    def _make_directory(self, parts: tuple[str, ...], mode: int) -> None:
        path = "/".join(parts)
        if known := self._entries.get(path):
            if known.type == "file":
                raise refused(path, "it is a file and a directory at once")
            return
        parent = self._open_parent(parts[:-1])
        with self._no_collision(path):
            fsops.make_directory(parts[-1], 0o700, dir_fd=parent)
        mode = self._permitted(mode, 0o700)
        descriptor = os.open(parts[-1], _DIRECTORY, dir_fd=parent)
        try:
            fsops.set_mode(descriptor, mode)
        finally:
            os.close(descriptor)
        self._entries[path] = TreeEntry(path, "dir", mode)

    def _open_parent(self, parts: tuple[str, ...]) -> int:
        """Open a directory of this tree; the last one stays open, members come in order."""
        if not parts:
            return self._root
        if self._parent is None or self._parent[0] != parts:
            self._close_parent()
            descriptor = os.dup(self._root)
            for part in parts:
                try:
                    below = os.open(part, _DIRECTORY, dir_fd=descriptor)
                finally:
                    os.close(descriptor)
                descriptor = below
            self._parent = (parts, descriptor)
        return self._parent[1]

    def _close_parent(self) -> None:
        if self._parent is not None:
            os.close(self._parent[1])
            self._parent = None

    @contextmanager
    def _no_collision(self, path: str) -> Iterator[None]:
        try:
            yield
        except FileExistsError:
            # Every name that we made is known, so the file system took two spellings for one.
            raise refused(path, "this file system takes it for another member's name") from None

    def _permitted(self, mode: int, owner: int) -> int:
        return (mode & 0o777 & ~self._umask | owner) & ~_FORBIDDEN

    def _read_umask(self) -> int:
        # os.umask would change it for every thread; a new directory shows it as well.
        fsops.make_directory("umask", 0o777, dir_fd=self._root)
        mode = os.stat("umask", dir_fd=self._root, follow_symlinks=False).st_mode
        fsops.remove_directory("umask", dir_fd=self._root)
        return ~mode & 0o777


def _missing_parents(path: Path) -> list[Path]:
    return [parent for parent in path.parents if not os.path.lexists(parent)]


def check_destination(destination: Path) -> None:
    """Raise UsageError unless ``destination`` is absent or an empty directory (not a link)."""
    if not os.path.lexists(destination):
        return
    if destination.is_symlink() or not destination.is_dir():
        what = "is not a directory"
    elif any(destination.iterdir()):
        what = "is not empty"
    else:
        return
    raise UsageError(
        f"{destination} {what}",
        reference=str(destination),
        hint="Name a directory that does not exist yet.",
    )


@contextmanager
def staged(destination: Path, check_space: Callable[[Path], None]) -> Iterator[Staging]:
    """Give a staging directory to the block; when the block ends it becomes ``destination``.

    After any error nothing of it is left, missing parents included. ``check_space`` is called
    with the directory that will hold the tree. Raises UsageError for a destination in use and
    StorageError for errors of the disk.
    """
    destination = Path(os.path.abspath(destination))
    with fsops.storage(destination):
        check_destination(destination)
        created = _missing_parents(destination)
        staging_path: Path | None = None
        try:
            fsops.make_directories(destination.parent)
            half_made.sweep(destination.parent)
            check_space(destination.parent)
            root, staging_path = half_made.make_temporary_directory(destination.parent)
            staging = Staging(root)
            try:
                yield staging
                staging.seal()
                check_destination(destination)
                fsops.rename_directory(staging_path, destination)
            finally:
                staging.close()
        except BaseException:
            if staging_path is not None:
                fsops.remove_tree(staging_path)
            for parent in created:
                with contextlib.suppress(OSError):
                    fsops.remove_directory(parent)
            raise
