"""``poetry.lock`` of Poetry 1 and 2, and ``pdm.lock``, which is built alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rolldeck.facts.document import items, mapping, name, objects, text
from rolldeck.facts.load import UnreadableFile, load_toml
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import UNKNOWN, Package, PackageList, unreadable

_MAIN = ("main", "default")


def read(path: str, data: bytes) -> Facts:
    """Return the packages of a lock; those that no main group needs name their groups."""
    try:
        document = load_toml(data)
    except UnreadableFile as error:
        return unreadable(path, error)
    metadata = mapping(document.get("metadata"))
    entries = objects(document.get("package"))
    elsewhere = mapping(metadata.get("files"))
    sources = (mapping(entry.get("source")) for entry in entries)
    indexes = [found for item in sources if item.get("type") == "legacy"
               and (found := text(item.get("url")))]  # fmt: skip
    python = metadata.get("python-versions") or _target(metadata)
    return PackageList(
        path,
        "lock",
        [
            _package(label, entry, objects(elsewhere.get(label)))
            for entry in entries
            if (label := name(entry.get("name")))
        ],
        indexes=indexes,
        requires_python=text(python) if python != "*" else None,
    ).facts()


def _target(metadata: Mapping[str, Any]) -> Any:
    targets = objects(metadata.get("targets"))
    return targets[0].get("requires_python") if targets else None


def _package(
    label: str, entry: Mapping[str, Any], elsewhere: Iterable[Mapping[str, Any]]
) -> Package:
    version, source = text(entry.get("version")) or UNKNOWN, mapping(entry.get("source"))
    direct, revision = text(source.get("url")), text(source.get("resolved_reference"))
    if source.get("type") == "legacy":
        direct = None
    direct = direct or text(entry.get("git")) or text(entry.get("url")) or text(entry.get("path"))
    revision = revision or text(entry.get("revision"))
    if direct:
        version = f"{version} @ {direct}@{revision}" if revision else f"{version} @ {direct}"
    files = objects(entry.get("files")) or list(elsewhere)
    hashed = bool(files) and all(file.get("hash") for file in files)
    return Package(label, version, _where(entry), hashed or bool(revision))


def _where(entry: Mapping[str, Any]) -> str:
    groups = [found for item in items(entry.get("groups")) if (found := name(item))]
    if not groups and (category := name(entry.get("category"))):
        groups = [category]
    if groups and not any(group in _MAIN for group in groups):
        return f"in {', '.join(groups[:4])}"
    markers = text(entry.get("markers")) or text(entry.get("marker"))
    return f"if {markers}" if markers else ""
