"""Many versions read at once: what a table and a plot are made from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rolldeck.actions.kit import load_kit
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, RolldeckError
from rolldeck.oci import Reference
from rolldeck.text import clean_line
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from rolldeck.compare import Directions, Entry, Matrix


@dataclass(frozen=True, slots=True)
class MatrixResult:
    """A matrix and the directions it was made by; ``unread`` versions of a repository are older."""

    matrix: Matrix
    directions: Directions
    unread: int = 0


async def load_matrix(
    workspace: Workspace,
    references: Sequence[Reference],
    *,
    last: int,
    baseline: Reference | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> MatrixResult:
    """Read versions for a table: those named, and of each repository named its ``last`` newest.

    A baseline that is none of them stands last. ``tell`` takes how many of how many were read. A
    version that is listed and cannot be read has its problem in its row; one that was named raises.
    """
    from rolldeck.actions.directions import directions
    from rolldeck.compare import matrix

    wanted: list[tuple[Reference, bool]] = []
    unread = 0
    for reference in references:
        if reference.tag or reference.digest:
            wanted.append((reference, True))
            continue
        found, more = await _newest(workspace, reference, last)
        wanted += [(item, False) for item in found]
        unread += more
    if baseline is not None:
        wanted.append((baseline, True))
    read = await load_entries(workspace, wanted, tell)
    keys = [
        (_repository(reference), entry.digest or entry.label)
        for (reference, _), entry in zip(wanted, read, strict=True)
    ]
    once = {key: read[keys.index(key)] for key in keys}
    place = list(once).index(keys[-1]) if baseline is not None else None
    known = await asyncio.to_thread(directions, workspace.settings, *(item for item, _ in wanted))
    made = await asyncio.to_thread(matrix, tuple(once.values()), known, place)
    return MatrixResult(made, known, unread)


async def _newest(
    workspace: Workspace, repository: Reference, last: int
) -> tuple[list[Reference], int]:
    """Return the newest versions of a repository, and how many more there are."""
    from rolldeck.actions.versions import list_versions

    found = await list_versions(workspace, repository, limit=last)
    if not found.rows:
        raise NotFoundError(f"{repository} has no versions", reference=str(repository))
    rows = found.rows[:last]
    return [row.reference for row in rows], found.unread + len(found.rows) - len(rows)


async def load_entries(
    workspace: Workspace,
    wanted: Sequence[tuple[Reference, bool]],
    tell: Callable[[int, int], None] | None = None,
) -> tuple[Entry, ...]:
    """Read some versions, in their order; of those marked True a failure raises."""
    gate = asyncio.Semaphore(workspace.settings.concurrency)
    done = 0
    several = len({_repository(reference) for reference, _ in wanted}) > 1

    async def read(reference: Reference, named: bool) -> Entry:
        nonlocal done
        async with gate:
            entry = await _entry(workspace, reference, named, several)
        done += 1
        if tell is not None:
            tell(done, len(wanted))
        return entry

    tasks = [asyncio.create_task(read(*item)) for item in wanted]
    try:
        entries = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return tuple(entries)


async def _entry(workspace: Workspace, reference: Reference, named: bool, several: bool) -> Entry:
    from rolldeck.actions.show import load_facts
    from rolldeck.compare import Entry

    label = reference.tag or (short_digest(reference.digest) if reference.digest else "")
    if several:
        label = f"{_repository(reference).rpartition('/')[2]}:{label}"
    entry = Entry(str(reference), reference.digest or "", clean_line(label, 200))
    try:
        resolved = reference if reference.digest else await workspace.resolve(reference)
        kit = await load_kit(workspace, resolved)
        facts = await load_facts(workspace, resolved)
    except RolldeckError as error:
        if named:
            raise
        return replace(entry, problem=error.message)
    return replace(
        entry,
        reference=str(resolved),
        digest=resolved.digest or "",
        created=kit.created,
        metrics=facts.metrics,
        parameters=facts.parameters,
    )


def _repository(reference: Reference) -> str:
    return str(replace(reference, tag=None, digest=None))
