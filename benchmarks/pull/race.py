"""Running the clients interleaved, each into fresh directories, and measuring them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pull.peers import prepare
from benchmarks.pull.servers import warm


@dataclass(frozen=True, slots=True)
class Lap:
    """One pull: wall and processor time in seconds, peak memory in MiB."""

    wall: float
    processor: float
    memory: float


def lap(
    name: str, host: str, place: Path, certificate: Path | None, *, sync: bool, expected: int
) -> Lap:
    """Pull once below ``place`` and measure the whole process, with a sync where it is asked for.

    Raises SystemExit where the client fails, or leaves less than ``expected`` bytes.
    """
    directory = Path(tempfile.mkdtemp(prefix="rolldeck-bench-", dir=place))
    try:
        (directory / "home").mkdir()
        run = prepare(name, host, directory, certificate)
        os.sync()
        environment = {**os.environ, **run.environment}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with open(directory / "log", "w+b") as log:
            started = time.perf_counter()
            process = subprocess.Popen(run.command, env=environment, stdout=log, stderr=log)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if sync:
                subprocess.run(["sync", "-f", str(directory)], check=True)
            wall = time.perf_counter() - started
            log.seek(0)
            told = log.read().decode(errors="replace")
        held = sum(path.lstat().st_size for path in directory.rglob("*") if path.is_file())
        if process.returncode or held < expected:
            raise SystemExit(f"{name} failed ({process.returncode}, {held} bytes): {told[-1000:]}")
        return Lap(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
    finally:
        shutil.rmtree(directory)


def race(
    names: Iterable[str],
    host: str,
    place: Path,
    certificate: Path | None,
    *,
    storage: Path,
    rounds: int,
    sync: bool,
    expected: int,
) -> dict[str, list[Lap]]:
    """Run interleaved rounds after one that only warms up; ``storage`` is the registry's."""
    laps: dict[str, list[Lap]] = {name: [] for name in names}
    for number in range(rounds + 1):
        # Each follows each other in turn: what a client leaves in memory helps or harms the next.
        order = list(laps)
        for name in order[number % len(order) :] + order[: number % len(order)]:
            _tell(f"  round {number} of {rounds}: {name}")
            warm(storage)
            measured = lap(name, host, place, certificate, sync=sync, expected=expected)
            if number:
                laps[name].append(measured)
    _tell("")
    return laps


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
