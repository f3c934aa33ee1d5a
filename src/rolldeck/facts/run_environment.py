"""Where a run took place: the environment, packages and seeds of a run record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from rolldeck.facts.document import entries, items, mapping, name, number, objects, text
from rolldeck.facts.model import EnvironmentFact
from rolldeck.text import clean_line
from rolldeck.units import human_size

_Found = Iterator[tuple[str, str, str | None]]

_SIMPLE = (
    ("python", "implementation", "process.runtime.name"),
    ("python", "version", "process.runtime.version"),
    ("os", "type", "os.type"),
    ("os", "description", "os.description"),
    ("os", "architecture", "host.arch"),
)
_GPU = (
    ("", "hw.name"),
    (" driver", "hw.driver_version"),
    (" compute capability", "computeCapability"),
)
_SEPARATORS = re.compile(r"[-_.]+")


def canonical_name(package: str) -> str:
    """Return a Python package's name as the packaging specifications normalize it."""
    return _SEPARATORS.sub("-", package).lower()


def read_environment(
    record: Mapping[str, Any], source: str
) -> tuple[tuple[EnvironmentFact, ...], tuple[str, ...]]:
    """Return the facts of the environment, and in words what is known to be incomplete."""
    described = mapping(record.get("environment"))
    facts: dict[tuple[str, str], EnvironmentFact] = {}
    for group, label, value in _all(record, described):
        if value:
            facts.setdefault((group, label), EnvironmentFact(group, label, value, source))
    inferred = name(described.get("completeness")) == "inferred"
    known = any(fact.group == "package" for fact in facts.values())
    remark = f"packages: {source} holds inferred ones, what they depend on is unknown"
    return tuple(facts.values()), (remark,) if inferred and known else ()


def _all(record: Mapping[str, Any], described: Mapping[str, Any]) -> _Found:
    for group, label, key in _SIMPLE:
        yield group, label, text(described.get(key))
    libc = mapping(described.get("libc"))
    yield "os", "libc", _joined(libc.get("name"), libc.get("version"))
    yield from _hardware(mapping(described.get("hardware")))
    for key, value in entries(record.get("seeds")):
        if seeded := name(key):
            yield "seed", seeded, text(value)
    for variable in objects(described.get("environmentVariables")):
        if variable_name := name(variable.get("name")):
            yield "variable", variable_name, text(variable.get("value"))
    for package in items(record.get("packages")):
        if pinned := read_package(package):
            yield ("package", *pinned)


def _joined(*values: Any) -> str | None:
    return " ".join(found for value in values if (found := text(value))) or None


def _hardware(hardware: Mapping[str, Any]) -> _Found:
    yield "hardware", "cpu", text(hardware.get("host.cpu.model.name"))
    yield "hardware", "memory", _bytes(hardware.get("memoryBytes"))
    for index, gpu in enumerate(objects(hardware.get("gpus"))):
        for suffix, key in _GPU:
            yield "hardware", f"gpu {index}{suffix}", text(gpu.get(key))
        yield "hardware", f"gpu {index} memory", _bytes(gpu.get("hw.gpu.memory.limit"))
    for key in ("cuda", "cudnn"):
        yield "hardware", key, text(hardware.get(key))


def _bytes(value: Any) -> str | None:
    found = number(value)
    return human_size(found) if found is not None and found > 0 else None


def read_package(entry: Any) -> tuple[str, str] | None:
    """Return name and version of a package: a purl, ``name==version``, or an object of these.

    Python packages go by their normalized name, others as ``type:name``.
    """
    if isinstance(entry, dict):
        if (purl := name(entry.get("purl"))) is not None:
            return read_package(purl)
        label, version = name(entry.get("name")), text(entry.get("version"))
        return (canonical_name(label), version or "unknown") if label else None
    if not isinstance(entry, str):
        return None
    if not entry.startswith("pkg:"):
        label, _, version = clean_line(entry, 500).partition("==")
        return (canonical_name(label.strip()), version.strip() or "unknown") if label else None
    rest = entry[4:].partition("#")[0].partition("?")[0].strip("/")
    path, mark, version = rest.rpartition("@")
    kind, _, label = (path if mark else rest).partition("/")
    label, version = (clean_line(unquote(part), 250) for part in (label, version if mark else ""))
    if not label:
        return None
    label = canonical_name(label) if kind.lower() == "pypi" else f"{clean_line(kind)}:{label}"
    return label, version or "unknown"
