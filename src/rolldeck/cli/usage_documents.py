"""The JSON document of the verb that tells what takes space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rolldeck.cli.documents import Document
from rolldeck.units import rfc3339

if TYPE_CHECKING:
    from rolldeck.actions import DiskUse, Leftover, StorageUse, Way


def usage_document(use: DiskUse, ways: Sequence[Way]) -> Document:
    """Return what ``du`` prints."""
    return {
        "bytes": use.size,
        "library": _storage(use.library),
        "kit": {**_storage(use.kit), "cache": use.kit_cache},
        "releases": [
            {
                "target": str(item.target),
                "directory": str(item.directory),
                "digest": item.digest,
                "label": item.label,
                "size": item.size,
                "needed_for": item.needed_for,
            }
            for item in use.releases
        ],
        "leftovers": [_leftover(item) for item in use.leftovers],
        "cache": {"path": str(use.cache_path), "size": use.cache},
        "ways": [{"command": way.command, "what": way.what, "bytes": way.size} for way in ways],
        "problems": list(use.problems),
    }


def _storage(storage: StorageUse) -> Document:
    layout = storage.layout
    return {
        "path": str(storage.path),
        "bytes": storage.size,
        "unused": None if storage.problems else layout.unused,
        "repositories": [
            {"name": item.name, "size": item.size, "own": item.own, "versions": item.versions}
            for item in layout.repositories
        ],
        "versions": [
            {
                "repository": item.repository,
                "tags": list(item.tags),
                "digest": item.digest,
                "size": item.size,
                "own": item.own,
                "blobs": item.blobs,
                "needed_by": list(item.needed_by),
            }
            for item in layout.versions
        ],
        "blobs": [
            {"digest": item.digest, "size": item.size, "versions": item.versions}
            for item in layout.blobs
        ],
        "leftovers": [_leftover(item) for item in storage.leftovers],
        "problems": list(storage.problems),
    }


def _leftover(item: Leftover) -> Document:
    return {
        "kind": item.kind,
        "path": str(item.path),
        "size": item.size,
        "touched": rfc3339(item.touched),
        "state": item.state,
        "digest": item.digest,
    }
