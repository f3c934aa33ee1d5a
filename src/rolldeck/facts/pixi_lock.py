"""``pixi.lock``, versions 4 to 7: environments of conda and PyPI packages by platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.conda_spec import read_file_name, with_variant
from rolldeck.facts.document import entries, items, mapping, name, objects, text
from rolldeck.facts.load import UnreadableFile, load_yaml
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import UNKNOWN, Package, PackageList, unreadable
from rolldeck.facts.requirements import wheel_name
from rolldeck.text import clean_line

_DEFAULT = "default"


def read(path: str, data: bytes) -> Facts:
    """Return the packages of the default environment, else of the first, on all its platforms."""
    try:
        document = mapping(load_yaml(data, as_text=True))
    except UnreadableFile as error:
        return unreadable(path, error)
    environments = mapping(document.get("environments"))
    if not environments:
        return unreadable(path, "holds no environments")
    chosen = _DEFAULT if _DEFAULT in environments else next(iter(environments))
    environment = mapping(environments[chosen])
    records = {
        address: record
        for record in objects(document.get("packages"))
        for key in ("conda", "pypi", "url")
        if (address := text(record.get(key)))
    }
    packages: list[Package] = []
    pythons: dict[str, None] = {}
    platforms = entries(environment.get("packages"))
    for platform, listed in platforms:
        for package in _packages(platform, listed, records):
            if package.name == "python":
                pythons[package.version] = None
            else:
                packages.append(package)
    source = clean_line(path)
    others = f"packages: {source}: the environment {clean_line(chosen, 60)} of {len(environments)}"
    channels = (text(item.get("url")) for item in objects(environment.get("channels")))
    return PackageList(
        source,
        "lock",
        packages,
        indexes=[channel for channel in channels if channel],
        platforms=[platform for platform, _ in platforms],
        python=" or ".join(list(pythons)[:4]) or None,
        missing=(others,) if len(environments) > 1 else (),
    ).facts()


def _packages(
    platform: str, listed: Any, records: Mapping[str, Mapping[str, Any]]
) -> Iterator[Package]:
    for item in items(listed):
        for key in ("conda", "pypi"):
            if address := text(mapping(item).get(key)):
                record = records.get(address, {})
                if package := _package(key, address, record, f"on {platform}"):
                    yield package


def _package(kind: str, address: str, record: Mapping[str, Any], where: str) -> Package | None:
    hashed = bool(record.get("sha256") or record.get("md5"))
    found = read_file_name(address) if kind == "conda" else None
    label, version = name(record.get("name")), text(record.get("version"))
    if found:
        version = with_variant(version or found[1], text(record.get("build")) or found[2])
        return Package(label or found[0], version, where, hashed)
    wheel = wheel_name(address)
    if label is None and wheel is None:
        return None
    return Package(
        label or (wheel[0] if wheel else ""),
        version or (wheel[1] if wheel else UNKNOWN),
        where,
        hashed,
    )
