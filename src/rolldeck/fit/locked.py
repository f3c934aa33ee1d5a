"""The packages of a lock that would be installed here, with the files that each could come from.

The facts of a version hold names and versions alone; which wheels there are stands in the lock.
Read as plain TOML: one bad field must not make the rest unknown.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from rolldeck.facts.document import items, mapping, name, objects, text
from rolldeck.facts.load import UnreadableFile, load_toml
from rolldeck.facts.packages import canonical_name
from rolldeck.fit.markers import marker_holds

_FRAGMENT = re.compile(r"[?#].*", re.DOTALL)
_MAIN = ("main", "default")
_MOST_STEPS = 200_000
"""Most steps from a package to one that it needs: what a lock asks for must end."""
_SOURCES = ("git", "url", "path", "directory", "vcs", "archive", "sdist")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock: the names of its ``wheels``, and whether it could be built."""

    name: str
    version: str
    wheels: tuple[str, ...]
    has_source: bool


_Known = dict[tuple[str | None, str | None], list[Mapping[str, Any]]]
"""The packages of a lock by name and version, and by name alone."""

_Read = tuple[str | None, tuple[Locked, ...]]
"""The range of Pythons and the packages."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as far as it holds for one set of markers."""

    path: str
    requires_python: str | None
    packages: tuple[Locked, ...]


def find_lock(files: Mapping[str, bytes], markers: Mapping[str, str]) -> Lock | None:
    """Return the lock that holds for these markers: of several the best kind, nearest the root."""
    for patterns, read in _READERS:
        for path in sorted(files, key=lambda item: (item.count("/"), item)):
            base = posixpath.basename(path).lower()
            if any(fnmatchcase(base, pattern) for pattern in patterns):
                try:
                    document = load_toml(files[path])
                except UnreadableFile:
                    continue
                requires, packages = read(document, markers)
                if packages:
                    return Lock(path, requires, packages)
    return None


def _pylock(document: Mapping[str, Any], markers: Mapping[str, str]) -> _Read:
    groups = tuple(map(str, items(document.get("default-groups"))))
    found = tuple(
        _locked(entry)
        for entry in objects(document.get("packages"))
        if _holds(entry.get("marker"), markers, groups)
    )
    return text(document.get("requires-python")), found


def _poetry(document: Mapping[str, Any], markers: Mapping[str, str]) -> _Read:
    metadata = mapping(document.get("metadata"))
    elsewhere = mapping(metadata.get("files"))
    found = []
    for entry in objects(document.get("package")):
        groups = items(entry.get("groups")) or items([entry.get("category") or "main"])
        wanted = entry.get("optional") is not True and any(item in _MAIN for item in groups)
        if wanted and _holds(entry.get("markers") or entry.get("marker"), markers):
            found.append(_locked(entry, objects(elsewhere.get(str(entry.get("name"))))))
    return text(metadata.get("python-versions")), tuple(found)


def _uv(document: Mapping[str, Any], markers: Mapping[str, str]) -> _Read:
    """Follow the dependencies from the project on: markers stand on these, not on packages."""
    wanted = text(document.get("requires-python"))
    entries = [
        entry
        for entry in objects(document.get("package"))
        if not (forks := items(entry.get("resolution-markers")))
        or any(_holds(fork, markers) for fork in forks)
    ]
    projects = [entry for entry in entries if _is_project(entry)]
    if not projects:
        return wanted, tuple(map(_locked, entries))
    known: _Known = {}
    for entry in entries:
        for version in {None, text(entry.get("version"))}:
            known.setdefault((text(entry.get("name")), version), []).append(entry)
    waiting = [(project, "") for project in projects]
    seen = {(id(project), "") for project in projects}
    steps = 0
    while waiting:
        for each in _needs(*waiting.pop(), known, markers):
            steps += 1
            if steps > _MOST_STEPS:
                return wanted, ()
            if (key := (id(each[0]), each[1])) not in seen:
                seen.add(key)
                waiting.append(each)
    needed = {identity for identity, _ in seen}
    return wanted, tuple(
        _locked(entry) for entry in entries if id(entry) in needed and not _is_project(entry)
    )


def _needs(
    entry: Mapping[str, Any], extra: str, known: _Known, markers: Mapping[str, str]
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield what a package, or one of its extras, needs here: a package, and one of its extras."""
    for dependency in _dependencies(entry, extra):
        if _holds(dependency.get("marker"), markers):
            extras = [text(item) or "" for item in items(dependency.get("extra"))]
            name_and_version = text(dependency.get("name")), text(dependency.get("version"))
            for each in known.get(name_and_version, ()):
                yield from ((each, wished) for wished in ("", *extras))


def _dependencies(entry: Mapping[str, Any], extra: str) -> list[Mapping[str, Any]]:
    optional = mapping(entry.get("optional-dependencies"))
    return objects(optional.get(extra) if extra else entry.get("dependencies"))


def _is_project(entry: Mapping[str, Any]) -> bool:
    return any(key in mapping(entry.get("source")) for key in ("virtual", "editable"))


def _holds(marker: Any, markers: Mapping[str, str], groups: tuple[str, ...] = ()) -> bool:
    if isinstance(marker, Mapping):  # one per group, as Poetry writes it
        return any(_holds(each, markers) for each in marker.values())
    return not isinstance(marker, str) or marker_holds(marker, markers, groups=groups)


def _locked(entry: Mapping[str, Any], elsewhere: list[Mapping[str, Any]] | None = None) -> Locked:
    source = mapping(entry.get("source"))
    files = objects(entry.get("files")) or elsewhere or []
    names = [*_names([*objects(entry.get("wheels")), *files])]
    others = any(not each.endswith(".whl") for each in names)
    direct = any(key in entry or key in source for key in _SOURCES) or bool(source.get("type"))
    return Locked(
        canonical_name(name(entry.get("name")) or ""),
        text(entry.get("version")) or "",
        tuple(each for each in names if each.endswith(".whl")),
        others or direct or not names,
    )


def _names(files: list[Mapping[str, Any]]) -> Iterator[str]:
    for file in files:
        for key in ("name", "filename", "file", "url", "path"):
            # As it stands: cut off, a name would be that of no wheel.
            found = file.get(key)
            if isinstance(found, str) and found:
                yield posixpath.basename(unquote(_FRAGMENT.sub("", found)))
                break


_READERS: tuple[
    tuple[tuple[str, ...], Callable[[Mapping[str, Any], Mapping[str, str]], _Read]], ...
] = (
    (("pylock.toml", "pylock.*.toml"), _pylock),
    (("uv.lock",), _uv),
    (("poetry.lock", "pdm.lock"), _poetry),
)
"""Kinds of locks that name files, the one that is made for installing first."""
