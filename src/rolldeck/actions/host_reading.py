"""Reading this host and an interpreter on it, for ``fit``. Blocks."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rolldeck.actions.gpus import read_gpus
from rolldeck.actions.interpreter import choose_interpreter, read_interpreter
from rolldeck.errors import UsageError
from rolldeck.fit import Host, Interpreter

_CPU = Path("/proc/cpuinfo")
_CPU_LIMIT = 64 * 1024


def read_host(python: Path | None = None) -> Host:
    """Read this machine, its GPUs, and an interpreter: the given one, else the usual one.

    Raises UsageError where the given interpreter is not there or cannot be run; whatever else
    cannot be read is None.
    """
    interpreter, problem = _interpreter(python)
    return replace(read_machine(), python=interpreter, python_problem=problem)


def read_machine() -> Host:
    """Read this machine and its GPUs; whatever cannot be read is None."""
    gpus = read_gpus()
    return Host(
        os=platform.system(),
        architecture=platform.machine(),
        cpu_features=_cpu_features(),
        memory=_memory(),
        driver=gpus.driver,
        gpus=gpus.gpus,
        gpu_problem=gpus.problem,
        python_problem="no interpreter was asked",
    )


def _interpreter(chosen: Path | None) -> tuple[Interpreter | None, str]:
    path = choose_interpreter(chosen)
    if path is None:
        return None, "there is no python3 on the path"
    try:
        return read_interpreter(path), ""
    except (OSError, ValueError) as error:
        problem = str(error)
    if chosen is not None:
        raise UsageError(problem, hint="--python takes a Python interpreter, 3.8 or newer.")
    return None, problem


def _cpu_features() -> frozenset[str] | None:
    """Return the flags of the first processor: x86 and ARM name the line in different ways."""
    with suppress(OSError), _CPU.open(encoding="ascii", errors="replace") as file:
        for line in file.read(_CPU_LIMIT).splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return frozenset(value.split())
    return None


def _memory() -> int | None:
    with suppress(OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
