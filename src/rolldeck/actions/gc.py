"""Collecting garbage: what of the library nobody needs, told and removed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from pathlib import Path

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RolldeckError
from rolldeck.release import Target, read_known
from rolldeck.release.needs import needs
from rolldeck.store.debris import Garbage
from rolldeck.store.garbage import GRACE, Kept, Need, Reason, Survey, collect, survey


async def survey_garbage(workspace: Workspace, *, grace: float = GRACE) -> Survey:
    """Tell what could go and what stays, with reasons; removes nothing.

    ``grace`` is for how many seconds a version without a tag is kept after it came. Raises
    UsageError for a library of another version, IntegrityError for a damaged index.
    """
    library = workspace.library
    lock = not workspace.read_only and await asyncio.to_thread(lambda: library.writable)
    return await asyncio.to_thread(survey, library, target_needs, grace=grace, lock=lock)


async def collect_garbage(
    workspace: Workspace, *, shown: Collection[Path] | None = None, grace: float = GRACE
) -> Survey:
    """Remove what nobody needs, and of that only what was ``shown``; returns what went."""
    workspace.require_writable("gc --apply")
    # Once begun it ends, even if nobody waits for it any more: it takes milliseconds.
    work = asyncio.to_thread(collect, workspace.library, target_needs, shown=shown, grace=grace)
    return await asyncio.shield(work)


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


__all__ = ["Garbage", "Kept", "Reason", "Survey", "collect_garbage", "survey_garbage"]
