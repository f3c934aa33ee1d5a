"""Processes that have something open, for the time of a block."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = """
import mmap, os, sys
path, how = sys.argv[1:]
if how == "open":
    held = open(path, "rb")
elif how == "mapped":
    with open(path, "rb") as file:
        # The mapping has a descriptor of its own, which is closed, so that only the mapping is left.
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
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
