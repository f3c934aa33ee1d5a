"""Damage in the library, told with the way to repair it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from rolldeck.errors import IntegrityError, NotFoundError
from rolldeck.oci import Manifest, Place, Reference
from rolldeck.store import Library

EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"
"""Media type of a config that says nothing and need not be stored."""


@contextmanager
def told_as_damage(library: Library, reference: Reference) -> Iterator[None]:
    """Say how to repair a version, for what is wrong or missing of its copy in the library."""
    try:
        yield
    except (IntegrityError, NotFoundError) as error:
        copy = library_copy(library, reference)
        raise IntegrityError(
            f"Damaged in the library: {copy}: {error.message}",
            reference=error.reference,
            hint=f"Repair it: rolldeck verify --repair {copy}",
        ) from None


def library_copy(library: Library, reference: Reference) -> Reference:
    """Return the shortest name of a version's copy in the library."""
    copy = Reference(Place.LIBRARY, "", reference.library_name, reference.tag, reference.digest)
    tags = [
        entry.tag
        for entry in library.entries()
        if (entry.repository, entry.descriptor.digest) == (copy.repository, copy.digest)
    ]
    tag = copy.tag if copy.tag in tags else next(filter(None, tags), None)
    return copy.tagged(tag) if tag else replace(copy, tag=None)


def require_config(library: Library, manifest: Manifest) -> None:
    """Raise NotFoundError where the config is gone; elsewhere an artifact may do without one."""
    config = manifest.config
    if config is not None and config.media_type != EMPTY_CONFIG and not library.has(config):
        raise NotFoundError(f"Blob {config.digest} is missing", reference=config.digest)
