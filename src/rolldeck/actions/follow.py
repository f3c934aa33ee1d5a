"""Follow a channel: keep a local target where its channel is, once or for as long as it runs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from rolldeck.actions.follower import NO_HOOKS, Follower, FollowEvent
from rolldeck.actions.hooks import Hooks
from rolldeck.actions.move import held
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import CancelledError, NotFoundError, RolldeckError
from rolldeck.progress import Progress
from rolldeck.release import Plan, Target
from rolldeck.release.following import followed_alone, read_following

INTERVAL = 30.0
"""Seconds between two rounds, unless told otherwise."""
LONGEST = 600.0
"""Most seconds between two rounds while a registry does not answer."""
_JITTER = 0.1
"""Part of the interval by which rounds differ: many followers should not ask at once."""
Sleep = Callable[[float], Awaitable[None]]


async def follow(
    workspace: Workspace,
    target_path: Path,
    progress: Progress,
    *,
    hooks: Hooks = NO_HOOKS,
    once: bool = False,
    interval: float = INTERVAL,
    sleep: Sleep = asyncio.sleep,
    chance: Callable[[], float] = random.random,
) -> AsyncIterator[FollowEvent]:
    """Follow the channel of a target, yielding what happens.

    With ``once`` one round is done and its errors are raised. Else it goes on through outages of
    the registry, in longer and longer pauses, until it is cancelled or the target follows nothing.
    Raises NotFoundError where the target follows no channel, BusyError where another process does.
    """
    workspace.require_writable("follow")
    target = await _require_following(target_path)
    follower = Follower(workspace, target.path, progress, hooks)
    async with held(followed_alone(target)):
        failures = 0
        while True:
            events: tuple[FollowEvent, ...]
            try:
                events = await follower.step()
                failures = 0
            except CancelledError:
                raise
            except RolldeckError as error:
                if once:
                    raise
                failures += 1
                events = (follower.failed(error),)
            for event in events:
                yield event
            if once or any(event.kind == "stopped" for event in events):
                return
            pause = min(interval * 2.0**failures, max(LONGEST, interval)) if failures else interval
            await sleep(pause * (1 + _JITTER * (2 * chance() - 1)))


async def preview_round(
    workspace: Workspace, target_path: Path, progress: Progress
) -> Plan | FollowEvent:
    """Return the plan of the next round, or why it would move nothing; raises as ``follow``."""
    workspace.require_writable("follow")
    target = await _require_following(target_path)
    return await Follower(workspace, target.path, progress).preview()


async def _require_following(path: Path) -> Target:
    target = Target(path).require()
    if await asyncio.to_thread(read_following, target) is None:
        raise NotFoundError(
            f"{target.path} follows no channel",
            reference=str(target.path),
            hint=f"Let it: rolldeck pin --follow CHANNEL {target.path}",
        )
    return target
