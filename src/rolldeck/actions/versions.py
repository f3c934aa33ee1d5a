"""The versions of a repository, newest first, one row per digest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from rolldeck.actions.version_list import VersionList, VersionRow
from rolldeck.actions.version_reader import InView, VersionReader
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError
from rolldeck.oci import Place, Reference

__all__ = ["InView", "VersionList", "VersionRow", "list_versions", "watch_versions"]

_GAP = 0.1
"""Seconds between two snapshots: more often than an eye can follow would only redraw."""

_COUNT_GAP = 0.5
"""Seconds between two snapshots of which only the counts are shown."""


async def list_versions(
    workspace: Workspace,
    repository: Reference,
    *,
    limit: int | None = None,
    tell: Callable[[VersionList], None] | None = None,
) -> VersionList:
    """Return the versions of a repository, every row filled; of more than ``limit`` the newest.

    ``tell`` takes the versions so far, twice a second. Raises NotFoundError where there is
    no such repository.
    """
    found: VersionList | None = None
    async for found in _watch(workspace, repository, _COUNT_GAP, limit=limit):
        if tell is not None:
            tell(found)
    assert found is not None
    return found


def watch_versions(
    workspace: Workspace, repository: Reference, in_view: InView | None = None
) -> AsyncIterator[VersionList]:
    """Yield the versions of a repository, first by name only, then as their rows fill.

    Versions that were listed before are there at once, marked as remembered until they were looked
    up again. The rows that ``in_view`` names are read before all others. Raises NotFoundError where
    there is no such repository.
    """
    return _watch(workspace, repository, _GAP, in_view=in_view)


async def _watch(
    workspace: Workspace,
    repository: Reference,
    gap: float,
    *,
    limit: int | None = None,
    in_view: InView | None = None,
) -> AsyncIterator[VersionList]:
    repository = replace(repository, tag=None, digest=None)
    if repository.place is Place.LIBRARY and not workspace.library.exists:
        raise NotFoundError(
            f"The library is empty, so there is no {repository}",
            reference=str(repository),
            hint="rolldeck demo fills a library to play with; rolldeck pull fetches a version.",
        )
    reader = VersionReader(workspace, repository, limit=limit, in_view=in_view)
    reading = asyncio.create_task(reader.run())
    reading.add_done_callback(lambda _: reader.changed.set())
    try:
        while not reading.done():
            await reader.changed.wait()
            reader.changed.clear()
            if reader.begun and not reading.done():
                yield reader.snapshot()
                await asyncio.wait({reading}, timeout=gap)
        reading.result()
        yield reader.snapshot()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
