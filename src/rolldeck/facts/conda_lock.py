"""``conda-lock.yml``: conda and pip packages by platform and category."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rolldeck.facts.conda_spec import read_file_name, with_variant
from rolldeck.facts.document import items, mapping, name, objects, text
from rolldeck.facts.load import UnreadableFile, load_yaml
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import UNKNOWN, Package, PackageList, unreadable


def read(path: str, data: bytes) -> Facts:
    """Return the packages of all platforms; those outside the main category name theirs."""
    try:
        document = mapping(load_yaml(data, as_text=True))
    except UnreadableFile as error:
        return unreadable(path, error)
    if not isinstance(document.get("package"), list):
        return unreadable(path, "holds no list of packages")
    entries = objects(document["package"])
    found = [
        (label, _package(label, entry)) for entry in entries if (label := name(entry.get("name")))
    ]
    pythons = dict.fromkeys(package.version for label, package in found if label == "python")
    metadata = mapping(document.get("metadata"))
    channels = (text(mapping(item).get("url")) or text(item) for item in
                items(metadata.get("channels")))  # fmt: skip
    return PackageList(
        path,
        "lock",
        [package for label, package in found if label != "python"],
        indexes=[channel for channel in channels if channel],
        platforms=[shown for item in items(metadata.get("platforms")) if (shown := text(item))],
        python=" or ".join(list(pythons)[:4]) or None,
    ).facts()


def _package(label: str, entry: Mapping[str, Any]) -> Package:
    version = text(entry.get("version")) or UNKNOWN
    if entry.get("manager") == "conda":
        file = read_file_name(text(entry.get("url")) or "")
        version = with_variant(version, text(entry.get("build")) or (file[2] if file else None))
    category = name(entry.get("category")) or "main"
    where = f"in {category}" if category != "main" else f"on {text(entry.get('platform'))}"
    return Package(label, version, where, bool(mapping(entry.get("hash"))))
