"""Versions made for the tests of the library: real manifests over small blobs."""

from __future__ import annotations

import json
import os
from typing import Any

from rolldeck.oci import INDEX, MANIFEST, Descriptor, Digest
from rolldeck.store import Library

DAY = 24 * 3600


def add_blob(library: Library, text: str, media_type: str = "x/y") -> Descriptor:
    """Store a blob."""
    data = text.encode()
    return Descriptor(media_type, library.add(data), len(data))


def add_version(
    library: Library, tag: str | None, *texts: str, subject: Descriptor | None = None
) -> Descriptor:
    """Store a version with a config and one layer per text, under ``x:<tag>`` or without a name."""
    config = add_blob(library, json.dumps({"config": texts}), "x/config")
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.to_json(),
        "layers": [add_blob(library, text).to_json() for text in texts],
    }
    if subject:
        document["subject"] = subject.to_json()
    manifest = add_blob(library, json.dumps(document), MANIFEST)
    library.tag("x", [tag] if tag else [], manifest)
    return manifest


def add_index(library: Library, tag: str | None, *children: Descriptor) -> Descriptor:
    """Store an index of manifests."""
    document = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [child.to_json() for child in children],
    }
    index = add_blob(library, json.dumps(document), INDEX)
    library.tag("x", [tag] if tag else [], index)
    return index


def needed_by(library: Library, manifest: Descriptor) -> set[Digest]:
    """The digests of a version: its manifest and what that names, one level deep."""
    found = library.layout.read_manifest(manifest.digest)
    config = [found.config] if found.config else []
    return {manifest.digest, *(b.digest for b in [*config, *found.layers, *found.manifests])}


def make_old(library: Library, manifest: Descriptor, days: float = 2) -> None:
    """Let a version have come days ago."""
    path = library.layout.blob_path(manifest.digest)
    then = path.stat().st_mtime - days * DAY
    os.utime(path, (then, then))


def forget(library: Library, *names: str) -> None:
    """Take tags out of the index, as rm does."""
    with library.locked():
        library.write_index([entry for entry in library.entries() if entry.tag not in names])


def damage(library: Library, digest: Digest) -> None:
    """Flip a bit of a blob, as a disk does."""
    path = library.layout.blob_path(digest)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    path.chmod(0o444)
