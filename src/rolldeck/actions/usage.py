"""What takes space on this disk: the library, kit's storage, releases, leftovers, the cache.

Sizes are those of the files' content in bytes; what a file system adds or shares is not seen.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rolldeck import half_made
from rolldeck.actions.gc import target_needs
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RolldeckError
from rolldeck.oci import Digest, LayoutRegistry, is_digest
from rolldeck.oci.layout import Entry
from rolldeck.release import Target, read_known
from rolldeck.release.needs import needs
from rolldeck.store.garbage import survey
from rolldeck.store.partial import is_busy
from rolldeck.store.reach import Reach
from rolldeck.store.usage import LayoutUse, blob_sizes, layout_use

KIT_STALE = 24 * 3600.0
"""Seconds after which what kit received in part counts as stale: kit takes no lock on it."""

LeftoverKind = Literal["partial", "quarantined", "temporary", "release"]
State = Literal["in use", "resumable", "kept", "stale"]


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is no blob and no release: size in bytes, when it was last written to.

    A release among them is one that was changed, or not completed. ``state`` is ``resumable`` where
    the next pull goes on with it, ``stale`` where nobody will, ``kept`` where a person may look at
    it.
    """

    kind: LeftoverKind
    path: Path
    size: int
    touched: datetime
    state: State
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class StorageUse:
    """The library or kit's storage; ``problems`` are why nothing may be called unused or own."""

    path: Path
    layout: LayoutUse
    leftovers: tuple[Leftover, ...]
    problems: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self.layout.size + sum(item.size for item in self.leftovers)


@dataclass(frozen=True, slots=True)
class ReleaseUse:
    """One release of a known local target, in bytes; ``needed_for`` as ``current``, ``rollback``.

    What it holds may stand in for blobs of the library.
    """

    target: Path
    directory: Path
    digest: Digest
    label: str
    size: int
    needed_for: str


@dataclass(frozen=True, slots=True)
class DiskUse:
    """All that rolldeck knows of; ``collectable`` are the bytes that ``gc --apply`` would free."""

    library: StorageUse
    kit: StorageUse
    kit_cache: int
    releases: tuple[ReleaseUse, ...]
    leftovers: tuple[Leftover, ...]
    cache_path: Path
    cache: int
    collectable: int
    problems: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        targets = sum(item.size for item in self.releases)
        targets += sum(item.size for item in self.leftovers)
        return self.library.size + self.kit.size + self.kit_cache + targets + self.cache


async def disk_use(workspace: Workspace) -> DiskUse:
    """Measure what is kept here; writes nothing and reads no blob but manifests.

    Raises UsageError for a library of another version. What is damaged is told as a problem.
    """
    return await asyncio.to_thread(_measure, workspace)


def _measure(workspace: Workspace) -> DiskUse:
    library, kit = workspace.library, workspace.kit_storage
    library.check()
    problems: list[str] = []
    needed: dict[Digest, list[str]] = {}
    collectable = 0
    stale: set[Path] = set()
    try:
        for need in target_needs():
            if need.digest is None:
                problems.append(need.reason.what)
            else:
                needed.setdefault(need.digest, []).append(need.reason.what)
        found = survey(library, target_needs, lock=False)
        collectable, stale = found.size, {item.path for item in found.garbage}
    except RolldeckError as error:
        problems.append(error.message)
    releases, leftovers = _targets(problems)
    home = kit.root.parent
    cache = workspace.cache.path
    return DiskUse(
        _storage(
            library.layout,
            library.exists,
            needed,
            _sorted(_library_leftovers(library.root, library.scratch, stale)),
        ),
        _storage(kit, kit.exists, {}, _sorted(_kit_leftovers(kit.root))),
        _tree_size(home / "cache"),
        tuple(sorted(releases, key=lambda item: (-item.size, str(item.directory)))),
        _sorted(leftovers),
        cache,
        sum(_size(Path(f"{cache}{end}")) for end in ("", "-wal", "-shm", "-journal")),
        collectable,
        tuple(dict.fromkeys(problems)),
    )


