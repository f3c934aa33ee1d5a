"""Reading a pickle in a process that can do nothing else: small, without rights, soon over."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rolldeck import facts
from rolldeck.facts.pickles import Pickle, pickle_of_report
from rolldeck.progress import Progress
from rolldeck.units import human_size

MOST = 256 * 1024 * 1024
"""Most bytes of a pickle that are given to the process."""

_WORKER = Path(facts.__file__).with_name("pickle_worker.py")
"""Not imported: what it needs is of no use here."""

_LONGEST_OUTPUT = 1024 * 1024
_SECONDS = 30.0
"""How long its answer may take: its own limits end it sooner."""


def read_pickle(
    path: str, size: int | None, chunks: Iterable[bytes | memoryview], progress: Progress
) -> Pickle:
    """Read a pickle without loading it; blocks. Raises what ``chunks`` raises.

    Only its first bytes are given where ``chunks`` are fewer than ``size``, and that is said.
    """
    # Isolated, without site-packages and without this process's variables.
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        given, enough = 0, False
        for chunk in chunks:
            progress.check()
            try:
                process.stdin.write(chunk[: MOST - given])
            except BrokenPipeError:
                enough = True
                break
            given += len(chunk)
            if given >= MOST:
                break
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdin = None
        output = _output(process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    given = min(given, MOST)
    whole = enough or size is None or given >= size
    cut = "" if whole else f"only the first {human_size(given)} were read"
    return pickle_of_report(path, size, output, cut)


def _output(process: subprocess.Popen[bytes]) -> bytes:
    try:
        output, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return b""
    return output if process.returncode == 0 and len(output) <= _LONGEST_OUTPUT else b""
