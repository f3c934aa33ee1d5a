"""How each client gets a version's files: into a fresh directory, or back to one it had before."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.pull.artifact import REPOSITORY
from benchmarks.pull.race import Lap

OLD, NEW = "v1", "v2"
"""Two versions that differ in one small layer."""


@dataclass(frozen=True, slots=True)
class Client:
    """One client with storage of its own below ``home``; ``host`` is the registry's."""

    name: str
    home: Path
    host: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def reference(self, tag: str) -> str:
        """A version as the registry names it."""
        return f"{self.host}/{REPOSITORY}:{tag}"

    def pull_and_unpack(self, to: Path) -> list[list[str]]:
        """Command lines after which the new version is in the registry's client and in ``to``."""
        if self.name == "rolldeck":
            return [[*_ROLLDECK, "pull", "--unpack", str(to), self.reference(NEW)]]
        return [self._kit("pull", NEW), self.unpack(NEW, to)]

    def unpack(self, tag: str, to: Path) -> list[str]:
        """The command line of kit that unpacks a version it has pulled."""
        return [*self._kit("unpack", tag), "-d", str(to)]

    def _kit(self, verb: str, tag: str) -> list[str]:
        return ["kit", verb, self.reference(tag), "--plain-http", "--progress=none"]

    def run(self, commands: Sequence[Sequence[str]], *, sync: Path | None = None) -> Lap:
        """Run whole processes one after the other, then a sync where asked for; SystemExit."""
        environment = {**os.environ, "HOME": str(self.home), "KITOPS_HOME": str(self.home / "kit")}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        processor = memory = 0.0
        with tempfile.TemporaryFile() as log:
            started = time.perf_counter()
            for command in commands:
                process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
                _, status, used = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                if process.returncode:
                    log.seek(0)
                    told = log.read()[-1000:].decode(errors="replace")
                    raise SystemExit(f"{' '.join(command)}: {process.returncode}: {told}")
                processor += used.ru_utime + used.ru_stime
                memory = max(memory, used.ru_maxrss / 1024)
            if sync is not None:
                subprocess.run(["sync", "-f", str(sync)], check=True)
            return Lap(time.perf_counter() - started, processor, memory)


_ROLLDECK = (sys.executable, "-m", "rolldeck")


def fresh(name: str, host: str, place: Path, *, disk: bool, expected: int) -> Lap:
    """Pull and unpack once below ``place``; SystemExit where less than ``expected`` bytes come.

    On a disk a sync belongs to it, and whoever gave the place removes what came: for a minute
    ext4 is slow at making files where others were just removed.
    """
    home = Path(tempfile.mkdtemp(prefix="rolldeck-bench-", dir=place))
    client = Client(name, home, host)
    os.sync()
    commands = client.pull_and_unpack(home / "out")
    measured = client.run(commands, sync=home if disk else None)
    if size_below(home / "out") < expected:
        raise SystemExit(f"{name} left less than {expected} bytes")
    if not disk:
        shutil.rmtree(home)
    return measured


def size_below(root: Path) -> int:
    """Bytes of all files below a directory."""
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def switches(host: str, place: Path, rounds: int) -> dict[str, list[Lap]]:
    """Go between two versions that each client has had before, in turn; no sync on either side.

    rolldeck rolls back and undoes it, as a script does; kit, which knows no switch, unpacks from
    its local storage.
    """
    laps: dict[str, list[Lap]] = {"rolldeck": [], "kit": []}
    home = Path(tempfile.mkdtemp(prefix="rolldeck-bench-", dir=place))
    try:
        deck, kit = (Client(name, home / name, host) for name in laps)
        for client in (deck, kit):
            client.home.mkdir()
        target = home / "serving"
        for tag in (OLD, NEW):
            deck.run([[*_ROLLDECK, "pin", deck.reference(tag), str(target), "--yes"]])
        kit.run([["kit", "pull", kit.reference(NEW), "--plain-http", "--progress=none"]])
        before = _inodes(target)
        for number in range(rounds + 1):
            for verb in ("rollback", "undo"):
                lap = deck.run([[*_ROLLDECK, verb, str(target), "--yes", "--json"]])
                if number:
                    laps["rolldeck"].append(lap)
            lap = kit.run([kit.unpack(NEW, home / f"out-{number}")])
            shutil.rmtree(home / f"out-{number}")
            if number:
                laps["kit"].append(lap)
        if _inodes(target) != before:
            raise SystemExit("A switch wrote files of a release")
        return laps
    finally:
        shutil.rmtree(home)


def _inodes(target: Path) -> set[tuple[int, int]]:
    found = (path.stat() for path in (target / "releases").rglob("*"))
    return {(status.st_ino, status.st_ctime_ns) for status in found}
