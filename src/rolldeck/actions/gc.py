"""Collecting garbage: what of the library nobody needs, or is held twice, told and removed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from rolldeck.actions.fetch import in_thread
from rolldeck.actions.library_check import Discard
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import BusyError, IntegrityError, NotFoundError, RolldeckError
from rolldeck.oci import Descriptor, Digest
from rolldeck.oci.copy import copy_blob
from rolldeck.progress import Progress
from rolldeck.release import Target, known_paths, read_known
from rolldeck.release.needs import needs
from rolldeck.release.stand_in import open_release, stand_ins
from rolldeck.store import Library
from rolldeck.store.debris import Garbage
from rolldeck.store.garbage import (
    GRACE,
    Holder,
    Kept,
    Need,
    Reason,
    Survey,
    collect,
    remove_spare,
    survey,
)
from rolldeck.text import clean_line


async def survey_garbage(workspace: Workspace, *, grace: float = GRACE) -> Survey:
    """Tell what could go, what is held twice and what stays, with reasons; removes nothing.

    ``grace`` is for how many seconds a version without a tag is kept after it came. Raises
    UsageError for a library of another version, IntegrityError for a damaged index.
    """
    library = workspace.library
    lock = not workspace.read_only and await asyncio.to_thread(lambda: library.writable)
    return await asyncio.to_thread(
        lambda: survey(library, target_needs, grace=grace, lock=lock, holder=_holders())
    )


async def collect_garbage(
    workspace: Workspace, *, shown: Collection[Path] | None = None, grace: float = GRACE
) -> Survey:
    """Remove what nobody needs, and of that only what was ``shown``; returns what went."""
    workspace.require_writable("gc --apply")
    # Once begun it ends, even if nobody waits for it any more: it takes milliseconds.
    work = asyncio.to_thread(collect, workspace.library, target_needs, shown=shown, grace=grace)
    return await asyncio.shield(work)


async def remove_spares(
    workspace: Workspace, spares: Iterable[Garbage], progress: Progress
) -> tuple[tuple[Garbage, ...], tuple[Garbage, ...]]:
    """Remove blobs that a release holds, too; returns those that went and those that stay, why.

    Each is rebuilt and hashed first, and stays where that fails or where it is needed meanwhile.
    Raises StorageError, CancelledError.
    """
    workspace.require_writable("gc --apply --spare")
    gone, stay = [], []
    for spare in spares:
        why = await in_thread(partial(_remove_spare, workspace.library, spare, progress))
        if why is None:
            gone.append(spare)
        else:
            stay.append(replace(spare, reason=clean_line(f"stays: {why}")))
    return tuple(gone), tuple(stay)


def _remove_spare(library: Library, spare: Garbage, progress: Progress) -> str | None:
    """Remove one of them; returns why it stays where it does."""
    assert spare.digest is not None
    blob = Descriptor("", spare.digest, spare.size)
    why = "no release holds it any more"
    for target, release in stand_ins(spare.digest):
        directory = target.directory(release.digest)
        try:
            progress.expect(blob.size)
            with open_release(target, release, blob.digest, progress) as rebuilt:
                copy_blob(rebuilt.readinto, blob, Discard(), progress)
            # Nobody removes the release meanwhile; its stamps tell of a write since it was hashed.
            with target.locked():
                open_release(target, release, blob.digest, progress).close()
                if remove_spare(library, target_needs, spare, directory):
                    return None
                why = "it is needed meanwhile"
        except (IntegrityError, NotFoundError, BusyError) as error:
            why = error.message
    return why


def _holders() -> Holder:
    """Look once which releases hold which large blobs; changed files are told when they go."""
    found: dict[Digest, Path] = {}
    for known in known_paths():
        target = Target(known.path)
        with suppress(RolldeckError):
            for digest in sorted(target.unpacked() if target.exists else ()):
                for layer in target.skeletons(digest):
                    found.setdefault(layer, target.directory(digest))
    return found.get


def target_needs() -> Iterator[Need]:
    """Yield what the known local targets may need; a target that cannot be read may need all."""
    for known in read_known():
        target = Target(known.path)
        try:
            found = needs(target) if target.exists else {}
        except RolldeckError as error:
            reason = f"what {target.path} needs cannot be told: {error.message}"
            yield Need(None, Reason("target", reason))
            continue
        for digest, why in found.items():
            yield Need(digest, Reason("target", f"{target.path}: {why}"))


__all__ = [
    "Garbage",
    "Kept",
    "Reason",
    "Survey",
    "collect_garbage",
    "remove_spares",
    "survey_garbage",
]
