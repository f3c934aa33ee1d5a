"""``pylock.toml``, the lock of PEP 751.

Read as plain TOML: ``packaging.pylock`` refuses a file whole for one bad field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rolldeck.facts.document import mapping, name, objects, text
from rolldeck.facts.load import UnreadableFile, load_toml
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import UNKNOWN, Package, PackageList, unreadable

_DIRECT = ("vcs", "directory", "archive")


def read(path: str, data: bytes) -> Facts:
    """Return the packages of a lock, for all platforms and groups that it covers."""
    try:
        document = load_toml(data)
    except UnreadableFile as error:
        return unreadable(path, error)
    entries = objects(document.get("packages"))
    return PackageList(
        path,
        "lock",
        [_package(label, entry) for entry in entries if (label := name(entry.get("name")))],
        indexes=[index for entry in entries if (index := text(entry.get("index")))],
        requires_python=text(document.get("requires-python")),
    ).facts()


def _package(label: str, entry: Mapping[str, Any]) -> Package:
    version = text(entry.get("version")) or UNKNOWN
    direct = next((mapping(entry[key]) for key in _DIRECT if key in entry), {})
    revision = text(direct.get("commit-id"))
    if place := text(direct.get("url")) or text(direct.get("path")):
        version = f"{version} @ {place}@{revision}" if revision else f"{version} @ {place}"
    files = [*objects(entry.get("wheels")), mapping(entry.get("sdist")), direct]
    hashes = [mapping(file.get("hashes")) for file in files if file]
    marker = text(entry.get("marker"))
    where = f"if {marker}" if marker else ""
    return Package(label, version, where, bool(revision or (hashes and all(hashes))))
