"""The report of ``pip inspect``: what is installed, and in which Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rolldeck.facts.document import mapping, name, objects, text
from rolldeck.facts.load import UnreadableFile, load_json
from rolldeck.facts.model import EnvironmentFact, Facts
from rolldeck.facts.packages import UNKNOWN, Package, PackageList, unreadable
from rolldeck.text import clean_line

_ENVIRONMENT = (
    ("python", "implementation", "implementation_name"),
    ("os", "type", "sys_platform"),
    ("os", "architecture", "platform_machine"),
)


def read(path: str, data: bytes) -> Facts:
    """Return the installed packages with where they came from, Python and platform."""
    try:
        document = mapping(load_json(data))
    except UnreadableFile as error:
        return unreadable(path, error)
    if not isinstance(document.get("installed"), list):
        return unreadable(path, "holds no list of installed packages")
    environment = mapping(document.get("environment"))
    installed = objects(document["installed"])
    found = PackageList(
        path,
        "freeze",
        [package for entry in installed if (package := _package(entry))],
        python=text(environment.get("python_full_version")),
    ).facts()
    source = clean_line(path)
    about = [
        EnvironmentFact(group, label, value, source)
        for group, label, key in _ENVIRONMENT
        if (value := text(environment.get(key)))
    ]
    return Facts(environment=(*found.environment, *about))


def _package(entry: Mapping[str, Any]) -> Package | None:
    metadata = mapping(entry.get("metadata"))
    label, version = name(metadata.get("name")), text(metadata.get("version")) or UNKNOWN
    if label is None:
        return None
    direct = mapping(entry.get("direct_url"))
    address = text(direct.get("url"))
    revision = text(mapping(direct.get("vcs_info")).get("commit_id"))
    if address:
        version = f"{version} @ {address}@{revision}" if revision else f"{version} @ {address}"
    return Package(label, version)
