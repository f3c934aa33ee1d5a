"""Processes that have something open, for the time of a block."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rolldeck.release import in_use

_PROGRAM = """
import mmap, os, sys
path, how = sys.argv[1:]
if how == "open":
    held = open(path, "rb")
elif how == "mapped":
    with open(path, "rb") as file:
        # Python's own mappings keep a descriptor open, which would be found first.
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        numbers = [ctypes.c_int] * 3 + [ctypes.c_long]
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *numbers]
        assert libc.mmap(None, 1, mmap.PROT_READ, mmap.MAP_PRIVATE, file.fileno(), 0) > 0
else:
    os.chdir(os.path.dirname(path))
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def using(path: Path, how: str) -> Iterator[int]:
    """Have a process with the file ``open``, ``mapped``, or in its directory; yields its id."""
    ran = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert ran.stdout is not None
    assert ran.stdout.readline() == b"ready\n"
    try:
        yield ran.pid
    finally:
        ran.communicate()


def see_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave processes out that the user of the tests may not look into: some hosts have them."""
    real = in_use._processes

    def processes() -> Iterator[int]:
        for pid in real():
            try:
                in_use._opened(pid, [])
            except PermissionError:
                continue
            except OSError:
                pass
            yield pid

    monkeypatch.setattr(in_use, "_processes", processes)
