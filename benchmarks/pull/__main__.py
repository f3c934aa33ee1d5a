"""Race ``rolldeck pull`` against kit, oras, crane, regctl and skopeo, whichever are on PATH.

Whole processes, interleaved, medians; on tmpfs and on disk, plain and over TLS. On disk every
client is followed by the same sync. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.pull.artifact import MODEL, REPOSITORY, TAG, make_kit
from benchmarks.pull.huge import HUGE, MEMORY_GOAL, pull_huge
from benchmarks.pull.peers import installed
from benchmarks.pull.race import Lap, race
from benchmarks.pull.servers import make_certificate, push, run_registry

_PLACES = {"tmpfs": Path("/dev/shm"), "disk": Path(tempfile.gettempdir())}
_GOALS = {("tmpfs", "plain"): 0.8, ("tmpfs", "tls"): 1.0}
"""Most of the fastest peer's wall time; 1.0 where nothing is written here."""


def main() -> int:
    """Measure and print; exit code 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pull", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=MODEL, help="MiB of the model")
    parser.add_argument("--only", choices=("tmpfs", "disk"), help="one kind of file system")
    parser.add_argument("--line", choices=("plain", "tls"), help="one kind of connection")
    parser.add_argument("--peers", help="comma-separated, instead of all that are installed")
    parser.add_argument("--disk", type=Path, help="a directory on the disk")
    parser.add_argument("--huge", type=int, default=HUGE, help="GiB for the memory run; 0: none")
    given = parser.parse_args()
    places = dict(_PLACES) | ({"disk": given.disk} if given.disk else {})
    peers = given.peers.split(",") if given.peers else installed()
    fine = True
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=places["disk"])))
        layout = make_kit(scratch, given.size)
        certificate = make_certificate(scratch)
        storage = scratch / "storage"
        hosts = {
            "plain": stack.enter_context(run_registry(storage, scratch)),
            "tls": stack.enter_context(run_registry(storage, scratch, certificate)),
        }
        push(layout, hosts["plain"], REPOSITORY, TAG)
        expected = given.size * 5 // 4 << 20
        print(f"{given.size} MiB + {given.size // 4} MiB + 2,000 files; {given.rounds} rounds")
        for place in [given.only] if given.only else list(places):
            for line in [given.line] if given.line else list(hosts):
                laps = race(
                    ["rolldeck", *peers],
                    hosts[line],
                    places[place],
                    certificate[0] if line == "tls" else None,
                    storage=storage,
                    rounds=given.rounds,
                    sync=place == "disk",
                    expected=expected,
                )
                fine &= report(f"{place}, {line}", laps, _GOALS.get((place, line), 1.0))
        if given.huge:
            memory = pull_huge(given.huge, places["disk"])
            fine &= memory <= MEMORY_GOAL
            print(f"{given.huge} GiB to disk: peak {memory:.0f} MiB   goal: at most {MEMORY_GOAL}")
    return 0 if fine else 1


def report(title: str, laps: dict[str, list[Lap]], goal: float) -> bool:
    """Print one race, fastest first; returns whether the goal is reached."""
    median = {name: statistics.median(one.wall for one in found) for name, found in laps.items()}
    print(f"\n{title}: median wall s (least - most), cpu s, peak MiB")
    for name, wall in sorted(median.items(), key=lambda item: item[1]):
        walls = [one.wall for one in laps[name]]
        processor = statistics.median(one.processor for one in laps[name])
        memory = max(one.memory for one in laps[name])
        span = f"({min(walls):.2f} - {max(walls):.2f})"
        print(f"  {name:9}{wall:7.2f} {span:15}{processor:7.2f}{memory:7.0f}")
    peers = {name: wall for name, wall in median.items() if name != "rolldeck"}
    if not peers:
        print("  no peer is installed: the goal is unproven")
        return True
    best = min(peers, key=lambda name: peers[name])
    ratio = median["rolldeck"] / peers[best]
    missing = "" if "kit" in peers else " (kit is not installed: unproven against it)"
    print(f"  rolldeck / {best}: {ratio:.2f}   goal: at most {goal}{missing}")
    return ratio <= goal


if __name__ == "__main__":
    sys.exit(main())
