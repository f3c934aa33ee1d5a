"""Where a version waits until it is whole: a hidden directory beside its destination.

Its name tells destination and version, so that the next run of the same command finds it and goes
on; it is locked while in use. Inside are ``tree`` (what becomes the destination in one rename)
and, for each layer that is received in one pass, what is known of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from rolldeck import fsops, half_made, locks
from rolldeck.errors import BusyError, StorageError, UsageError
from rolldeck.oci import Digest
from rolldeck.units import short_digest

PREFIX = ".rolldeck-part-"
"""Names of staging places begin with this."""

SKELETON = ".skeleton"
JOURNAL = ".journal"
"""Endings of the two files of a layer that is received in one pass."""

_TREE = "tree"
_LONGEST = 200
"""Bytes of a destination's name that are taken as they are; a longer one is hashed."""

_NAME = re.compile(re.escape(PREFIX) + r"(.+)-[0-9a-f]{12}", re.DOTALL)


class StagingPlace:
    """The staging place of one version for one destination; one process has it at a time.

    ``lasting`` is false where locks keep nobody out: then it has a name of its own, and nothing of
    it can be used by a later run.
    """

    def __init__(self, destination: Path, digest: Digest, *, occupied: bool = False) -> None:
        """``occupied``: the destination is a directory that stays, whatever it holds."""
        self.destination = Path(os.path.abspath(destination))
        self._occupied = occupied
        parent = self.destination.parent
        if occupied and (is_mount(self.destination) or not os.access(parent, os.W_OK)):
            # Only there is the file system that the files go to, or a place to write.
            parent = self.destination
        self.path = parent / f"{PREFIX}{_shown(self.destination)}-{short_digest(digest)}"
        self.tree = self.path / _TREE
        self.lasting = True
        self._published = False
        self._lock = -1
        self._parents: list[Path] = []

    def take(self) -> None:
        """Make or find the place and lock it, with the parents of its destination.

        Raises UsageError for a destination in use, BusyError where another process has the
        place. Places of other versions for the same destination, and empty ones, which nobody
        uses, are removed.
        """
        with fsops.storage(self.path):
            sweep_places(self.path.parent, self._is_stale)
            if not self._occupied:
                check_destination(self.destination)
            self._parents = [
                parent for parent in self.destination.parents if not os.path.lexists(parent)
            ]
            try:
                fsops.make_directories(self.path.parent)
                half_made.sweep(self.path.parent)
                self.lasting = _can_lock(self.path.parent)
                if not self.lasting:
                    self.path = half_made.temporary_name(self.path.parent)
                    self.tree = self.path / _TREE
                while not self._try():
                    pass
            except BaseException:
                self._remove_parents()
                raise

    def _try(self) -> bool:
        with contextlib.suppress(FileExistsError):
            fsops.make_directory(self.path, 0o700)
        try:
            self._lock = _lock(self.path, alone=not self.lasting)
        except FileNotFoundError:
            return False
        if self._lock < 0:
            raise BusyError(
                f"Another process is unpacking this version into {self.destination}",
                reference=str(self.destination),
                hint="Wait for it to finish.",
            )
        return True

    def _is_stale(self, place: Path) -> bool:
        if not (place / _TREE).exists():
            return True  # shown under its name before the process was killed, or never begun
        found = _NAME.fullmatch(place.name)
        return found is not None and found[1] == _shown(self.destination) and place != self.path

    def file(self, digest: Digest, ending: str) -> Path:
        """Where something about a layer is kept."""
        return self.path / (digest.replace(":", "-") + ending)

    def umask(self) -> int:
        """The process's umask, asked without changing it for every thread."""
        probe = self.path / "umask"
        with contextlib.suppress(FileNotFoundError):
            fsops.remove_directory(probe)
        fsops.make_directory(probe, 0o777)
        mode = os.stat(probe, follow_symlinks=False).st_mode
        fsops.remove_directory(probe)
        return ~mode & 0o777

    def publish(self) -> None:
        """Give the tree, complete and durable, its destination's name; the place goes."""
        check_destination(self.destination)
        fsops.rename_directory(self.tree, self.destination)
        self._published = True
        fsops.remove_tree(self.path)

    def merged(self) -> None:
        """Note that the tree's files are where they belong; the place goes."""
        self._published = True
        fsops.remove_tree(self.path)

    def give_up(self) -> None:
        """Remove the place and the parents that were made for it."""
        fsops.remove_tree(self.path)
        self._remove_parents()

    def _remove_parents(self) -> None:
        for parent in self._parents:
            with contextlib.suppress(OSError):
                fsops.remove_directory(parent)

    def close(self) -> None:
        """Give the lock back; a tree that is not published stays for the next time."""
        if self._published:
            # Once more, should the first try have failed: nobody looks for it any more.
            fsops.remove_tree(self.path)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _can_lock(directory: Path) -> bool:
    try:
        return locks.locks_hold(directory)
    except StorageError:
        return False  # some network file systems lock only what is open for writing


def _shown(destination: Path) -> str:
    name = destination.name
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONGEST else hashlib.sha256(encoded).hexdigest()


def _lock(path: Path, *, alone: bool = False) -> int:
    """Lock a place, unless it is ``alone`` by its name.

    Returns -1 where another process has it; FileNotFoundError where it has gone.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        if not alone and not locks.try_lock(descriptor):
            os.close(descriptor)
            return -1
        there, here = os.stat(path, follow_symlinks=False), os.fstat(descriptor)
        if (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            raise FileNotFoundError(path)
        if here.st_uid != os.geteuid() or here.st_mode & 0o077:
            # The name can be foreseen, so somebody else may have been there first.
            raise StorageError(
                f"{path} is in the way, and others can write there",
                reference=str(path),
                hint="Remove it, or choose another directory.",
            )
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def sweep_places(directory: Path, stale: Callable[[Path], bool]) -> None:
    """Remove the staging places in a directory that are ``stale`` and that nobody has locked."""
    if not directory.is_dir():
        return
    for entry in os.scandir(directory):
        path = Path(entry.path)
        if not (entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False)):
            continue
        if not stale(path):
            continue
        with contextlib.suppress(OSError, StorageError):
            held = _lock(path)
            if held >= 0:
                fsops.remove_tree(path)
                os.close(held)


def sweep_left(destination: Path) -> None:
    """Remove what killed processes left for a destination that has all of its files."""
    destination = Path(os.path.abspath(destination))
    shown = _shown(destination)

    def is_left(place: Path) -> bool:
        found = _NAME.fullmatch(place.name)
        return found is not None and found[1] == shown

    for directory in (destination.parent, destination):
        sweep_places(directory, is_left)


def is_worthless(place: Path) -> bool:
    """Whether a place holds nothing of a layer that could be gone on with."""
    names = {path.name for path in place.iterdir()}
    return _TREE not in names or not any(name.endswith(SKELETON) for name in names)


def is_mount(directory: Path) -> bool:
    """Whether a directory, not what a link leads to, is of another file system than its parent."""
    with fsops.storage(directory):
        return os.lstat(directory).st_dev != os.stat(directory.parent).st_dev


def is_occupied(destination: Path) -> bool:
    """Whether files can only get there one by one: a directory in use, or a mount point.

    Raises UsageError for what is no directory, or a link to one.
    """
    if not os.path.lexists(destination):
        return False
    if destination.is_symlink() or not destination.is_dir():
        check_destination(destination)
    with fsops.storage(destination):
        return any(destination.iterdir()) or is_mount(Path(os.path.abspath(destination)))


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
        hint="Name a directory that does not exist yet; rolldeck unpack fills one in use, too.",
    )
