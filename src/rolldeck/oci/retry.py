"""How often and when an operation is tried again.

Nix's rule: the delay is the larger of what the server asks for (RFC 9110 "Retry-After", seconds
or a date) and our own exponential delay with full jitter. A server that asks for more time than
the budget holds is not waited for.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TypeVar

from rolldeck.errors import UnavailableError
from rolldeck.oci.interrupt import Interrupt

_T = TypeVar("_T")


class TransientFailure(Exception):
    """A failure that may pass; ``error`` is raised when the tries are spent.

    ``retry_after`` is what the server asked for, in seconds; ``too_fast`` whether it wants to be
    asked less often.
    """

    def __init__(
        self, error: UnavailableError, retry_after: float | None = None, *, too_fast: bool = False
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after = retry_after
        self.too_fast = too_fast


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most ``tries`` tries, and ``budget`` seconds of waiting in all.

    ``bulk`` is for blobs, where giving up costs more than waiting: a person waits for the rest.
    The n-th own delay is drawn between 0 and ``first`` * 2^n seconds, at most ``longest``.
    """

    tries: int = 3
    bulk_tries: int = 6
    first: float = 1.0
    longest: float = 60.0
    budget: float = 120.0
    bulk_budget: float = 900.0

    @property
    def bulk(self) -> RetryPolicy:
        """The policy for blobs."""
        return replace(self, tries=self.bulk_tries, budget=self.bulk_budget)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time and chance, replaceable in tests; ``sleep`` None means an interruptible wait."""

    sleep: Callable[[float], None] | None = None
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for; None when it says nothing usable.

    ``now`` is the wall clock, in seconds since 1970.
    """
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


class Attempts:
    """The tries of one operation; shared by everything that the operation may have to repeat."""

    def __init__(
        self,
        policy: RetryPolicy,
        clocks: Clocks,
        interrupt: Interrupt,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """``tell`` takes one short line about what is waited for, empty when it goes on."""
        self._policy = policy
        self._clocks = clocks
        self._interrupt = interrupt
        self._tell = tell
        self._failed = 0
        self._waited = 0.0

    def run(self, work: Callable[[], _T]) -> _T:
        """Return what ``work`` returns, repeating it after a TransientFailure.

        Raises the failure's error when tries or budget are spent, and what else ``work`` raises.
        """
        while True:
            self._interrupt.check()
            try:
                return work()
            except TransientFailure as failure:
                self._again(failure)

    def progressed(self) -> None:
        """Count tries and waiting from here on: the last failure came after real progress."""
        self._failed = 0
        self._waited = 0.0

    def _again(self, failure: TransientFailure) -> None:
        self._interrupt.check()
        self._failed += 1
        error = failure.error
        if self._failed >= self._policy.tries:
            tries = f" ({self._failed} tries)" if self._failed > 1 else ""
            raise UnavailableError(
                error.message + tries, reference=error.reference, hint=error.hint
            )
        own = min(self._policy.longest, self._policy.first * 2 ** (self._failed - 1))
        delay = max(failure.retry_after or 0.0, own * self._clocks.chance())
        if self._waited + delay > self._policy.budget:
            if failure.retry_after:
                error.hint = f"Try again in {_duration(failure.retry_after)}."
            raise error
        self._waited += delay
        if self._tell is not None:
            number = f"{self._failed + 1}/{self._policy.tries}"
            self._tell(f"{error.message}; retrying in {_duration(delay)} ({number})")
        if self._clocks.sleep is not None:
            self._clocks.sleep(delay)
            self._interrupt.check()
        else:
            self._interrupt.wait(delay)
        if self._tell is not None:
            self._tell("")
