"""``pylock.toml``, the lock of PEP 751.

Read as plain TOML: ``packaging.pylock`` refuses a file whole for one bad field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        [package for entry in entries for package in _packages(entry)],
        indexes=[index for entry in entries if (index := text(entry.get("index")))],
        requires_python=text(document.get("requires-python")),
    ).facts()


def _packages(entry: Mapping[str, Any]) -> Iterator[Package]:
    label = name(entry.get("name"))
    if label is None:
        return
    version = text(entry.get("version"))
    direct = next((mapping(entry[key]) for key in _DIRECT if key in entry), None)
    if direct is not None:
        place = text(direct.get("url")) or text(direct.get("path")) or UNKNOWN
        revision = text(direct.get("commit-id"))
        place = f"{place}@{revision}" if revision else place
        version = f"{version} @ {place}" if version else f"@ {place}"
    files = [*objects(entry.get("wheels")), mapping(entry.get("sdist"))]
    if direct is not None:
        files.append(direct)
    files = [file for file in files if file]
    hashed = bool(files) and all(mapping(file.get("hashes")) for file in files)
    marker = text(entry.get("marker"))
    where = f"if {marker}" if marker else ""
    yield Package(label, version or UNKNOWN, where, hashed or bool(_commit(direct)))


def _commit(direct: Mapping[str, Any] | None) -> Any:
    return direct.get("commit-id") if direct else None
