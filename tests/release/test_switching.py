"""Switching under a reader that never stops: each read finds a version, and a right one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rolldeck import half_made
from rolldeck.kit.tree import Tree
from rolldeck.oci import Digest, digest_of
from rolldeck.release import Generation, Release, Target
from rolldeck.units import short_digest
from tests.conftest import TORTURE

SWITCHES, READS = (10_000, 1_000_000) if TORTURE > 1 else (400, 40_000)
DIGESTS = [digest_of(name) for name in (b"a", b"b", b"c")]

READER = """
import os, sys
link, stop, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
right = set(sys.argv[4:])
misses = wrong = reads = 0
print("reading", flush=True)
while reads < wanted or not os.path.exists(stop):
    for _ in range(1000):
        reads += 1
        try:
            with open(link + "/version") as file:
                if file.read() not in right:
                    wrong += 1
        except OSError:
            misses += 1
print(misses, wrong, flush=True)
"""


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A target with three versions, each with a file that names it; the first is current."""
    made = Target(tmp_path / "serving")
    made.prepare()
    for digest in DIGESTS:
        directory = made.directory(digest)
        directory.mkdir()
        (directory / "version").write_text(digest)
        made.record(Release(digest, "fraud:v1", "v1", Tree(())))
    move(made, DIGESTS[0])
    return made


def move(target: Target, to: Digest) -> None:
    """Make one whole move: history, link, and both durable."""
    number = target.next_number()
    target.move(
        Generation(number, "pin", target.current(), to, "fraud:v1", "test", "2026-11-21T00:00:00Z")
    )


def switch(target: Target, to: Digest) -> None:
    """Only what readers notice."""
    half_made.switch_link(target.link, f"releases/{short_digest(to)}")


@pytest.mark.parametrize(("change", "share"), [(switch, 1), (move, 40)])
def test_a_reader_never_misses(target: Target, change: object, share: int) -> None:
    """It opens a file through ``current`` in a process of its own, as a server does."""
    stop = target.path.with_name("stop")
    words = [str(target.link), str(stop), str(READS // share), *DIGESTS]
    with subprocess.Popen(
        [sys.executable, "-c", READER, *words], stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        switches = 0
        while switches < SWITCHES // share or reader.poll() is None:
            change(target, DIGESTS[switches % 3])  # type: ignore[operator]
            switches += 1
            if switches == SWITCHES // share:
                stop.touch()
        assert reader.stdout.read().split() == ["0", "0"]
