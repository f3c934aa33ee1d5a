"""Quarantine: blobs that rotted, kept to be looked at and never used again."""

from __future__ import annotations

import os
from pathlib import Path

from rolldeck import fsops
from rolldeck.oci import Digest
from rolldeck.store.library import Library


def quarantined(root: Path, digest: Digest) -> bool:
    """Whether a blob of the layout in ``root`` was moved to quarantine."""
    return os.path.lexists(_place(root, digest))


def _place(root: Path, digest: Digest) -> Path:
    return root / "quarantine" / digest.replace(":", "-")


def quarantine(library: Library, digest: Digest, inode: int) -> Path | None:
    """Move a blob whose bytes are wrong to ``quarantine/``; returns where it is now.

    Only the file that was looked at is moved, known by its inode; None where another has taken
    its place meanwhile. Raises StorageError, RefusedError where the library may not be written.
    """
    library.prepare()
    path = library.layout.blob_path(digest)
    fsops.make_directories(_place(library.root, digest).parent, 0o700)
    with library.locked(), fsops.storage(path):
        try:
            if path.stat().st_ino != inode:
                return None
        except FileNotFoundError:
            return None
        aside = _free_name(_place(library.root, digest))
        fsops.replace(path, aside)
        fsops.fsync_directory(path.parent)
        return aside


def _free_name(path: Path) -> Path:
    """Return ``path``, with a number behind it where the same blob rotted before."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free
