"""Race ``rolldeck pull --unpack`` against ``kit pull && kit unpack``, and a rollback against kit.

Whole processes, interleaved, medians; on disk (followed by the same sync) and on tmpfs. Exit code 1
where a goal is missed.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.pull.artifact import MODEL, REPOSITORY, make_kit, make_next
from benchmarks.pull.race import Lap
from benchmarks.pull.servers import push, run_registry, warm
from benchmarks.unpack.ways import NEW, OLD, fresh, switches

_PLACES = {"disk": Path(tempfile.gettempdir()), "tmpfs": Path("/dev/shm")}
_UNPACK_GOAL, _SWITCH_GOAL = 0.5, 0.15
"""Most of kit's wall time."""


def main() -> int:
    """Measure and print; exit code 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unpack", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=MODEL, help="MiB of the model")
    parser.add_argument("--only", choices=tuple(_PLACES), help="one kind of file system")
    parser.add_argument("--disk", type=Path, help="a directory on the disk")
    given = parser.parse_args()
    if shutil.which("kit") is None:
        raise SystemExit("kit is not on PATH, and there is nothing else to race against")
    places = dict(_PLACES) | ({"disk": given.disk} if given.disk else {})
    fine = True
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=places["disk"])))
        layout = make_kit(scratch, given.size)
        make_next(scratch, NEW)
        storage = scratch / "storage"
        host = stack.enter_context(run_registry(storage, scratch))
        for tag in (OLD, NEW):
            push(layout, host, REPOSITORY, tag)
        print(f"{given.size} MiB + {given.size // 4} MiB + 2,000 files; {given.rounds} rounds")
        for place in [given.only] if given.only else list(places):
            room = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=places[place])))
            expected = given.size * 5 // 4 << 20
            laps = race(host, storage, room, place == "disk", given.rounds, expected)
            fine &= report(f"pull and unpack, {place}", laps, _UNPACK_GOAL)
            laps = switches(host, room, given.rounds)
            fine &= report(f"switch, {place}", laps, _SWITCH_GOAL)
    return 0 if fine else 1


def race(
    host: str, storage: Path, place: Path, disk: bool, rounds: int, expected: int
) -> dict[str, list[Lap]]:
    """Run interleaved rounds after one that only warms up; ``storage`` is the registry's."""
    laps: dict[str, list[Lap]] = {"rolldeck": [], "kit": []}
    for number in range(rounds + 1):
        for name in list(laps) if number % 2 else reversed(list(laps)):
            warm(storage)
            lap = fresh(name, host, place, disk=disk, expected=expected)
            if number:
                laps[name].append(lap)
    return laps


def report(title: str, laps: dict[str, list[Lap]], goal: float) -> bool:
    """Print one race; returns whether the goal is reached."""
    print(f"\n{title}: median wall s (least - most), cpu s, peak MiB")
    median = {name: statistics.median(one.wall for one in found) for name, found in laps.items()}
    for name, found in laps.items():
        walls = [one.wall for one in found]
        processor = statistics.median(one.processor for one in found)
        span = f"({min(walls):.2f} - {max(walls):.2f})"
        memory = max(one.memory for one in found)
        print(f"  {name:9}{median[name]:7.2f} {span:15}{processor:7.2f}{memory:7.0f}")
    ratio = median["rolldeck"] / median["kit"]
    print(f"  rolldeck / kit: {ratio:.2f}   goal: at most {goal}")
    return ratio <= goal


if __name__ == "__main__":
    sys.exit(main())
