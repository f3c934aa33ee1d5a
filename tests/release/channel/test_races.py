"""Writers that are separate processes: racing with random delays, and killed at their calls."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from rolldeck.oci import Digest
from rolldeck.progress import Progress
from rolldeck.release.channel import finish
from tests.conftest import TORTURE
from tests.release.channel.places import Site, move, no_wait

_ROUNDS = 12
_LAST = 20
"""More than the calls of a move."""


class Mover:
    """A process that has planned a move."""

    def __init__(self, site: Site, to: Digest, **words: Any) -> None:
        given = {
            "reference": str(site.reference),
            "home": str(site.home),
            "to": to,
            "channel": "production",
            "seed": 0,
            "longest": 0,
            "settle": 0.1,
            "kill": 0,
            "after": False,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.release.channel.mover", json.dumps(given | words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def planned(self) -> None:
        """Wait until its plan is made."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "planned\n"

    def go(self) -> None:
        """Let it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> dict[str, Any] | None:
        """Return what it tells in the end; None of one that was killed."""
        out, _ = self.process.communicate(timeout=60)
        if self.process.returncode == -signal.SIGKILL:
            return None
        assert self.process.returncode == 0
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.mark.parametrize("seed", range(_ROUNDS if TORTURE > 1 else 1))
async def test_of_two_processes_at_most_one_believes_that_it_moved_the_channel(
    site: Site, seed: int
) -> None:
    async with site.records() as records:
        await move(records, site.versions["a"])
    movers = [
        Mover(site, site.versions[letter], seed=2 * seed + number, longest=0.04 * (seed % 4))
        for number, letter in enumerate("bc")
    ]
    for mover in movers:
        mover.planned()
    for mover in movers:
        mover.go()
    told = [mover.end() for mover in movers]
    believed = [item["believed"] for item in told if item is not None and item["believed"]]
    async with site.records() as records:
        journal = await records.journal("production")
    assert len(believed) <= 1, told
    if believed and not journal.drift:
        assert journal.live == believed[0]
    local = site.reference.place.value in ("layout", "library")
    if local or (site.proxy is not None and site.proxy.conditions):
        assert len(believed) == 1
        assert not journal.drift


@pytest.mark.parametrize("number", range(1, _LAST) if TORTURE > 1 else (6, 8, 10))
@pytest.mark.parametrize("after", [False, True] if TORTURE > 1 else [True])
async def test_a_killed_process_leaves_the_old_or_the_new_version(
    site: Site, number: int, after: bool
) -> None:
    async with site.records() as records:
        await move(records, site.versions["a"])
    mover = Mover(site, site.versions["b"], kill=number, after=after, settle=0)
    mover.planned()
    mover.go()
    told = mover.end()
    async with site.records() as records:
        journal = await records.journal("production")
        assert site.letter(journal.live) in ("a", "b")
        assert (journal.chain, journal.drift) == ("ok", False)
        if told is not None:
            assert told["believed"] == site.versions["b"]
        if journal.pending is not None:
            await finish(records, journal, Progress(), sleep=no_wait)
            assert site.letter(await records.point("production")) == "b"
        await move(records, site.versions["c"])
        journal = await records.journal("production")
    assert site.letter(journal.live) == "c"
    assert (journal.chain, journal.drift, journal.pending) == ("ok", False, None)
