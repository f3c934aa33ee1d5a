"""Compare two versions, look at a large file, read a thousand versions; and what kit does nearest.

Whole processes on a real registry, behind a proxy that counts requests and bytes. kit compares
layers (``kit diff``); what is in them it only tells after it pulled and unpacked both, so that and
``diff -r`` is what comes nearest to a comparison of content. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.servers.fault_proxy import FaultProxy, fault_proxy

from benchmarks.compare.large_file import LINES, open_large_file
from benchmarks.list.repository import fill
from benchmarks.pull.artifact import REPOSITORY, make_kit, make_next
from benchmarks.pull.servers import push, run_registry

MOST_BYTES = 1_000_000
"""Goal of a first comparison, however large the versions are."""

MOST_OPENING = 0.2
"""Seconds until the text of a large file is on the screen."""

MOST_REQUESTS = 3.0
"""Goal of a table, per version: the digest of its tag, its manifest, its config."""


@dataclass(frozen=True)
class Cost:
    """What something took: seconds of wall time, requests, bytes of bodies."""

    seconds: float
    requests: int
    size: int


class Bench:
    """A registry behind a counting proxy, and a home for each first time."""

    def __init__(self, scratch: Path, proxy: FaultProxy, rounds: int) -> None:
        self.scratch = scratch
        self.proxy = proxy
        self.rounds = rounds
        self.fine = True

    def goal(self, text: str, value: float, most: float) -> None:
        """Print a figure with its goal."""
        self.fine &= value <= most
        print(f"  {text}: {value:,.3g}   goal: at most {most:,.3g}", flush=True)

    def home(self) -> Path:
        """Return a fresh home directory."""
        return Path(tempfile.mkdtemp(dir=self.scratch))

    def run(self, home: Path, *commands: Sequence[str]) -> Cost:
        """Run commands one after the other in a home."""
        paths = {
            f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CACHE", "STATE")
        }
        environment = {**os.environ, "HOME": str(home), "KITOPS_HOME": str(home / "kit"), **paths}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        requests, size = len(self.proxy.requests), sum(self.proxy.sent.values())
        started = time.perf_counter()
        for command in commands:
            done = subprocess.run(command, env=environment, capture_output=True, check=False)
            if done.returncode and command[0] != "diff":
                raise SystemExit(f"{command} failed: {done.stderr.decode()[-1000:]}")
        seconds = time.perf_counter() - started
        return Cost(
            seconds,
            len(self.proxy.requests) - requests,
            sum(self.proxy.sent.values()) - size,
        )

    def say(self, name: str, costs: list[Cost], yardstick: Cost | None = None) -> Cost:
        """Print the median of several rounds, and the ratio to another one."""
        cost = Cost(
            statistics.median(item.seconds for item in costs),
            round(statistics.median(item.requests for item in costs)),
            round(statistics.median(item.size for item in costs)),
        )
        ratio = ""
        if yardstick is not None:
            less = f"{cost.size / yardstick.size:.1g}" if yardstick.size else "–"
            ratio = f"   time x {cost.seconds / yardstick.seconds:.2f}, bytes x {less}"
        print(
            f"  {name:38}{cost.seconds:7.2f} s {cost.requests:6,} requests"
            f" {cost.size:13,} bytes{ratio}",
            flush=True,
        )
        return cost


def rolldeck(*words: str) -> list[str]:
    """Return a command line of rolldeck."""
    return [sys.executable, "-m", "rolldeck", *words, "--plain-http"]


def two_versions(bench: Bench, mebibytes: int) -> None:
    """Race a comparison of two versions."""
    host = bench.proxy.host
    a, b = (f"{host}/{REPOSITORY}:{tag}" for tag in ("v1", "v2"))
    print(f"Two versions of {mebibytes * 5 // 4} MiB that differ in their README:", flush=True)
    first, again = [], []
    for _ in range(bench.rounds):
        home = bench.home()
        first.append(bench.run(home, rolldeck("diff", a, b)))
        again.append(bench.run(home, rolldeck("diff", a, b)))
    layers = None
    content = None
    if shutil.which("kit"):
        plain = "--plain-http"
        rounds = range(bench.rounds)
        layers = bench.say(
            "kit diff (layers)",
            [bench.run(bench.home(), ["kit", "diff", a, b, plain]) for _ in rounds],
        )
        found = []
        for _ in rounds:
            home = bench.home()
            one, other = str(home / "one"), str(home / "other")
            found.append(
                bench.run(
                    home,
                    ["kit", "pull", a, plain],
                    ["kit", "pull", b, plain],
                    ["kit", "unpack", a, "-d", one],
                    ["kit", "unpack", b, "-d", other],
                    ["diff", "-r", one, other],
                )
            )
            shutil.rmtree(home)
        content = bench.say("kit pull, unpack, diff -r (content)", found)
    cost = bench.say("rolldeck diff, first", first, content)
    bench.say("rolldeck diff, again", again, layers)
    bench.goal("bytes of the first comparison", cost.size, MOST_BYTES)


def many_versions(bench: Bench, name: str, count: int) -> None:
    """Read the metrics of many versions."""
    place = f"{bench.proxy.host}/{name}"
    print(f"A table of {count:,} versions by metric and parameter:", flush=True)
    home = bench.home()
    words = ("table", place, "--last", str(count), "--tsv")
    first = bench.say("rolldeck table, first", [bench.run(home, rolldeck(*words))])
    bench.say("rolldeck table, again", [bench.run(home, rolldeck(*words))])
    if shutil.which("kit"):
        some = 20
        tags = [f"v{number // 100}.{number % 100}.0" for number in range(some)]
        lines = [["kit", "inspect", "-r", f"{place}:{tag}", "--plain-http"] for tag in tags]
        one = bench.run(bench.home(), *lines)
        scale = count / some
        kit = Cost(one.seconds * scale, round(one.requests * scale), round(one.size * scale))
        bench.say(f"kit inspect, {some} measured, scaled", [kit])
        print(f"  rolldeck takes x {first.seconds / kit.seconds:.3f} of its time", flush=True)
    bench.goal("requests per version", first.requests / count, MOST_REQUESTS)


def large_file(bench: Bench) -> None:
    """Open the text of a file of 20,000 lines."""
    print(f"A file of {LINES:,} lines, from the key to the lines on the screen:", flush=True)
    for kind in ("a hundred lines changed", "every line changed", "lines in another order"):
        found = [asyncio.run(open_large_file(kind)) for _ in range(bench.rounds)]
        wall, work, stall = (statistics.median(item[n] for item in found) for n in (0, 1, 2))
        said = f"CPU {work:.2f} s, longest stall of the loop {stall * 1000:.0f} ms"
        bench.goal(f"{kind}, seconds ({said})", wall, MOST_OPENING)


def main() -> int:
    """Measure everything and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", type=int, default=256, metavar="MIB")
    parser.add_argument("--versions", type=int, default=1000)
    options = parser.parse_args()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        storage = scratch / "storage"
        name = fill(storage, options.versions, with_docs=True)
        host = stack.enter_context(run_registry(storage, scratch))
        layout = make_kit(scratch / "kits", options.model)
        for tag in ("v1", "v2"):
            make_next(scratch / "kits", tag)
            push(layout, host, REPOSITORY, tag)
        proxy = stack.enter_context(fault_proxy(host))
        proxy.only, proxy.methods = "/v2/", ("GET", "HEAD")
        bench = Bench(scratch, proxy, options.rounds)
        two_versions(bench, options.model)
        large_file(bench)
        many_versions(bench, name, options.versions)
    return 0 if bench.fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
