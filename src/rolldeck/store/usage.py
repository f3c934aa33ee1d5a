"""What takes the space of a layout: its repositories, versions and blobs, each blob counted once.

Several versions may have a blob in common, so sizes do not add up. What is *own* does: the bytes
that are free once a thing is removed, since nothing else needs them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rolldeck import fsops
from rolldeck.oci import Digest, is_digest
from rolldeck.oci.layout import Entry


@dataclass(frozen=True, slots=True)
class BlobUse:
    """One blob: its size in bytes, and how many versions need it."""

    digest: Digest
    size: int
    versions: int


@dataclass(frozen=True, slots=True)
class VersionUse:
    """A version of one repository, with what of it is here: ``size`` and ``own`` in bytes.

    ``needed_by`` tells who needs it besides its names; then nothing of it is own.
    """

    repository: str
    digest: Digest
    tags: tuple[str, ...]
    size: int
    own: int
    blobs: int
    needed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RepositoryUse:
    """All versions of one repository together, in bytes."""

    name: str
    size: int
    own: int
    versions: int


@dataclass(frozen=True, slots=True)
class LayoutUse:
    """A whole layout, each list largest first; ``size`` is that of its blobs, in bytes."""

    size: int
    repositories: tuple[RepositoryUse, ...]
    versions: tuple[VersionUse, ...]
    blobs: tuple[BlobUse, ...]

    @property
    def unused(self) -> int:
        """Bytes of the blobs that no version needs."""
        return sum(blob.size for blob in self.blobs if not blob.versions)


_Row = tuple[str, Digest]
"""A version as one repository has it."""

_Use = TypeVar("_Use", BlobUse, VersionUse, RepositoryUse)


def layout_use(
    entries: Iterable[Entry],
    reached: Mapping[Digest, Collection[Digest]],
    sizes: Mapping[Digest, int],
    needed: Mapping[Digest, Sequence[str]],
) -> LayoutUse:
    """Share out the blobs of a layout; reads nothing.

    ``reached`` tells which blobs each version needs, ``sizes`` which blobs are here, ``needed``
    which versions others need and who: one of them that no entry lists is a version without a name.
    """
    tags: dict[_Row, list[str]] = {}
    for entry in entries:
        found = tags.setdefault((entry.repository, entry.descriptor.digest), [])
        if entry.tag:
            found.append(entry.tag)
    listed = {digest for _, digest in tags}
    for digest in needed:
        if digest not in listed and digest in sizes:
            tags["", digest] = []
    here = {row: [blob for blob in reached.get(row[1], ()) if blob in sizes] for row in tags}
    holders: dict[Digest, list[_Row]] = {blob: [] for blob in sizes}
    for row, blobs in here.items():
        for blob in blobs:
            holders[blob].append(row)
    kept = {blob for digest in needed for blob in reached.get(digest, ())}
    own = dict.fromkeys(tags, 0)
    repositories: dict[str, list[int]] = {}
    for row in tags:
        repositories.setdefault(row[0], [0, 0, 0])[2] += 1
    for blob, rows in holders.items():
        names = {repository for repository, _ in rows}
        for name in names:
            repositories[name][0] += sizes[blob]
        if blob not in kept and len(names) == 1:
            repositories[rows[0][0]][1] += sizes[blob]
            if len(rows) == 1:
                own[rows[0]] += sizes[blob]
    return LayoutUse(
        sum(sizes.values()),
        _largest(RepositoryUse(name, *sums) for name, sums in repositories.items()),
        _largest(
            VersionUse(
                *row,
                tuple(sorted(tags[row])),
                sum(sizes[blob] for blob in blobs),
                own[row],
                len(blobs),
                tuple(needed.get(row[1], ())),
            )
            for row, blobs in here.items()
        ),
        _largest(
            BlobUse(blob, size, len({digest for _, digest in holders[blob]}))
            for blob, size in sizes.items()
        ),
    )


def _largest(items: Iterable[_Use]) -> tuple[_Use, ...]:
    return tuple(sorted(items, key=lambda item: (-item.size, str(item))))


def blob_sizes(root: Path) -> dict[Digest, int]:
    """Return the blobs of the layout in ``root`` with their sizes in bytes; raises StorageError."""
    found = {}
    for algorithm in ("sha256", "sha512"):
        directory = root / "blobs" / algorithm
        with fsops.storage(directory):
            for entry in os.scandir(directory) if directory.is_dir() else ():
                digest = f"{algorithm}:{entry.name}"
                if is_digest(digest):
                    # Whoever removes blobs now and then does not wait for this.
                    with suppress(FileNotFoundError):
                        found[Digest(digest)] = entry.stat(follow_symlinks=False).st_size
    return found