def _storage(
    layout: LayoutRegistry,
    exists: bool,
    needed: Mapping[Digest, Collection[str]],
    leftovers: tuple[Leftover, ...],
) -> StorageUse:
    problems: list[str] = []
    entries: list[Entry] = []
    if exists:
        try:
            entries = layout.entries()
        except RolldeckError as error:
            problems.append(error.message)
    reach = Reach(layout)
    reached = {}
    for digest in {entry.descriptor.digest for entry in entries} | needed.keys():
        below = reach.below(digest)
        if digest not in needed or reach.has(digest):
            problems += below.problems
        reached[digest] = below.digests
    notes = {digest: tuple(who) for digest, who in needed.items()}
    use = layout_use(entries, reached, blob_sizes(layout.root), notes)
    return StorageUse(layout.root, use, leftovers, tuple(dict.fromkeys(problems)))


def _targets(problems: list[str]) -> tuple[list[ReleaseUse], list[Leftover]]:
    """Return what the known targets hold: their releases, and what else lies beside these."""
    releases: list[ReleaseUse] = []
    leftovers: list[Leftover] = []
    try:
        known = [Target(item.path) for item in read_known()]
    except RolldeckError as error:
        problems.append(error.message)
        return releases, leftovers
    for target in known:
        try:
            found = list(_releases(target)) if target.exists else []
        except RolldeckError as error:
            problems.append(f"{target.path}: {error.message}")
            continue
        releases += found
        names = {item.directory for item in found}
        for path in _files(target.releases):
            if path not in names:
                leftovers.append(_leftover("release", path, "kept", _tree_size(path)))
    return releases, leftovers


def _releases(target: Target) -> Iterator[ReleaseUse]:
    reasons = needs(target)
    for digest in target.unpacked():
        release = target.release(digest)
        if release is not None:
            yield ReleaseUse(
                target.path,
                target.directory(digest),
                digest,
                release.label,
                release.tree.bytes + _tree_size(target.layers(digest)),
                reasons[digest],
            )


def _library_leftovers(root: Path, scratch: Path, stale: Collection[Path]) -> Iterator[Leftover]:
    for directory in (root, scratch):
        for path in _files(directory):
            if path.name.startswith(half_made.TEMPORARY_PREFIX):
                yield _leftover("temporary", path, "stale" if path in stale else "in use")
            elif directory == scratch:
                journal = path.name.endswith(".journal")
                of = path.with_suffix("") if journal else path
                state: State = "in use" if is_busy(of) else "resumable"
                yield _leftover("partial", path, "stale" if path in stale else state)
    for path in _files(root / "quarantine"):
        yield _leftover("quarantined", path, "stale" if path in stale else "kept")


def _kit_leftovers(root: Path) -> Iterator[Leftover]:
    now = time.time()
    for path in _files(root / "ingest"):
        found = _leftover("partial", path, "resumable")
        age = now - found.touched.timestamp()
        yield _leftover("partial", path, "stale") if age > KIT_STALE else found


def _leftover(kind: LeftoverKind, path: Path, state: State, size: int | None = None) -> Leftover:
    touched = datetime.fromtimestamp(0, UTC)
    with suppress(OSError):
        touched = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    name = path.name.removesuffix(".journal").replace("-", ":", 1)
    name = name if ":" in name else f"sha256:{name}"
    digest = Digest(name) if is_digest(name) else None
    return Leftover(kind, path, _size(path) if size is None else size, touched, state, digest)


def _sorted(items: Collection[Leftover] | Iterator[Leftover]) -> tuple[Leftover, ...]:
    return tuple(sorted(items, key=lambda item: (-item.size, str(item.path))))


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []  # nothing there, or nothing that this user may see


def _size(path: Path) -> int:
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _tree_size(path: Path) -> int:
    """Return the bytes of all files below a path; what has several names counts once."""
    sizes: dict[tuple[int, int], int] = {}
    for directory, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                found = os.lstat(Path(directory, name))
                if stat.S_ISREG(found.st_mode):
                    sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())
