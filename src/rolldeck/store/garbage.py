"""Garbage: the blobs of a library that no name, no target and no running operation needs.

Mark and sweep under the library's lock. The lock is held only while files are renamed, not while
the disk frees them. Order: the index, then manifests, then blobs, so that nothing named is ever
incomplete, wherever it is cut short. An open file stays readable after it was removed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rolldeck import fsops, half_made
from rolldeck.oci import Digest
from rolldeck.oci.layout import CAME_FROM, Entry
from rolldeck.store.debris import Garbage, find_debris, remove_debris
from rolldeck.store.lease import read_leases
from rolldeck.store.library import Library
from rolldeck.store.reach import Reach

GRACE = 24 * 3600.0
"""Seconds for which a version without a tag is kept after it came."""

Why = Literal["tag", "target", "operation", "young", "referrer", "unreadable"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is kept; ``what`` names the tag, the target's path, the operation."""

    why: Why
    what: str


@dataclass(frozen=True, slots=True)
class Need:
    """A digest that must stay with all that it names. ``digest`` None: nobody knows which."""

    digest: Digest | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that stays: the bytes of all its blobs that are here, and why."""

    digest: Digest
    size: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What can go and what stays; ``problems`` are why nothing but debris can go.

    ``spare`` are blobs that stay, although a release holds them, too.
    """

    garbage: tuple[Garbage, ...]
    kept: tuple[Kept, ...]
    problems: tuple[str, ...]
    spare: tuple[Garbage, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that would be free."""
        return sum(item.size for item in self.garbage)


Needs = Callable[[], Iterable[Need]]

Holder = Callable[[Digest], Path | None]
"""Tells which unpacked release holds a blob, too; None for none."""


def survey(
    library: Library,
    needs: Needs,
    *,
    grace: float = GRACE,
    lock: bool = True,
    holder: Holder = lambda digest: None,
) -> Survey:
    """Look at what nobody needs, and at what a ``holder`` has, too; removes nothing.

    Without ``lock`` nothing is written, and what others do meanwhile may be seen in part. ``needs``
    tells what is needed outside of the library. It is called after the leases were read:
    an operation that ends meanwhile has left either its lease or what it made. ``grace`` is in
    seconds. Raises UsageError for a library of another version, IntegrityError for a damaged index.
    """
    if not library.exists:
        return Survey((), (), ())
    library.check()
    if not lock:
        return _Look(library, grace).survey(needs, holder)
    library.prepare()
    with library.locked():
        return _Look(library, grace).survey(needs, holder)


def collect(
    library: Library,
    needs: Needs,
    *,
    shown: Collection[Path] | None = None,
    grace: float = GRACE,
) -> Survey:
    """Remove what nobody needs, and of that only what was ``shown``; returns what went.

    Looks again under the lock, so that nothing goes that is needed since.
    """
    if not library.exists:
        return Survey((), (), ())
    library.prepare()
    with _freeing() as aside, library.locked():
        look = _Look(library, grace)
        found = look.survey(needs)
        chosen = [item for item in found.garbage if shown is None or item.path in shown]
        _take_away(library, look.entries, chosen, aside)
        gone = [item for item in chosen if item.kind in ("version", "blob") or remove_debris(item)]
    return Survey(tuple(gone), found.kept, found.problems)


def remove_spare(library: Library, needs: Needs, spare: Garbage, release: Path) -> bool:
    """Remove a blob that a release holds, too, and that was just rebuilt from it; else False.

    Looks again under the lock. Whoever calls sees to it that the release stays meanwhile.
    """
    library.prepare()
    with _freeing() as aside, library.locked():
        look = _Look(library, GRACE)
        found = look.survey(needs, lambda digest: release if digest == spare.digest else None)
        if spare.path not in {item.path for item in found.spare}:
            return False
        _take_away(library, look.entries, [replace(spare, kind="blob")], aside)
    return True


@contextmanager
def _freeing() -> Iterator[list[Path]]:
    """Remove the files that the block lists, also where it ends with an error."""
    aside: list[Path] = []
    try:
        yield aside
    finally:
        for path in aside:
            with fsops.storage(path):
                try:
                    fsops.unlink(path)
                except OSError:
                    fsops.unlink(path)  # once more, should it have resisted


def _take_away(
    library: Library, entries: list[Entry], chosen: list[Garbage], aside: list[Path]
) -> None:
    """Take versions out of the index and blobs from their names; ``aside`` tells where they are."""
    dropped = {item.digest for item in chosen if item.kind == "version"}
    left = [item for item in entries if item.tag or item.descriptor.digest not in dropped]
    if len(left) < len(entries):
        library.write_index(left)
    for kind in ("version", "blob"):
        paths = [item.path for item in chosen if item.kind == kind]
        for path in paths:
            with fsops.storage(path):
                aside.append(half_made.set_aside(path, library.scratch))
        for directory in {path.parent for path in paths}:
            with fsops.storage(directory):
                fsops.fsync_directory(directory)


class _Look:
    """One look at a library: what is needed, with reasons, and what is left over."""

    def __init__(self, library: Library, grace: float) -> None:
        self.library = library
        self.grace = grace
        self.now = time.time()
        self.entries = library.entries()
        self._reach = Reach(library.layout)
        self._reasons: dict[Digest, list[Reason]] = {}
        self._needed: dict[Digest, frozenset[Digest]] = {}
        self._alive: set[Digest] = set()
        self._leased: set[Digest] = set()
        self._problems: list[str] = []

    def survey(self, needs: Needs, holder: Holder = lambda digest: None) -> Survey:
        """Mark, then list what is not marked, and what is but is held elsewhere, too."""
        listed = {entry.descriptor.digest for entry in self.entries}
        self._operations()
        self._tags()
        for need in needs():
            if need.digest is None:
                self._problems.append(need.reason.what)
            elif need.digest in listed or self._reach.has(need.digest):
                self._keep(need.digest, need.reason)
        self._untagged()
        garbage = [] if self._problems else list(self._sweepable(listed))
        garbage += find_debris(self.library, self.now)
        spare = () if self._problems else tuple(self._spare(holder))
        return Survey(tuple(garbage), self._kept(), tuple(dict.fromkeys(self._problems)), spare)

    def _operations(self) -> None:
        for lease in read_leases(self.library.leases, self.now):
            if lease.dead:
                continue
            if lease.digests is None:
                self._problems.append(f"needed by {lease.text}: which blobs is not known yet")
                continue
            for digest in lease.digests:
                below = self._reach.below(digest).digests
                self._alive |= below
                self._leased |= below
                if self._reach.is_manifest(digest):
                    self._note(digest, below, Reason("operation", lease.text))

    def _tags(self) -> None:
        for entry in self.entries:
            if entry.tag:
                name = f"{entry.repository}:{entry.tag}" if entry.repository else entry.tag
                self._keep(entry.descriptor.digest, Reason("tag", name))

    def _untagged(self) -> None:
        """Decide about versions without a tag: as part of others, as young, or as referrers."""
        waiting = {item.descriptor.digest for item in self.entries if not item.tag} - self._alive
        for digest in sorted(waiting):
            if not self._reach.is_manifest(digest):
                # What it names cannot be known, but nothing asks for it: it stays itself.
                self._alive.add(digest)
                self._note(digest, {digest}, Reason("unreadable", str(digest)))
            elif self._age(digest) < self.grace:
                self._keep(digest, Reason("young", str(digest)))
        while found := {
            digest for digest in waiting - self._alive if self._reach.subject(digest) in self._alive
        }:
            for digest in sorted(found):
                subject = self._reach.subject(digest)
                self._keep(digest, Reason("referrer", str(subject)))

    def _keep(self, digest: Digest, reason: Reason) -> None:
        below = self._reach.below(digest)
        self._problems += [f"{reason.what}: {problem}" for problem in below.problems]
        self._alive |= below.digests
        self._note(digest, below.digests, reason)

    def _note(self, digest: Digest, below: Collection[Digest], reason: Reason) -> None:
        self._needed[digest] = frozenset(below)
        self._reasons.setdefault(digest, []).append(reason)

    def _age(self, digest: Digest) -> float:
        return self.now - self.library.layout.blob_path(digest).stat().st_mtime

    def _size(self, digest: Digest) -> int:
        try:
            return self.library.layout.blob_path(digest).stat().st_size
        except OSError:
            return 0

    def _kept(self) -> tuple[Kept, ...]:
        return tuple(
            Kept(digest, sum(map(self._size, self._needed[digest])), tuple(dict.fromkeys(reasons)))
            for digest, reasons in self._reasons.items()
        )

    def _spare(self, holder: Holder) -> Iterable[Garbage]:
        """Yield blobs that a release holds, too, of versions that all came from a registry."""
        came = {
            entry.descriptor.digest
            for entry in self.entries
            if entry.descriptor.annotations.get(CAME_FROM)
        }
        for digest in sorted(self._alive - self._leased):
            release = holder(digest)
            if release is None or digest in self._needed or not self._reach.has(digest):
                continue
            roots = {root for root, below in self._needed.items() if digest in below}
            if roots <= came:
                path = self.library.layout.blob_path(digest)
                yield Garbage("spare", path, self._size(digest), f"also in {release}", digest)

    def _sweepable(self, listed: Collection[Digest]) -> Iterable[Garbage]:
        for digest in self.library.blobs():
            if digest in self._alive:
                continue
            path, size = self.library.layout.blob_path(digest), self._size(digest)
            if digest in listed:
                yield Garbage("version", path, size, "no tag, and nobody needs it", digest)
            elif self._reach.is_manifest(digest):
                yield Garbage("version", path, size, "no name any more", digest)
            else:
                yield Garbage("blob", path, size, "no version that stays needs it", digest)
