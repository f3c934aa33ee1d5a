"""Race ``rolldeck pack`` against ``kit pack``, where kit is on PATH.

Whole processes, interleaved, medians; each packs the same directory into empty storage, on tmpfs or
on disk, and what it wrote is synced within its time. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.pull.artifact import MODEL, make_context
from benchmarks.pull.race import Lap
from benchmarks.push.__main__ import report

MEMORY = 100
"""Most MiB that packing may take."""

_PLACES = {"tmpfs": Path("/dev/shm"), "disk": Path(tempfile.gettempdir())}


def main() -> int:
    """Measure and print; exit code 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pack", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=MODEL, help="MiB of the model")
    parser.add_argument("--only", choices=("tmpfs", "disk"), help="one kind of file system")
    given = parser.parse_args()
    names = ["rolldeck", *(["kit"] if shutil.which("kit") else [])]
    fine = True
    print(f"{given.size} MiB + {given.size // 4} MiB + 2,000 files; {given.rounds} rounds")
    for place in [given.only] if given.only else list(_PLACES):
        with tempfile.TemporaryDirectory(dir=_PLACES[place]) as scratch:
            context = make_context(Path(scratch), given.size)
            laps: dict[str, list[Lap]] = {name: [] for name in names}
            for number in range(given.rounds + 1):
                for name in names if number % 2 else reversed(names):
                    measured = lap(name, context, _PLACES[place])
                    if number:
                        laps[name].append(measured)
            fine &= report(place, laps)
            fine &= max(one.memory for one in laps["rolldeck"]) <= MEMORY
    return 0 if fine else 1


def lap(name: str, context: Path, place: Path) -> Lap:
    """Pack once into empty storage and measure the whole process with a sync."""
    with tempfile.TemporaryDirectory(prefix="rolldeck-bench-", dir=place) as home:
        environment = {**os.environ, "HOME": home, "KITOPS_HOME": home}
        words = ["kit", "pack", str(context), "-t", "bench/model:v1", "--progress=none"]
        if name == "rolldeck":
            environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            words = [sys.executable, "-m", "rolldeck", "pack", str(context), "-t", "bench/model:v1"]
            words += ["--library", f"{home}/library"]
        os.sync()
        with open(f"{home}/log", "w+b") as log:
            started = time.perf_counter()
            process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
            _, status, used = os.wait4(process.pid, 0)
            subprocess.run(["sync", "-f", home], check=True)
            wall = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            told = log.read().decode(errors="replace")
        held = sum(path.lstat().st_size for path in Path(home).rglob("*") if path.is_file())
        expected = sum(path.stat().st_size for path in context.rglob("*") if path.is_file())
        if process.returncode or held < expected:
            raise SystemExit(f"{name} failed ({process.returncode}, {held} bytes): {told[-1000:]}")
        return Lap(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


if __name__ == "__main__":
    sys.exit(main())
