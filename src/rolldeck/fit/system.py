"""Python, operating system, C library and processor of a version against those of a host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rolldeck.facts import Facts
from rolldeck.fit.host import Host, Interpreter, numbers
from rolldeck.fit.markers import in_range
from rolldeck.fit.model import Finding, Severity
from rolldeck.units import human_size

_SAME_MACHINE = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "i386": "i686"}
_SAME_SYSTEM = {"macos": "darwin", "win32": "windows"}
_SAME_FEATURE = {"avx512": "avx512f", "amx": "amx_tile", "sse4.1": "sse4_1", "sse4.2": "sse4_2"}

_NEEDED_FEATURES = {"tensorflow": "avx", "tensorflow-cpu": "avx", "polars": "avx2"}
"""Packages whose published x86-64 wheels stop at once on a processor without a feature."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a version says of its environment, by group and name."""

    values: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, facts: Facts) -> Recorded:
        """Return the environment of some facts."""
        return cls({(item.group, item.name): item.value for item in facts.environment})

    def get(self, group: str, name: str) -> str | None:
        """Return one value, None where it is not recorded."""
        return self.values.get((group, name))


def system_findings(facts: Facts, host: Host) -> Iterator[Finding]:
    """Yield what differs; equal things yield nothing."""
    recorded = Recorded.of(facts)
    if host.python is None:
        yield Finding("Python", None, None, "info", f"was not read: {host.python_problem}")
    else:
        yield from _python(recorded, host.python)
    yield from _machine(recorded, host)
    yield from _libc(recorded, host)
    yield from _processor(recorded, facts, host)


def _python(recorded: Recorded, python: Interpreter) -> Iterator[Finding]:
    wanted = recorded.get("python", "requires")
    if wanted and in_range(python.version, wanted) is False:
        detail = f"is required, here {python.version}"
        yield Finding("Python", wanted, python.version, "blocker", detail)
    version = recorded.get("python", "version")
    here, there = numbers(python.version, 3), numbers(version, 3)
    if version and there and here[: len(there)] != there:
        severity: Severity = "info"
        if here[:2] != there[:2]:
            severity = "warn" if here[:1] == there[:1] else "blocker"
        yield Finding("Python", version, python.version, severity, f"is {python.version} here")
    implementation = recorded.get("python", "implementation")
    if implementation and implementation.lower() != python.implementation:
        detail = f"is {python.implementation} here"
        yield Finding("Python", implementation, python.implementation, "warn", detail)


def _machine(recorded: Recorded, host: Host) -> Iterator[Finding]:
    for what, name, here, same in (
        ("OS", "type", host.os, _SAME_SYSTEM),
        ("architecture", "architecture", host.architecture, _SAME_MACHINE),
    ):
        version = recorded.get("os", name)
        if version and _one(version, same) != _one(here, same):
            yield Finding(what, version, here, "warn", f"is {here} here")


def _one(value: str, same: Mapping[str, str]) -> str:
    lowered = value.strip().lower()
    return same.get(lowered, lowered)


def _libc(recorded: Recorded, host: Host) -> Iterator[Finding]:
    version, here = recorded.get("os", "libc"), host.python.libc if host.python else ""
    if not version or not here:
        return
    (name, _, release), (our_name, _, our_release) = version.partition(" "), here.partition(" ")
    if name.lower() != our_name.lower():
        detail = f"is {here} here: compiled files of one do not load with the other"
        yield Finding("C library", version, here, "warn", detail)
    elif numbers(our_release, 2) < numbers(release, 2):
        detail = f"is {here} here: what was compiled there may ask for more"
        yield Finding("C library", version, here, "warn", detail)


def _processor(recorded: Recorded, facts: Facts, host: Host) -> Iterator[Finding]:
    if host.cpu_features is None:
        return
    wanted = (recorded.get("hardware", "cpu features") or "").lower().replace(",", " ").split()
    absent = [each for each in wanted if _SAME_FEATURE.get(each, each) not in host.cpu_features]
    if absent:
        detail = "is not there: what was compiled for it stops"
        yield Finding("CPU feature", ", ".join(absent), None, "warn", detail)
    if _one(host.architecture, _SAME_MACHINE) != "x86_64":
        return
    for package in facts.packages:
        feature = _NEEDED_FEATURES.get(package.name)
        if feature and feature not in host.cpu_features:
            detail = f"needs the CPU feature {feature}, which is not there"
            yield Finding(package.name, package.value, None, "blocker", detail)


def memory_finding(weights: int, host: Host) -> Iterator[Finding]:
    """Yield what to know where the weights alone are larger than the host's memory."""
    if host.memory is not None and weights > host.memory:
        detail = f"are more than the memory here, {human_size(host.memory)}"
        yield Finding("weights of", human_size(weights), human_size(host.memory), "warn", detail)
