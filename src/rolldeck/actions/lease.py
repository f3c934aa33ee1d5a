"""Leases of actions: what a running action needs stays in the library until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from rolldeck import fsops
from rolldeck.actions.workspace import Workspace
from rolldeck.oci import Digest, LayoutRegistry, Place, Reference
from rolldeck.store import Library


@asynccontextmanager
async def adding(
    workspace: Workspace, verb: str, what: str, digests: Iterable[Digest] | None
) -> AsyncIterator[None]:
    """Keep blobs in the library while the block brings or reads them; ``what`` is for people.

    ``digests`` is None for all blobs, where those to come have no names yet.

    Comes before the first look at what is there. Raises StorageError, RefusedError, UsageError or
    BusyError where the library cannot be written.
    """
    async with _held(workspace.library, verb, what, digests):
        yield


@asynccontextmanager
async def reading(workspace: Workspace, verb: str, reference: Reference) -> AsyncIterator[None]:
    """Keep a version where it lies, with all its blobs, while the block reads it.

    A version of a registry is kept in the library, which it is pulled into. A library that may only
    be read gets no lease: a missing blob then ends the action, and nothing half made is shown. The
    same holds for other layouts.
    """
    assert reference.digest is not None
    library = _library_of(workspace, reference)
    is_source = reference.place is not Place.REGISTRY
    if library is None or (is_source and not await _takes_leases(workspace, library)):
        yield
        return
    async with _held(library, verb, str(reference), [reference.digest]):
        yield


async def _takes_leases(workspace: Workspace, library: Library) -> bool:
    return not workspace.read_only and await asyncio.to_thread(lambda: library.writable)


def _library_of(workspace: Workspace, reference: Reference) -> Library | None:
    """Return the library that a version lies in or is pulled into; None for a foreign layout."""
    if reference.place is not Place.LAYOUT:
        return workspace.library
    registry = workspace.registry(reference)
    return Library(registry.root) if isinstance(registry, LayoutRegistry) else None


@asynccontextmanager
async def _held(
    library: Library, verb: str, what: str, digests: Iterable[Digest] | None
) -> AsyncIterator[None]:
    needed = None if digests is None else list(digests)
    taking = asyncio.ensure_future(asyncio.to_thread(library.lease, verb, what, needed))
    try:
        path = await asyncio.shield(taking)
    except asyncio.CancelledError:
        taking.add_done_callback(_give_back)
        raise
    try:
        yield
    finally:
        await asyncio.shield(asyncio.to_thread(_remove, path))


def _give_back(taken: asyncio.Future[Path]) -> None:
    # The thread went on after its caller was cancelled.
    if not taken.cancelled() and taken.exception() is None:
        _remove(taken.result())


def _remove(path: Path) -> None:
    with suppress(OSError):  # it ends with the process anyway
        fsops.unlink(path)
