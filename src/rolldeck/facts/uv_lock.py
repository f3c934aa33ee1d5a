"""``uv.lock``: one resolution for all platforms, as uv writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rolldeck.facts.document import mapping, name, objects, text
from rolldeck.facts.load import UnreadableFile, load_toml
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import UNKNOWN, Package, PackageList, unreadable

_PROJECT = ("virtual", "editable")
"""Sources of the project itself and of the other members of its workspace."""
_DIRECT = ("git", "url", "path", "directory")


def read(path: str, data: bytes) -> Facts:
    """Return the packages of a lock; those that only development groups need are marked."""
    try:
        document = load_toml(data)
    except UnreadableFile as error:
        return unreadable(path, error)
    entries = objects(document.get("package"))
    projects = [entry for entry in entries if _is_project(entry)]
    needed = _needed(projects, entries)
    packages = [
        _package(label, entry, bool(projects) and label not in needed)
        for entry in entries
        if not _is_project(entry) and (label := name(entry.get("name")))
    ]
    registries = (mapping(entry.get("source")).get("registry") for entry in entries)
    return PackageList(
        path,
        "lock",
        packages,
        indexes=[found for registry in registries if (found := text(registry))],
        requires_python=text(document.get("requires-python")),
    ).facts()


def _is_project(entry: Mapping[str, Any]) -> bool:
    return any(key in mapping(entry.get("source")) for key in _PROJECT)


def _needed(
    projects: Iterable[Mapping[str, Any]], entries: Sequence[Mapping[str, Any]]
) -> set[str]:
    """Return the names of what the project needs outside its development groups."""
    wants: dict[str, set[str]] = {}
    for entry in entries:
        if label := name(entry.get("name")):
            wants.setdefault(label, set()).update(_dependencies(entry))
    needed: set[str] = set()
    waiting = [found for project in projects for found in _dependencies(project)]
    while waiting:
        label = waiting.pop()
        if label not in needed:
            needed.add(label)
            waiting += wants.get(label, ())
    return needed


def _dependencies(entry: Mapping[str, Any]) -> list[str]:
    optional = mapping(entry.get("optional-dependencies")).values()
    lists = (entry.get("dependencies"), *optional)
    return [found for each in lists for item in objects(each) if (found := name(item.get("name")))]


def _package(label: str, entry: Mapping[str, Any], for_development: bool) -> Package:
    version, source = text(entry.get("version")), mapping(entry.get("source"))
    direct = next((found for key in _DIRECT if (found := text(source.get(key)))), None)
    if direct:
        version = f"{version} @ {direct}" if version else f"@ {direct}"
    files = [*objects(entry.get("wheels")), mapping(entry.get("sdist"))]
    hashes = [file.get("hash") for file in files if file]
    hashed = (bool(hashes) and all(hashes)) or ("git" in source and "#" in (direct or ""))
    return Package(label, version or UNKNOWN, _where(entry, for_development), hashed)


def _where(entry: Mapping[str, Any], for_development: bool) -> str:
    markers = entry.get("resolution-markers")
    if isinstance(markers, list) and (found := [text(item) or "" for item in markers[:8]]):
        return f"if {' or '.join(found)}"
    return "in dev" if for_development else ""
