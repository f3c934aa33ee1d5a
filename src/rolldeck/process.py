"""Which process did something, written so that another can tell later whether it still runs.

A process id is given again, and means nothing on another machine or in another container. So it
goes with the tick of the machine at which the process started (no wall clock has a say), the boot,
the namespace of process ids and the name of the host.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_ENDED = ("Z", "X")
"""States of a process that was killed and only waits to be reaped."""


@cache
def boot_id() -> str:
    """This boot of the machine; empty where the system does not say."""
    try:
        return _BOOT_ID.read_bytes().decode("ascii").strip()
    except OSError:
        return ""


@cache
def _space() -> str:
    """The namespace in which process ids mean something here."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


@cache
def surroundings() -> str:
    """Eight characters for this boot and namespace: where one process can see another."""
    return hashlib.sha256(f"{boot_id()} {_space()}".encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process of one machine; ``started`` in clock ticks since the boot."""

    pid: int
    started: int
    boot: str
    space: str
    host: str

    @classmethod
    def own(cls) -> ProcessId:
        """This process."""
        pid = os.getpid()
        return cls(pid, _start(pid) or 0, boot_id(), _space(), os.uname().nodename)

    @classmethod
    def from_json(cls, document: Any) -> ProcessId:
        """Read one back; raises KeyError, TypeError or ValueError for what is none."""
        texts = (document["boot"], document["space"], document["host"])
        if not all(isinstance(text, str) for text in texts):
            raise TypeError
        return cls(int(document["pid"]), int(document["started"]), *texts)

    def to_json(self) -> dict[str, Any]:
        """Return the process as a JSON document."""
        return asdict(self)

    def runs(self) -> bool | None:
        """Whether it still runs; None where that cannot be seen from here."""
        if self.boot and (self.boot, self.space) == (boot_id(), _space()):
            return _start(self.pid) == self.started
        if self.host == os.uname().nodename and self.boot and boot_id() not in ("", self.boot):
            return False  # the machine was started again since
        return None


def _start(pid: int) -> int | None:
    """Return the tick at which a process started; None where none with this id runs here."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The program's name stands in brackets and may hold anything, brackets included.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in _ENDED else int(fields[19])
