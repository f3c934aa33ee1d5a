"""Software bills of materials in JSON: CycloneDX, SPDX 2 and SPDX 3.

Read as plain JSON: the libraries for these formats drop what they do not model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import MOST, items, mapping, name, objects, text
from rolldeck.facts.load import UnreadableFile, load_json
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import UNKNOWN, Package, PackageList, unreadable
from rolldeck.facts.purl import SCHEME, read_purl

_PACKAGE_TYPES = ("library", "framework", "application", None)
_NO_PACKAGE = ("CONTAINER", "OPERATING-SYSTEM", "FILE", "SOURCE", "ARCHIVE")


def read(path: str, data: bytes) -> Facts:
    """Return the packages that a bill of materials names."""
    try:
        document = mapping(load_json(data))
    except UnreadableFile as error:
        return unreadable(path, error)
    if document.get("bomFormat") == "CycloneDX":
        found = [_component(entry) for entry in _components(document)]
    elif "spdxVersion" in document:
        found = [_spdx_package(entry) for entry in objects(document.get("packages"))]
    elif "@graph" in document:
        found = [_spdx_3_package(entry) for entry in objects(document["@graph"])]
    else:
        return unreadable(path, "is neither CycloneDX nor SPDX")
    return PackageList(path, "sbom", [package for package in found if package]).facts()


def _components(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield components and those inside them."""
    waiting = objects(document.get("components"))[::-1]
    seen = 0
    while waiting and seen < MOST:
        component = waiting.pop()
        seen += 1
        yield component
        waiting += objects(component.get("components"))[::-1]


def _component(entry: Mapping[str, Any]) -> Package | None:
    if entry.get("type") not in _PACKAGE_TYPES and not entry.get("purl"):
        return None
    files = objects(entry.get("externalReferences"))
    hashed = bool(entry.get("hashes")) or any(file.get("hashes") for file in files)
    group, label = name(entry.get("group")), name(entry.get("name"))
    label = f"{group}/{label}" if group and label else label
    return _named(text(entry.get("purl")), label, entry.get("version"), hashed)


def _spdx_package(entry: Mapping[str, Any]) -> Package | None:
    references = objects(entry.get("externalRefs"))
    purls = [item.get("referenceLocator") for item in references if _is_purl(item)]
    if entry.get("primaryPackagePurpose") in _NO_PACKAGE and not purls:
        return None
    purl = text(purls[0]) if purls else None
    hashed = bool(items(entry.get("checksums")))
    return _named(purl, name(entry.get("name")), entry.get("versionInfo"), hashed)


def _is_purl(reference: Mapping[str, Any]) -> bool:
    return reference.get("referenceType") == "purl"


def _spdx_3_package(entry: Mapping[str, Any]) -> Package | None:
    if entry.get("type") != "software_Package":
        return None
    purl = text(entry.get("software_packageUrl"))
    hashed = bool(items(entry.get("verifiedUsing")))
    return _named(purl, name(entry.get("name")), entry.get("software_packageVersion"), hashed)


def _named(purl: str | None, label: str | None, version: Any, hashed: bool) -> Package | None:
    """Return a package by its URL, which tells its kind; by its name where it has none."""
    found = read_purl(purl) if purl and purl.startswith(SCHEME) else None
    label, in_purl = found or (label, UNKNOWN)
    stated = text(version) if in_purl == UNKNOWN else in_purl
    return Package(label, stated or UNKNOWN, hashed=hashed) if label else None
