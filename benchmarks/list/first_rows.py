"""How soon the first screen stands there: from the list of tags to 30 rows with size and digest."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from rolldeck.actions import Workspace, watch_versions
from rolldeck.oci import Listing, Reference
from rolldeck.settings import RegistrySettings, Settings

ROWS = 30


def first_rows(reference: str, library: Path) -> float:
    """Return the seconds between the answer with the tags and the 30th row that is known."""
    return asyncio.run(_first_rows(Reference.parse(reference), library))


async def _first_rows(reference: Reference, library: Path) -> float:
    plain = {reference.root: RegistrySettings(plain_http=True)}
    workspace = Workspace(replace(Settings(library=library), registries=plain))
    registry = workspace.registry(reference)
    ask, listed = registry.tags, 0.0

    async def tags(repository: str) -> Listing:
        nonlocal listed
        found = await ask(repository)
        listed = time.perf_counter()
        return found

    registry.tags = tags  # type: ignore[method-assign]
    try:
        async for found in watch_versions(workspace, reference):
            known = [row for row in found.rows[:ROWS] if row.digest and row.size is not None]
            if len(known) == ROWS and not any(row.remembered for row in known):
                return time.perf_counter() - listed
    finally:
        await workspace.close()
    raise SystemExit("The repository has less than a screen of versions")
