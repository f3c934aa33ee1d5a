"""The local targets known here, and what each of them runs now."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RolldeckError
from rolldeck.oci import Digest, Place, Reference
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


def is_target(what: str) -> bool:
    """Whether an argument names a local target: a path by its form, or a directory that is one."""
    return what.startswith(("/", "./", "../", "~", ".")) or Target(Path(what)).exists


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


async def followers_of(channel: Reference) -> tuple[Path, ...]:
    """Return the known local targets that follow a channel, last used first."""
    return await asyncio.to_thread(_followers, str(lasting(channel)))


def _followers(channel: str) -> tuple[Path, ...]:
    return tuple(item.path for item in known_paths() if _follows(Target(item.path), channel))


def _follows(target: Target, channel: str) -> bool:
    # Imported here: few targets follow a channel.
    from rolldeck.release.following import read_following

    try:
        following = read_following(target) if target.exists else None
    except RolldeckError:
        return False  # status and follow tell what is wrong with it
    return following is not None and following.channel == channel


def lagging(targets: Iterable[Path], live: Digest | None) -> bool:
    """Whether a local target has a version unpacked and is at another one. Blocks for a moment."""
    for path in targets:
        target = Target(path)
        try:
            if live is not None and target.current() != live and target.release(live) is not None:
                return True
        except RolldeckError:
            continue  # status and follow tell what is wrong with it
    return False


def lasting(channel: Reference) -> Reference:
    """Return a reference that means the same in whatever directory a follower is started."""
    if channel.place is not Place.LAYOUT:
        return channel
    return replace(channel, root=os.path.abspath(channel.root))
