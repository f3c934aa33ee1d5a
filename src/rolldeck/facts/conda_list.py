"""``conda list --explicit`` and ``conda list --export``: what is installed, line by line."""

from __future__ import annotations

import re

from rolldeck.facts.conda_spec import platform_of, read_file_name, read_spec, with_variant
from rolldeck.facts.document import MOST
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import Package, PackageList
from rolldeck.text import clean_line

_EXPLICIT = re.compile(r"^@EXPLICIT\s*$", re.MULTILINE)
_EXPORTED = re.compile(r"\A(?:#.*\n)*# \$ conda create --name <env> --file", re.MULTILINE)
_OF_PIP = re.compile(r"=pypi_\d+\s*$", re.MULTILINE)
"""How packages that pip installed end in an export; explicit lists never have them."""
_PLATFORM = re.compile(r"^# platform: ([\w-]+)\s*$", re.MULTILINE)


def is_conda_list(content: str) -> bool:
    """Whether a text file is what conda lists, whatever it is called."""
    return bool(_EXPLICIT.search(content) or _EXPORTED.search(content))


def read(path: str, data: bytes) -> Facts:
    """Return the packages of a file that conda wrote."""
    return read_conda_list(path, data.decode("utf-8-sig", errors="replace"))


def read_conda_list(path: str, content: str) -> Facts:
    """Return the packages that conda lists; where none of pip is among them that is said."""
    explicit = _EXPLICIT.search(content) is not None
    packages: list[Package] = []
    channels: list[str] = []
    python = None
    unread = 0
    for line in content.splitlines()[:MOST]:
        line = line.strip()
        if not line or line.startswith(("#", "@")):
            continue
        found = _from_address(line) if explicit else _from_spec(line)
        if found is None:
            unread += 1
        elif found.name == "python":
            python = found.version
        else:
            packages.append(found)
        if explicit and found is not None and "://" in line:
            channels.append(_channel(line))
    source = clean_line(path)
    platform = _PLATFORM.search(content)
    has_pip = not explicit and _OF_PIP.search(content)
    missing = [] if has_pip else [f"packages: {source} leaves out what pip installed"]
    if unread:
        missing.append(f"packages: {source}: {unread} lines name no package")
    return PackageList(
        source,
        "freeze",
        packages,
        indexes=channels,
        platforms=[platform[1]] if platform else [],
        python=python,
        missing=tuple(missing) if packages or unread else (),
    ).facts()


def _from_address(line: str) -> Package | None:
    found = read_file_name(line)
    if found is None:
        return None
    name, version, build = found
    return Package(name, with_variant(version, build), hashed="#" in line)


def _from_spec(line: str) -> Package | None:
    found = read_spec(line)
    return found[0] if found else None


def _channel(address: str) -> str:
    """Return the address of the channel that a package file lies in."""
    platform = platform_of(address) or ""
    return address.partition(f"/{platform}/")[0]
