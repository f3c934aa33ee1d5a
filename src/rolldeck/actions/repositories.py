"""Which repositories there are: on this host, in the registries known here, in a layout."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RolldeckError, UsageError
from rolldeck.oci import Place, Reference, is_record_tag
from rolldeck.oci.layout import Entry

LIBRARY_SOURCE = "local library"
KIT_SOURCE = "kit's storage"


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
    """List the repositories of one place, or of this host and every registry in the settings.

    Of several places, one that cannot be read becomes a problem; of one, its error is raised.
    """
    if place is not None:
        return await _list_place(workspace, place)
    return [found async for found in watch_repositories(workspace)][-1]


async def watch_repositories(workspace: Workspace) -> AsyncIterator[RepositoryList]:
    """Yield the repositories of this host at once, then all again as each registry answers.

    Sources stand in the order of the settings whoever answers first; a registry that cannot be
    read becomes a problem.
    """
    hosts = [Reference(Place.REGISTRY, host, "") for host in workspace.settings.registries]
    asked = {asyncio.create_task(_list_host(workspace, host)): host for host in hosts}
    answers: dict[Reference, RepositoryList] = {}
    try:
        local = await asyncio.to_thread(_list_host_storage, workspace)
        waiting = set(asked)
        while True:
            yield _joined(local, hosts, answers)
            if not waiting:
                return
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            answers |= {asked[task]: task.result() for task in done}
    finally:
        for task in asked:
            task.cancel()


def _joined(
    local: RepositoryList, hosts: list[Reference], answers: dict[Reference, RepositoryList]
) -> RepositoryList:
    """Return the answers so far as one list."""
    lists = [local, *(answers[host] for host in hosts if host in answers)]
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
        problems = ((host.root, _problem(error)),)
        return RepositoryList(_configured(workspace, host), False, problems)


def _list_host_storage(workspace: Workspace) -> RepositoryList:
    """List the library and, where there is one, kit's storage, which can fail without the other."""
    rows = _counted(Place.LIBRARY, LIBRARY_SOURCE, workspace.library.entries())
    if not workspace.kit_storage.exists:
        return RepositoryList(rows)
    try:
        kept = _counted(Place.KIT, KIT_SOURCE, workspace.kit_storage.entries())
        return RepositoryList((*rows, *kept))
    except RolldeckError as error:
        return RepositoryList(rows, False, ((KIT_SOURCE, _problem(error)),))


def _counted(place: Place, source: str, entries: Iterable[Entry]) -> tuple[RepositoryRow, ...]:
    """Return the repositories among the entries of an index, each with the number of its tags."""
    counts = Counter(
        entry.repository for entry in entries if entry.tag and not is_record_tag(entry.tag)
    )
    return tuple(
        RepositoryRow(Reference(place, "", name), name, source, count)
        for name, count in sorted(counts.items())
        if name
    )


def _problem(error: RolldeckError) -> str:
    return f"{error.message}. {error.hint or ''}".strip()


def _configured(workspace: Workspace, host: Reference) -> tuple[RepositoryRow, ...]:
    names = workspace.settings.registry(host.root).repositories
    return tuple(
        RepositoryRow(Reference(Place.REGISTRY, host.root, name), name, host.root, None)
        for name in names
    )


async def _list_place(workspace: Workspace, place: Reference) -> RepositoryList:
    if place.place is Place.LIBRARY:
        raise UsageError(
            f"{place} names no registry",
            reference=str(place),
            hint="Type HOST/, oci:DIRECTORY or kit:",
        )
    if place.place is Place.KIT:
        entries = await asyncio.to_thread(workspace.kit_storage.entries)
        return RepositoryList(_counted(Place.KIT, KIT_SOURCE, entries))
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
