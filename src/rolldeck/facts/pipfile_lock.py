"""``Pipfile.lock`` of pipenv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import entries, mapping, objects, text
from rolldeck.facts.load import UnreadableFile, load_json
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import UNPINNED, Package, PackageList, unreadable

_ADDRESSES = ("git", "file", "path", "url")


def read(path: str, data: bytes) -> Facts:
    """Return the packages of all groups; the default group's without the group's name."""
    try:
        document = mapping(load_json(data))
    except UnreadableFile as error:
        return unreadable(path, error)
    if "_meta" not in document:
        return unreadable(path, "holds no lock of pipenv")
    meta = mapping(document["_meta"])
    requires = mapping(meta.get("requires"))
    minor = text(requires.get("python_version"))
    sources = objects(meta.get("sources"))
    return PackageList(
        path,
        "lock",
        [package for group, found in entries(document) for package in _packages(group, found)],
        indexes=[url for source in sources if (url := text(source.get("url")))],
        python=text(requires.get("python_full_version")),
        requires_python=f"=={minor}.*" if minor else None,
    ).facts()


def _packages(group: str, found: Any) -> Iterator[Package]:
    if group == "_meta":
        return
    for label, entry in entries(found):
        yield Package(label, _version(mapping(entry)), _where(group, mapping(entry)),
                      bool(mapping(entry).get("hashes")))  # fmt: skip


def _where(group: str, entry: Mapping[str, Any]) -> str:
    """Return the group, or a marker about the platform; one about Python is the package's own."""
    if group != "default":
        return f"in {'dev' if group == 'develop' else group}"
    markers = text(entry.get("markers"))
    return f"if {markers}" if markers and "platform" in markers else ""


def _version(entry: Mapping[str, Any]) -> str:
    address = next((found for key in _ADDRESSES if (found := text(entry.get(key)))), None)
    if address:
        reference = text(entry.get("ref"))
        return f"@ {address}@{reference}" if reference else f"@ {address}"
    return (text(entry.get("version")) or UNPINNED).removeprefix("==")
