"""How often and when an operation is tried again.

Nix's rule: the delay is the larger of what the server asks for (RFC 9110 "Retry-After", seconds
or a date) and our own exponential delay with full jitter. A server that asks for more time than
the budget holds is not waited for.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

from rolldeck.errors import UnavailableError
from rolldeck.oci.interrupt import Interrupt
from rolldeck.progress import Progress
from rolldeck.units import duration

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


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that an answer asks to wait; None where it says nothing usable.

    A date counts from the answer's own Date, and only without one from ``now``, in seconds since
    1970: this machine's clock may be wrong.
    """
    said = _parse_date(headers.get("Date"))
    return parse_retry_after(headers.get("Retry-After"), now if said is None else said)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for; None when it says nothing usable."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    date = _parse_date(value)
    return None if date is None else max(0.0, date - now)


def _parse_date(value: str | None) -> float | None:
    """Read an HTTP date, which is in UTC even where it does not say so (RFC 9110 5.6.7)."""
    try:
        date = parsedate_to_datetime(value or "")
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


class Attempts:
    """The tries of one operation; shared by everything that the operation may have to repeat."""

    def __init__(
        self,
        policy: RetryPolicy,
        clocks: Clocks,
        interrupt: Interrupt,
        progress: Progress | None = None,
    ) -> None:
        """``progress`` is told what is waited for."""
        self._policy = policy
        self._clocks = clocks
        self._interrupt = interrupt
        self._progress = progress or Progress()
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
                error.hint = f"Try again in {duration(failure.retry_after)}."
            raise error
        self._waited += delay
        asked = delay == failure.retry_after
        number = f"try {self._failed + 1} of {self._policy.tries}"
        reason = error.message.removeprefix(f"{error.reference}: ")
        why = "as the registry asked" if asked else f"for {number}: {reason}"
        self._progress.wait(delay, why, self._clocks.monotonic())
        try:
            if self._clocks.sleep is not None:
                self._clocks.sleep(delay)
                self._interrupt.check()
            else:
                self._interrupt.wait(delay)
        finally:
            self._progress.go_on()
