"""``Host``: what a machine and one interpreter on it have, as far as it was read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBERS = re.compile(r"\d+", re.ASCII)


def numbers(version: str | None, most: int = 4) -> tuple[int, ...]:
    """Return the leading numbers of a version: ``570.86.15`` is ``(570, 86, 15)``."""
    start = re.match(r"\d+(?:\.\d+)*", version or "", re.ASCII)
    parts = _NUMBERS.findall(start[0])[:most] if start else []
    return tuple(int(part) for part in parts if len(part) < 10)


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: ``memory`` in bytes, ``capability`` the compute capability (``9.0``)."""

    name: str
    memory: int | None = None
    capability: str | None = None


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One Python interpreter and what is installed in it.

    ``implementation`` and ``abi`` are as in wheel tags' terms (``cpython``, ``cp313t``),
    ``platform`` is what ``sysconfig.get_platform`` says, ``bits`` the size of a pointer, ``libc``
    name and version (``glibc 2.36``). ``markers`` are the environment markers of PEP 508,
    ``packages`` the installed versions by normalized name.
    """

    path: str
    version: str
    implementation: str = "cpython"
    abi: str = ""
    platform: str = "linux-x86_64"
    bits: int = 64
    libc: str = ""
    mac_version: str = ""
    markers: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version."""
        found = (*numbers(self.version, 2), 0, 0)
        return found[0], found[1]


@dataclass(frozen=True, slots=True)
class Host:
    """A machine: ``os`` and ``architecture`` as ``uname`` has them, ``memory`` in bytes.

    ``cpu_features`` are the flags of the processor, None where the system does not tell.
    ``driver`` is the version of the NVIDIA driver, None where none is visible; then ``gpu_problem``
    says why. ``python`` is None where no interpreter could be read, then ``python_problem`` says
    why.
    """

    os: str
    architecture: str
    cpu_features: frozenset[str] | None = None
    memory: int | None = None
    driver: str | None = None
    gpus: tuple[Gpu, ...] = ()
    gpu_problem: str = ""
    python: Interpreter | None = None
    python_problem: str = ""
