"""How fast a progress goes, and when it will be done: what a front end makes of the counters.

Pure; whoever polls brings the clock. The rate is an exponentially weighted mean of the last
seconds, corrected for its start, so that the first sample already tells the truth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rolldeck.progress import Progress
from rolldeck.units import duration, human_size

_MEMORY = 4.0
"""Seconds after which a sample weighs 1/e: calm to look at, and still follows a slower line."""

_STEP = 0.2
"""Shortest time between two samples, in seconds; in less, a buffer more or less is all."""


class Pace:
    """The rate of one progress and of each of its parts."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.parts: list[Pace] = []
        self._last: tuple[float, int] | None = None
        self._weighted = 0.0
        self._weight = 0.0

    def sample(self, now: float) -> None:
        """Look at the counters; ``now`` is a moment in seconds by any steady clock."""
        added = self.progress.parts[len(self.parts) :]
        self.parts += [Pace(part) for part in added]
        for part in self.parts:
            part.sample(now)
        moved = self.progress.done - self.progress.skipped
        if self._last is None:
            self._last = (now, moved)
            return
        elapsed = now - self._last[0]
        if elapsed < _STEP:
            return
        speed = max(moved - self._last[1], 0) / elapsed
        fresh = 1 - math.exp(-elapsed / _MEMORY)
        if self._weight or speed:
            self._weighted += fresh * (speed - self._weighted)
            self._weight += fresh * (1 - self._weight)
        self._last = (now, moved)

    @property
    def rate(self) -> float:
        """Bytes per second that moved lately; 0 before that is known."""
        return self._weighted / self._weight if self._weight else 0.0

    @property
    def left(self) -> float | None:
        """Seconds until all is done at this rate; None where that cannot be told."""
        missing = self.progress.total - self.progress.done
        return missing / self.rate if missing > 0 and self.rate >= 1 else None

    @property
    def figures(self) -> str:
        """Rate and time left: ``210.0 MiB/s  10 s left``; empty before they are known."""
        rate = f"{human_size(self.rate)}/s" if self.rate >= 1 else ""
        left = f"{duration(math.ceil(self.left))} left" if self.left is not None else ""
        return f"{rate}  {left}".strip()

    def doing(self, now: float) -> str:
        """Return what is going on: rate and time left while bytes move, and what is said."""
        said = self.progress.said(now)
        if said.startswith("waiting") or self.progress.done >= self.progress.total:
            return said
        plain = said in ("receiving", "sending", "packing") and self.figures
        return "  ".join(word for word in (self.figures, "" if plain else said) if word)


def watched(parts: Sequence[Pace], room: int) -> list[Pace]:
    """Return the parts to show in ``room`` lines, in their order.

    Where not all fit, those at work go before those that wait, and the done ones are last.
    """
    rank = {"waiting": 1, "done": 2}
    order = sorted(range(len(parts)), key=lambda index: rank.get(parts[index].progress.state, 0))
    return [parts[index] for index in sorted(order[: max(room, 0)])]
