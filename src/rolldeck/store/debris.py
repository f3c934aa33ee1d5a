"""Debris: what interrupted work left in a library and nobody will take up again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rolldeck import fsops, half_made
from rolldeck.oci import Digest, is_digest
from rolldeck.store.lease import read_leases
from rolldeck.store.library import Library
from rolldeck.store.partial import is_busy, remove_partial

DAY = 24 * 3600.0
PARTIAL_DAYS = 7
QUARANTINE_DAYS = 30

Kind = Literal["version", "blob", "spare", "partial", "temporary", "quarantined", "lease"]


@dataclass(frozen=True, slots=True)
class Garbage:
    """One file that nobody needs: how large it is in bytes, and why it can go."""

    kind: Kind
    path: Path
    size: int
    reason: str
    digest: Digest | None = None


def find_debris(library: Library, now: float) -> Iterator[Garbage]:
    """Yield abandoned partials, temporary files, old quarantine and dead leases; moves nothing.

    ``now`` is in seconds since the epoch. Times only decide about what no digest needs.
    """
    for directory in (library.root, library.scratch):
        for path in half_made.abandoned(directory, DAY):
            yield _garbage("temporary", path, "left by a process that ended")
    with fsops.storage(library.scratch):
        for path in _files(library.scratch):
            if reason := _abandoned_partial(library, path, now):
                yield _garbage("partial", path, reason, _digest(path.name))
        for path in _files(library.root / "quarantine"):
            # The time of change is when it was moved there.
            if now - path.lstat().st_ctime > QUARANTINE_DAYS * DAY:
                reason = f"rotted more than {QUARANTINE_DAYS} days ago"
                yield _garbage("quarantined", path, reason)
    for lease in read_leases(library.leases, now):
        if lease.dead:
            yield _garbage("lease", lease.path, "its operation ended")


def remove_debris(item: Garbage) -> bool:
    """Remove one of them; False where someone took it up meanwhile."""
    if item.kind == "partial" and not item.path.name.endswith(_JOURNAL):
        return remove_partial(item.path)
    if item.kind == "temporary":
        with fsops.storage(item.path):
            return half_made.remove_abandoned(item.path)
    with fsops.storage(item.path):
        fsops.unlink(item.path)
    return True


_JOURNAL = ".journal"


def _files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _digest(name: str) -> Digest | None:
    text = name.removesuffix(_JOURNAL).replace("-", ":", 1)
    return Digest(text) if is_digest(text) else None


def _abandoned_partial(library: Library, path: Path, now: float) -> str | None:
    """Say why nobody will go on with a partial or its journal; None where someone may."""
    digest = _digest(path.name)
    if digest is None or path.is_symlink():
        return None
    if path.name.endswith(_JOURNAL):
        return None if path.with_suffix("").exists() else "its partial is gone"
    if is_busy(path):
        return None
    if library.layout.blob_path(digest).exists():
        return "its blob is here"
    if now - path.stat().st_mtime > PARTIAL_DAYS * DAY:
        return f"untouched for {PARTIAL_DAYS} days"
    return None


def _garbage(kind: Kind, path: Path, reason: str, digest: Digest | None = None) -> Garbage:
    try:
        size = os.lstat(path).st_size
    except FileNotFoundError:
        size = 0
    return Garbage(kind, path, size, reason, digest)
