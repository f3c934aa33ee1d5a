"""Which repositories there are: in the library, in the registries known here, in a layout."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RolldeckError, UsageError
from rolldeck.facts import is_referrer_tag
from rolldeck.oci import Place, Reference

LIBRARY_SOURCE = "local library"


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """One repository: ``source`` says where, ``versions`` counts its tags where that is known."""

    reference: Reference
    name: str
    source: str
    versions: int | None


@dataclass(frozen=True, slots=True)
class RepositoryList:
    """Repositories by source; ``problems`` holds (source, what went wrong).

    ``pending`` names the sources that did not answer yet.
    """

    rows: tuple[RepositoryRow, ...]
    complete: bool = True
    problems: tuple[tuple[str, str], ...] = ()
    pending: tuple[str, ...] = ()


async def list_repositories(workspace: Workspace, place: Reference | None = None) -> RepositoryList:
    """List the repositories of one place, or of the library and every registry in the settings.

    Of several places, one that cannot be read becomes a problem; of one, its error is raised.
    """
    if place is not None:
        return await _list_place(workspace, place)
    return [found async for found in watch_repositories(workspace)][-1]


async def watch_repositories(workspace: Workspace) -> AsyncIterator[RepositoryList]:
    """Yield the library's repositories at once, then all again as each registry answers.

    Sources stand in the order of the settings whoever answers first; a registry that cannot be
    read becomes a problem.
    """
    hosts = [Reference(Place.REGISTRY, host, "") for host in workspace.settings.registries]
    asked = {asyncio.create_task(_list_host(workspace, host)): host for host in hosts}
    answers: dict[Reference, RepositoryList] = {}
    try:
        library = await asyncio.to_thread(_list_library, workspace)
        waiting = set(asked)
        while True:
            yield _joined(library, hosts, answers)
            if not waiting:
                return
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            answers |= {asked[task]: task.result() for task in done}
    finally:
        for task in asked:
            task.cancel()


def _joined(
    library: RepositoryList, hosts: list[Reference], answers: dict[Reference, RepositoryList]
) -> RepositoryList:
    """Return the answers so far as one list."""
    lists = [library, *(answers[host] for host in hosts if host in answers)]
    return RepositoryList(
        tuple(row for part in lists for row in part.rows),
        all(part.complete for part in lists),
        tuple(problem for part in lists for problem in part.problems),
        tuple(host.root for host in hosts if host not in answers),
    )


async def _list_host(workspace: Workspace, host: Reference) -> RepositoryList:
    """List a registry of the settings; where it cannot be read, what the settings know of it."""
    try:
        return await _list_place(workspace, host)
    except RolldeckError as error:
        problem = f"{error.message}. {error.hint or ''}".strip()
        return RepositoryList(_configured(workspace, host), False, ((host.root, problem),))


def _list_library(workspace: Workspace) -> RepositoryList:
    counts = Counter(
        entry.repository
        for entry in workspace.library.entries()
        if entry.tag and not is_referrer_tag(entry.tag)
    )
    rows = [
        RepositoryRow(Reference(Place.LIBRARY, "", name), name, LIBRARY_SOURCE, count)
        for name, count in sorted(counts.items())
        if name
    ]
    return RepositoryList(tuple(rows))


def _configured(workspace: Workspace, host: Reference) -> tuple[RepositoryRow, ...]:
    names = workspace.settings.registry(host.root).repositories
    return tuple(
        RepositoryRow(Reference(Place.REGISTRY, host.root, name), name, host.root, None)
        for name in names
    )


async def _list_place(workspace: Workspace, place: Reference) -> RepositoryList:
    if place.place is Place.LIBRARY:
        raise UsageError(
            f"{place} names no registry", reference=str(place), hint="Type HOST/ or oci:DIRECTORY"
        )
    listing = await workspace.registry(place).repositories()
    if place.place is Place.LAYOUT:
        rows = [
            RepositoryRow(
                Reference(Place.LAYOUT, place.root, name), name or place.root, place.name, None
            )
            for name in listing.names
        ]
        return RepositoryList(tuple(rows), listing.complete)
    configured = _configured(workspace, place)
    names = {row.name for row in configured}
    listed = [
        RepositoryRow(Reference(Place.REGISTRY, place.root, name), name, place.root, None)
        for name in listing.names
        if name not in names
    ]
    rows = sorted([*configured, *listed], key=lambda row: row.name)
    return RepositoryList(tuple(rows), listing.complete)
