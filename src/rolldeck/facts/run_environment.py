"""Where a run took place: the environment, packages and seeds of a run record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import entries, items, mapping, name, number, objects, text
from rolldeck.facts.model import LISTING, EnvironmentFact
from rolldeck.facts.packages import UNKNOWN, canonical_name
from rolldeck.facts.purl import SCHEME, read_purl
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


def read_environment(record: Mapping[str, Any], source: str) -> tuple[EnvironmentFact, ...]:
    """Return the facts of the environment and of its list of packages."""
    described = mapping(record.get("environment"))
    facts: dict[tuple[str, str], EnvironmentFact] = {}
    for group, label, value in _all(record, described):
        if value:
            facts.setdefault((group, label), EnvironmentFact(group, label, value, source))
    if any(fact.group == "package" for fact in facts.values()):
        stated = (("source", source), ("completeness", name(described.get("completeness"))))
        about = [EnvironmentFact(LISTING, label, value, source) for label, value in stated if value]
        return (*facts.values(), *about)
    return tuple(facts.values())


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
    features = (text(item) for item in items(hardware.get("host.cpu.features")))
    yield "hardware", "cpu features", " ".join(item for item in features if item) or None
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
        return (canonical_name(label), version or UNKNOWN) if label else None
    if not isinstance(entry, str):
        return None
    if not entry.startswith(SCHEME):
        label, _, version = clean_line(entry, 500).partition("==")
        return (canonical_name(label.strip()), version.strip() or UNKNOWN) if label else None
    return read_purl(entry)
