"""Counts, delays and ends the calls by which records reach a registry."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from rolldeck.release.channel import Records

_COUNTED = frozenset(
    {
        "tags",
        "tagged_digest",
        "tagged_manifest",
        "manifest",
        "referrers",
        "push_manifest",
        "push_blob",
        "enforces_expectations",
    }
)

Step = Callable[[int, str, bool], Awaitable[None]]
"""Awaited with the number and name of a call, before it and, with True, after it."""


class Ended(BaseException):
    """Ends a move where it is, as a kill does: nothing catches it."""


class Calls:
    """Passes the calls on; ``names`` are those so far."""

    def __init__(self, records: Records, step: Step) -> None:
        self.names: list[str] = []
        self._step = step
        for name in ("_registry", "_writer"):
            setattr(records, name, _Counted(getattr(records, name), self))

    async def call(self, name: str, method: Callable[..., Awaitable[Any]], *words: Any) -> Any:
        """Pass one call on."""
        self.names.append(name)
        number = len(self.names)
        await self._step(number, name, False)
        try:
            return await method(*words)
        finally:
            await self._step(number, name, True)


class _Counted:
    def __init__(self, inner: Any, owner: Calls) -> None:
        self._inner = inner
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in _COUNTED:
            return method

        async def counted(*words: Any, **options: Any) -> Any:
            async def call() -> Any:
                return await method(*words, **options)

            return await self._owner.call(name, call)

        return counted


def end_at(last: int, *, after: bool) -> Step:
    """End before or after a call."""

    async def step(number: int, name: str, is_after: bool) -> None:
        if number == last and is_after is after:
            raise Ended

    return step


def delay(seed: int, longest: float) -> Step:
    """Wait before each call for up to ``longest`` seconds."""
    chance = random.Random(seed)

    async def step(number: int, name: str, is_after: bool) -> None:
        if not is_after:
            await asyncio.sleep(chance.random() * longest)

    return step
