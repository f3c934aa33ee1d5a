"""Quarantine: blobs that rotted, kept to be looked at and never used again."""

from __future__ import annotations

import os
from pathlib import Path

from rolldeck import fsops
from rolldeck.oci import Digest
from rolldeck.store.library import Library


def quarantined(library: Library, digest: Digest) -> bool:
    """Whether a blob with this digest was moved to quarantine."""
    return os.path.lexists(_place(library, digest))


def _place(library: Library, digest: Digest) -> Path:
    return library.root / "quarantine" / digest.replace(":", "-")


def quarantine(library: Library, digest: Digest, inode: int) -> Path | None:
    """Move a blob whose bytes are wrong to ``quarantine/``; returns where it is now.

    Only the file that was looked at is moved, known by its inode; None where another has taken
    its place meanwhile. Raises StorageError, RefusedError where the library may not be written.
    """
    library.prepare()
    path = library.layout.blob_path(digest)
    fsops.make_directories(_place(library, digest).parent, 0o700)
    with library.locked(), fsops.storage(path):
        try:
            if path.stat().st_ino != inode:
                return None
        except FileNotFoundError:
            return None
        aside = _free_name(_place(library, digest))
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
