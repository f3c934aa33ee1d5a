"""SIGKILL from outside at any instant: old or new, whole, and the same command goes on.

Each kill hits whatever the one before has left; now and then the operation runs to its end.
"""

from __future__ import annotations

import random
import signal
import time

import pytest

from tests.conftest import TORTURE
from tests.faults.operations import OPERATIONS, World
from tests.faults.trial import Trial

KILLS = 50 if TORTURE == 1 else 250
"""For each operation: 200 altogether, 1,000 with torture."""

LONGEST_CHAIN = 5
"""Kills in a row, before the operation is let be."""

KILLED_BY_CHANCE = ("first pull", "unpack", "pin", "rollback")


@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.name in KILLED_BY_CHANCE],
    ids=lambda operation: operation.name.replace(" ", "-"),
)
def test_killed_at_any_instant(world: World, operation: object) -> None:
    """After each kill the invariants hold; at the end of each chain the same command succeeds."""
    trial, chance = Trial(operation, world), random.Random(7)  # type: ignore[arg-type]
    longest = _longest(trial)
    met, chain = 0, 0
    for _ in range(KILLS):
        if chain == 0:
            trial.begin()
        ran = trial.go_on(kill_after=chance.uniform(0, longest))
        was_killed = ran.code == -signal.SIGKILL
        met += was_killed
        # The machine has other work, too: the span follows how long a run takes at the moment.
        longest *= 1.05 if was_killed else 0.8
        chain += 1
        assert trial.problems(half_made=chain) == []
        if ran.code == 0 or chain == LONGEST_CHAIN or trial.is_new:
            assert trial.again() == []
            chain = 0
    # Some runs end before their kill; if most did, little would have been tried.
    assert met > KILLS / 2


def _longest(trial: Trial) -> float:
    """How long the operation takes: a kill is drawn between its start and then."""
    times = []
    for _ in range(3):
        trial.begin()
        started = time.monotonic()
        assert trial.go_on().code == 0
        times.append(time.monotonic() - started)
    return sorted(times)[1]


def test_what_came_is_not_fetched_again(world: World) -> None:
    """I5, to the byte: after a kill a pull fetches what is in neither ``blobs`` nor ``partial``."""
    operation = next(item for item in OPERATIONS if item.name == "first pull")
    trial, chance = Trial(operation, world), random.Random(11)
    longest = _longest(trial)
    resumed = 0
    for _ in range(15):
        trial.begin()
        trial.go_on(kill_after=chance.uniform(0.3, 1) * longest)
        had = _bytes_here(world)
        pulled = trial.go_on().document
        assert pulled["bytes_transferred"] == pulled["bytes_total"] - had
        resumed += 0 < pulled["bytes_transferred"] < pulled["bytes_total"]
    assert resumed


def _bytes_here(world: World) -> int:
    """Bytes of blobs and their parts; the manifest is no part of what a pull counts."""
    manifests = {digest.partition(":")[2] for digest in world.trees}
    blobs = (world.library / "blobs").glob("*/*")
    parts = (world.library / "partial").glob("sha256-*")
    found = [*(path for path in blobs if path.name not in manifests), *parts]
    return sum(path.stat().st_size for path in found)
