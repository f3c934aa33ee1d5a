"""requirements.txt, read tolerantly: no line stops the reading, and no other file is opened.

The front end here joins continued lines and takes off comments and options; a requirement that is
more than ``name==version`` goes through ``packaging``, which is loaded only then.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rolldeck.facts.document import MOST, without_credentials
from rolldeck.facts.model import EnvironmentFact
from rolldeck.facts.run_environment import canonical_name
from rolldeck.text import clean_line

_LIMIT = 4 * 1024 * 1024
"""Most bytes read of one file."""
_LINE_LIMIT = 4096

_PIN = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*===?\s*([A-Za-z0-9._+!-]+)")
_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTION = re.compile(r"\s--?[A-Za-z][\w-]*([=\s].*)?$")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)(.+)", re.DOTALL)
_WHEEL = re.compile(r"(?:.*/)?([A-Za-z0-9_.]+)-([A-Za-z0-9_.!+]+)(?:-[^/]+)?\.whl")
_FILE_NAME = re.compile(r"requirements([._-][\w.-]*)?\.txt", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a file asks for: versions by normalized package name; lines that name no package.

    A version is ``2.1.0`` where it is pinned, else the specifier (``>=2``), the address that the
    package comes from, or ``unpinned``.
    """

    packages: Mapping[str, str]
    unread: tuple[str, ...] = ()

    @property
    def pinned(self) -> int:
        """How many packages are pinned to one version."""
        return sum(is_pinned(version) for version in self.packages.values())


def is_pinned(version: str) -> bool:
    """Whether a version as ``Requirements`` holds it is one exact version."""
    return version[:1].isdigit()


def is_requirements_file(path: str) -> bool:
    """Whether a path names a requirements file: ``requirements.txt``, ``requirements-gpu.txt``."""
    folder, _, base = path.rpartition("/")
    in_folder = posixpath.basename(folder) == "requirements" and base.endswith(".txt")
    return in_folder or _FILE_NAME.fullmatch(base) is not None


def read_requirements(data: bytes) -> Requirements:
    """Read a requirements file; included files (``-r``, ``-c``) are left alone."""
    packages: dict[str, list[str]] = {}
    unread: list[str] = []
    for line in _lines(data[:_LIMIT].decode("utf-8-sig", errors="replace")):
        if len(packages) == MOST:
            break
        if line.startswith("-") and not _EDITABLE.match(line):
            continue
        found = _requirement(line)
        if found is None:
            unread.append(clean_line(without_credentials(line), 200))
            continue
        label, version = found
        versions = packages.setdefault(canonical_name(label), [])
        if version not in versions:
            versions.append(version)
    joined = {
        label: clean_line(" or ".join(versions[:8]), 500) for label, versions in packages.items()
    }
    return Requirements(joined, tuple(unread[:100]))


def package_facts(found: Requirements, source: str) -> tuple[EnvironmentFact, ...]:
    """Return the packages as environment facts of ``source``."""
    return tuple(
        EnvironmentFact("package", label, version, source)
        for label, version in found.packages.items()
    )


def _lines(content: str) -> Iterator[str]:
    """Yield the logical lines without comments and per-requirement options."""
    waiting = ""
    for raw in content.split("\n"):
        raw = raw.rstrip("\r")
        comment_only = raw.lstrip().startswith("#")
        if raw.endswith("\\") and not comment_only and len(waiting) < _LINE_LIMIT:
            waiting += raw[:-1].strip() + " "
            continue
        line, waiting = waiting + ("" if comment_only else raw.strip()), ""
        line = _COMMENT.sub("", line[:_LINE_LIMIT]).strip()
        if line:
            yield line
    if waiting.strip():
        yield _COMMENT.sub("", waiting[:_LINE_LIMIT]).strip()


def _requirement(line: str) -> tuple[str, str] | None:
    if pin := _PIN.fullmatch(line):
        return pin[1], pin[2]
    editable = _EDITABLE.match(line)
    if editable is not None:
        return _address(editable[1].strip())
    line = _OPTION.sub("", line).strip()
    if pin := _PIN.fullmatch(line):
        return pin[1], pin[2]
    if "://" in line.partition("@")[0] or line.startswith((".", "/")) or line.endswith(".whl"):
        return _address(line)
    return _specified(line)


def _specified(line: str) -> tuple[str, str] | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        parsed = Requirement(line)
    except (InvalidRequirement, RecursionError):
        return None
    if parsed.url:
        version = f"@ {without_credentials(parsed.url)}"
    else:
        specifiers = list(parsed.specifier)
        exact = len(specifiers) == 1 and specifiers[0].operator in ("==", "===")
        exact = exact and not specifiers[0].version.endswith(".*")
        version = specifiers[0].version if exact else str(parsed.specifier) or "unpinned"
    if parsed.marker is not None:
        version = f"{version} if {parsed.marker}"
    return parsed.name, clean_line(version, 500)


def _address(address: str) -> tuple[str, str] | None:
    """Return the package that a URL or path names: by ``#egg=``, else by the wheel's file name."""
    shown = clean_line("@ " + without_credentials(address.partition("#")[0]), 500)
    if egg := _EGG.search(address):
        return egg[1], shown
    wheel = _WHEEL.fullmatch(address.partition("#")[0].partition("?")[0])
    return (wheel[1], wheel[2]) if wheel else None
