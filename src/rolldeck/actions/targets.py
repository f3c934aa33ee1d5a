"""The local targets known here, and what each of them runs now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RolldeckError
from rolldeck.release import KnownTarget, Target, known_paths


@dataclass(frozen=True, slots=True)
class TargetState:
    """A local target: digests of what is current, what was before, and all that is unpacked."""

    path: Path
    repository: str
    current: str | None
    label: str | None
    releases: frozenset[str]
    previous: str | None
    problem: str | None = None


async def known_targets(workspace: Workspace) -> tuple[TargetState, ...]:
    """Return the targets that this user pinned something to, last used first.

    A target whose directory is gone is left out; one that cannot be read carries its problem.
    """
    return await asyncio.to_thread(_read_all)


def _read_all() -> tuple[TargetState, ...]:
    return tuple(_read(item) for item in known_paths() if Target(item.path).exists)


def _read(known: KnownTarget) -> TargetState:
    target = Target(known.path)
    try:
        current = target.current()
        release = target.release(current) if current else None
        return TargetState(
            known.path,
            known.repository,
            current,
            release.label if release else None,
            frozenset(target.unpacked()),
            target.previous(),
        )
    except RolldeckError as error:
        return TargetState(
            known.path, known.repository, None, None, frozenset(), None, error.message
        )
