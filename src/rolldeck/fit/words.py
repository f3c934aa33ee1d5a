"""A host and lists of names in words, the same in the deck and on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.fit.host import Host
from rolldeck.text import clean_line
from rolldeck.units import human_size

_SHOWN = 8


def host_lines(host: Host) -> list[str]:
    """Return what a version is held against: the interpreter if there is one, and the machine."""
    lines = []
    if (python := host.python) is not None:
        libc = f", {python.libc}" if python.libc else ""
        lines.append(
            f"{python.path}: Python {python.version} ({python.abi}), {python.platform}{libc},"
            f" {len(python.packages)} packages"
        )
    memory = f", {human_size(host.memory)} memory" if host.memory else ""
    gpus = ", ".join(
        f"{gpu.name} {human_size(gpu.memory)}" if gpu.memory else gpu.name for gpu in host.gpus
    )
    driver = f"driver {host.driver}" if host.driver else host.gpu_problem
    shown = ", ".join(part for part in (gpus, driver) if part)
    lines.append(f"{host.os} {host.architecture}{memory}; {shown}")
    return [clean_line(line) for line in lines]


def some(names: Sequence[str]) -> str:
    """Return how many names there are and the first of them: ``2 (h2, httpx)``."""
    rest = ", …" if len(names) > _SHOWN else ""
    return clean_line(f"{len(names)} ({', '.join(names[:_SHOWN])}{rest})", 500)
