"""Race a whole rollback against ``kit pull`` and ``kit unpack`` of the earlier version.

rolldeck moves the channel back in the registry, holds it, marks the version bad, and switches a
local target that follows it and so has the earlier version unpacked; kit gets that anew. Processes,
interleaved, medians. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.pull.artifact import MODEL, REPOSITORY, make_kit, make_next
from benchmarks.pull.race import Lap
from benchmarks.pull.servers import push, run_registry
from benchmarks.unpack.ways import NEW, OLD, Client
from rolldeck.oci import Digest
from rolldeck.release import Target

_PLACES = {"disk": Path(tempfile.gettempdir()), "tmpfs": Path("/dev/shm")}
_SECONDS, _RATIO = 3.0, 0.5
"""Most seconds of a rollback, and most of kit's wall time; 2 s of it are the last look."""

_ROLLDECK = (sys.executable, "-m", "rolldeck")


@dataclass(frozen=True, slots=True)
class Desk:
    """A host that serves from a local target, and a channel whose new version is live."""

    client: Client
    target: Path
    versions: dict[str, Digest | None] = field(default_factory=dict)
    """What the target was at with each version."""

    @property
    def channel(self) -> str:
        """The channel's tag in the registry."""
        return self.client.reference("production")

    def prepare(self) -> None:
        """Promote both versions with a target that follows; the older one is good."""
        self.do("promote", self.client.reference(OLD), self.channel, "--yes")
        self.do("verdict", self.client.reference(OLD), "good")
        self.do("pin", "--follow", self.channel, str(self.target), "--yes")
        self.versions[OLD] = Target(self.target).current()
        self.do("promote", self.client.reference(NEW), self.channel, "--yes")
        self.do("follow", str(self.target), "--once")
        self.versions[NEW] = Target(self.target).current()

    def do(self, *words: str) -> Lap:
        """Run one verb."""
        return self.client.run([[*_ROLLDECK, *words, "--json"]])

    def roll_back(self) -> Lap:
        """Go back in the registry and on this host, in one command."""
        return self._move("rollback", OLD)

    def return_to_new(self) -> None:
        """Take it back, so that the next round begins where this one did."""
        self._move("undo", NEW)

    def _move(self, verb: str, tag: str) -> Lap:
        lap = self.do(verb, self.channel, "--yes")
        assert Target(self.target).current() == self.versions[tag]
        return lap


def main() -> int:
    """Measure and print; exit code 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rollback", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=MODEL, help="MiB of the model")
    parser.add_argument("--only", choices=tuple(_PLACES), help="one kind of file system")
    given = parser.parse_args()
    fine = True
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=_PLACES["disk"])))
        layout = make_kit(scratch, given.size)
        make_next(scratch, NEW)
        host = stack.enter_context(run_registry(scratch / "storage", scratch))
        print(f"{given.size} MiB + {given.size // 4} MiB + 2,000 files; {given.rounds} rounds")
        for place in [given.only] if given.only else list(_PLACES):
            for tag in (OLD, NEW):
                push(layout, host, REPOSITORY, tag)
            room = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=_PLACES[place])))
            fine &= report(place, race(host, room, given.rounds))
    return 0 if fine else 1


def race(host: str, place: Path, rounds: int) -> dict[str, list[Lap]]:
    """Run interleaved rounds after one that only warms up; kit where it is installed."""
    laps: dict[str, list[Lap]] = {"rolldeck": []}
    if shutil.which("kit") is not None:
        laps["kit"] = []
    home = place / "rolldeck"
    home.mkdir()
    desk = Desk(Client("rolldeck", home, host), home / "serving")
    desk.prepare()
    for number in range(rounds + 1):
        found = {"rolldeck": desk.roll_back()}
        desk.return_to_new()
        if "kit" in laps:
            found["kit"] = get_anew(host, place / f"kit-{number}")
        for name, lap in found.items() if number else ():
            laps[name].append(lap)
    return laps


def get_anew(host: str, home: Path) -> Lap:
    """Pull and unpack the earlier version with kit, which starts without it."""
    home.mkdir()
    client = Client("kit", home, host)
    pull = ["kit", "pull", client.reference(OLD), "--plain-http", "--progress=none"]
    lap = client.run([pull, client.unpack(OLD, home / "out")])
    shutil.rmtree(home)
    return lap


def report(place: str, laps: dict[str, list[Lap]]) -> bool:
    """Print one race; returns whether the goals are reached."""
    print(f"\nrollback, {place}: median wall s (least - most), cpu s, peak MiB")
    median = {name: statistics.median(one.wall for one in found) for name, found in laps.items()}
    for name, found in laps.items():
        walls = [one.wall for one in found]
        processor = statistics.median(one.processor for one in found)
        span = f"({min(walls):.2f} - {max(walls):.2f})"
        memory = max(one.memory for one in found)
        print(f"  {name:9}{median[name]:7.2f} {span:15}{processor:7.2f}{memory:7.0f}")
    print(f"  rolldeck: {median['rolldeck']:.2f} s   goal: at most {_SECONDS} s")
    fine = median["rolldeck"] <= _SECONDS
    if "kit" not in median:
        print("  kit is not installed: unproven against it")
        return fine
    ratio = median["rolldeck"] / median["kit"]
    print(f"  rolldeck / kit: {ratio:.2f}   goal: at most {_RATIO}")
    return fine and ratio <= _RATIO


if __name__ == "__main__":
    sys.exit(main())
