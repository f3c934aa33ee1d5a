"""Which wheels an interpreter can install, told from what was read of it.

``packaging.tags`` knows the running interpreter alone, so that the platforms of another one are
given to it: those of PEP 600 and PEP 656 are made here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rolldeck.fit.host import Interpreter, numbers

if TYPE_CHECKING:
    from packaging.tags import Tag

_NARROW = {"x86_64": "i686", "aarch64": "armv7l"}
"""What a 32-bit interpreter runs as on a 64-bit machine."""

_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""Older names of platforms by the minor version of glibc 2 that they stand for."""


def wheel_tags(python: Interpreter) -> frozenset[Tag]:
    """Return all tags that the interpreter accepts."""
    from packaging.tags import compatible_tags, cpython_tags, generic_tags

    version = python.release
    digits = f"{version[0]}{version[1]}"
    platforms = list(_platforms(python))
    if python.implementation == "cpython":
        name = f"cp{digits}"
        own = cpython_tags(version, [python.abi or name], platforms)
    else:
        name = f"{'pp' if python.implementation == 'pypy' else python.implementation}{digits}"
        own = generic_tags(name, [python.abi] if python.abi else [], platforms)
    return frozenset((*own, *compatible_tags(version, name, platforms)))


def _platforms(python: Interpreter) -> Iterator[str]:
    system, _, machine = python.platform.partition("-")
    if system == "macosx":
        from packaging.tags import mac_platforms

        release = (*numbers(python.mac_version, 2), 0)
        architecture = python.markers.get("platform_machine") or "arm64"
        yield from mac_platforms((release[0], release[1]), architecture)
    elif system == "linux":
        machine = machine.replace("-", "_").replace(".", "_")
        if python.bits == 32:
            machine = _NARROW.get(machine, machine)
        yield from (f"{platform}_{machine}" for platform in _linux(python.libc))
        yield f"linux_{machine}"
    else:
        yield python.platform.replace("-", "_").replace(".", "_")


def _linux(libc: str) -> Iterator[str]:
    """Yield what stands before the machine in a platform, the newest first."""
    name, _, version = libc.partition(" ")
    major, minor = (*numbers(version, 2), 0, 0)[:2]
    if name == "glibc" and major == 2:
        for each in range(minor, 4, -1):
            yield f"manylinux_2_{each}"
            if each in _LEGACY:
                yield _LEGACY[each]
    elif name == "musl" and major == 1:
        yield from (f"musllinux_1_{each}" for each in range(minor, -1, -1))
