"""Race ``rolldeck push`` against kit, oras, crane, regctl and skopeo, whichever are on PATH.

Whole processes, interleaved, medians; each pushes into a registry that has nothing yet, with its
storage on tmpfs or on disk. Exit code 1 where the goal is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.pull.artifact import MODEL, REPOSITORY, TAG, make_kit
from benchmarks.pull.race import Lap
from benchmarks.pull.servers import push, run_registry
from benchmarks.push.clients import Sources, command, installed, make_sources

GOAL = 1.0
"""Most of kit's wall time."""

_PLACES = {"tmpfs": Path("/dev/shm"), "disk": Path(tempfile.gettempdir())}


def main() -> int:
    """Measure and print; exit code 1 where the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.push", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=MODEL, help="MiB of the model")
    parser.add_argument("--only", choices=("tmpfs", "disk"), help="one kind of file system")
    parser.add_argument("--peers", help="comma-separated, instead of all that are installed")
    given = parser.parse_args()
    peers = given.peers.split(",") if given.peers else installed()
    fine = True
    print(f"{given.size} MiB + {given.size // 4} MiB + 2,000 files; {given.rounds} rounds")
    for place in [given.only] if given.only else list(_PLACES):
        with ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=_PLACES[place])))
            library = make_kit(scratch, given.size)
            with run_registry(scratch / "first", scratch) as host:
                push(library, host, REPOSITORY, TAG)
                sources, kept = make_sources(library, scratch, host), host
            subprocess.run(["rm", "-r", str(scratch / "first")], check=True)
            laps = race(["rolldeck", *peers], sources, kept, _PLACES[place], given.rounds)
            fine &= report(place, laps)
    return 0 if fine else 1


def race(
    names: list[str], sources: Sources, kept: str, place: Path, rounds: int
) -> dict[str, list[Lap]]:
    """Run interleaved rounds after one that only warms up."""
    laps: dict[str, list[Lap]] = {name: [] for name in names}
    for number in range(rounds + 1):
        order = names[number % len(names) :] + names[: number % len(names)]
        for name in order:
            measured = lap(name, sources, kept, place)
            if number:
                laps[name].append(measured)
    return laps


def lap(name: str, sources: Sources, kept: str, place: Path) -> Lap:
    """Push once into a fresh registry and measure the client's whole process."""
    with tempfile.TemporaryDirectory(prefix="rolldeck-bench-", dir=place) as name_of:
        directory = Path(name_of)
        with run_registry(directory / "storage", directory) as host:
            words, more = command(name, sources, kept, host)
            environment = {**os.environ, "HOME": str(directory), **more}
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            os.sync()
            with open(directory / "log", "w+b") as log:
                started = time.perf_counter()
                process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
                _, status, used = os.wait4(process.pid, 0)
                wall = time.perf_counter() - started
                process.returncode = os.waitstatus_to_exitcode(status)
                log.seek(0)
                told = log.read().decode(errors="replace")
            blobs = directory / "storage" / "docker" / "registry" / "v2" / "blobs"
            held = sum(path.stat().st_size for path in blobs.rglob("data"))
        expected = sum(path.stat().st_size for path in (sources.library / "blobs").rglob("*/*"))
        if process.returncode or held < expected:
            raise SystemExit(f"{name} failed ({process.returncode}, {held} bytes): {told[-1000:]}")
        return Lap(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def report(place: str, laps: dict[str, list[Lap]]) -> bool:
    """Print one race, fastest first; returns whether the goal is reached."""
    median = {name: statistics.median(one.wall for one in found) for name, found in laps.items()}
    print(f"\n{place}: median wall s (least - most), cpu s, peak MiB")
    for name, wall in sorted(median.items(), key=lambda item: item[1]):
        walls = [one.wall for one in laps[name]]
        processor = statistics.median(one.processor for one in laps[name])
        memory = max(one.memory for one in laps[name])
        span = f"({min(walls):.2f} - {max(walls):.2f})"
        print(f"  {name:9}{wall:7.2f} {span:15}{processor:7.2f}{memory:7.0f}")
    if "kit" not in median:
        print("  kit is not installed: the goal is unproven")
        return True
    ratio = median["rolldeck"] / median["kit"]
    print(f"  rolldeck / kit: {ratio:.2f}   goal: at most {GOAL}")
    return ratio <= GOAL


if __name__ == "__main__":
    sys.exit(main())
