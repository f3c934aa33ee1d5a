"""List repositories of thousands of tags: the first screen, everything, everything again, and kit.

Whole processes on a real registry, behind a proxy that holds back each answer for 50 ms. kit asks
one tag after the other, minutes for 2,000 over such a line: unless told otherwise, both list a
smaller repository over it and the large one without it. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.list.first_rows import ROWS, first_rows
from benchmarks.list.repository import fill
from benchmarks.list.slow_line import SlowLine, slow_line
from benchmarks.pull.servers import run_registry

FIRST_ROWS_GOAL = 0.6
"""Seconds from the list of tags to the 30th row."""

KIT_GOAL = 0.45
"""Most of kit's wall time."""


class Bench:
    """One registry and a directory; every list gets a home of its own unless it goes on in one."""

    def __init__(self, scratch: Path, rounds: int) -> None:
        self.scratch = scratch
        self.rounds = rounds
        self.fine = True

    def say(self, text: str, value: float, goal: float) -> None:
        """Print a figure with its goal."""
        self.fine &= value <= goal
        print(f"  {text}: {value:.2f}   goal: at most {goal}", flush=True)

    def home(self) -> Path:
        """Return a fresh home directory, and make it this process's cache."""
        home = Path(tempfile.mkdtemp(dir=self.scratch))
        os.environ["XDG_CACHE_HOME"] = str(home / "cache")
        return home

    def run(self, home: Path, *command: str) -> float:
        """Run a command in a home and return its wall time in seconds."""
        paths = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CACHE")}
        environment = {**os.environ, "HOME": str(home), "KITOPS_HOME": str(home), **paths}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        started = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"{command} failed: {done.stderr.decode()[-1000:]}")
        return time.perf_counter() - started

    def rolldeck(self, home: Path, reference: str) -> float:
        """List with rolldeck."""
        words = ("-m", "rolldeck", "ls", reference, "--plain-http")
        return self.run(home, sys.executable, *words)

    def kit(self, reference: str) -> float:
        """List with kit."""
        return self.run(self.home(), "kit", "list", reference, "--plain-http")

    def median(self, once: Callable[[], float]) -> float:
        """Return the median of several rounds."""
        return statistics.median(once() for _ in range(self.rounds))

    def first_screen(self, reference: str) -> None:
        """Measure the first 30 rows, with nothing in the cache."""
        seconds = self.median(lambda: first_rows(reference, self.home() / "library"))
        self.say(f"{ROWS} rows after the tag list, s", seconds, FIRST_ROWS_GOAL)

    def twice(self, line: SlowLine, reference: str, tags: int) -> None:
        """Measure a first and a second listing, and count what they ask for."""
        home = self.home()
        line.counts()
        first = self.rolldeck(home, reference)
        asked = line.counts()
        second = self.rolldeck(home, reference)
        again = line.counts()
        print(f"  everything: {first:.2f} s, {_counted(asked)}")
        print(f"  again:      {second:.2f} s, {_counted(again)}")
        self.say("again: requests per tag", again.get("HEAD manifests", 0) / tags, 1.0)
        self.say("again: manifests", again.get("GET manifests", 0), 0)

    def against_kit(self, reference: str, what: str, rounds: int, goal: float | None) -> None:
        """Race kit for the whole list; without a goal only tell."""
        ours = self.median(lambda: self.rolldeck(self.home(), reference))
        if shutil.which("kit") is None:
            print(f"  {what}: rolldeck {ours:.2f} s; kit is not installed: unproven")
            return
        kit = statistics.median(self.kit(reference) for _ in range(rounds))
        text = f"{what}: rolldeck {ours:.2f} s, kit {kit:.2f} s, ratio"
        if goal is None:
            print(f"  {text}: {ours / kit:.2f}")
        else:
            self.say(text, ours / kit, goal)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def main() -> int:
    """Measure and print; exit code 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.list", description=__doc__)
    parser.add_argument("--tags", default="2000,10000", help="sizes of the repositories")
    parser.add_argument("--delay", type=float, default=50.0, help="ms per answer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kit-tags", type=int, default=200, help="tags that kit lists slowly")
    given = parser.parse_args()
    sizes = [int(text) for text in given.tags.split(",")]
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(scratch, given.rounds)
        host = stack.enter_context(run_registry(scratch / "storage", scratch))
        line = stack.enter_context(slow_line(host, given.delay / 1000))
        for tags in sizes:
            name = fill(scratch / "storage", tags)
            print(f"\n{tags} tags, {given.delay:g} ms per answer")
            bench.first_screen(f"{line.host}/{name}")
            bench.twice(line, f"{line.host}/{name}", tags)
        print("\nWhole lists against kit")
        few = fill(scratch / "storage", given.kit_tags)
        label = f"{given.kit_tags} tags, {given.delay:g} ms"
        bench.against_kit(f"{line.host}/{few}", label, 1, KIT_GOAL)
        label = f"{sizes[0]} tags, no delay"
        bench.against_kit(f"{host}/bench/tags-{sizes[0]}", label, given.rounds, None)
    return 0 if bench.fine else 1


if __name__ == "__main__":
    sys.exit(main())
