"""Which repositories there are: in the library, in the registries known here, in a layout."""

from __future__ import annotations

import asyncio
from collections import Counter
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
    """Repositories by source; ``problems`` holds (source, what went wrong)."""

    rows: tuple[RepositoryRow, ...]
    complete: bool = True
    problems: tuple[tuple[str, str], ...] = ()


async def list_repositories(workspace: Workspace, place: Reference | None = None) -> RepositoryList:
    """List the repositories of one place, or of the library and every registry in the settings.

    Of several places, one that cannot be read becomes a problem; of one, its error is raised.
    """
    if place is not None:
        return await _list_place(workspace, place)
    hosts = [Reference(Place.REGISTRY, host, "") for host in workspace.settings.registries]
    lists = [await asyncio.to_thread(_list_library, workspace)]
    found = await asyncio.gather(
        *(_list_place(workspace, host) for host in hosts), return_exceptions=True
    )
    for host, result in zip(hosts, found, strict=True):
        if isinstance(result, RolldeckError):
            problem = f"{result.message}. {result.hint or ''}".strip()
            rows = _configured(workspace, host)
            lists.append(RepositoryList(rows, False, ((host.root, problem),)))
        elif isinstance(result, BaseException):
            raise result
        else:
            lists.append(result)
    return RepositoryList(
        tuple(row for part in lists for row in part.rows),
        all(part.complete for part in lists),
        tuple(problem for part in lists for problem in part.problems),
    )


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
