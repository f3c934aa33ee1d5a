"""What one file says of packages, and how that becomes facts.

Every reader of a lock, a freeze or a requirements file fills a ``PackageList``; how complete it is
and what it lacks is told the same way for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rolldeck.facts.document import MOST, without_credentials
from rolldeck.facts.model import LISTING, EnvironmentFact, Facts
from rolldeck.facts.package_versions import is_pinned
from rolldeck.text import clean_line

Completeness = Literal["lock", "freeze", "sbom", "pins", "requested"]
"""``lock``: all that was resolved; ``freeze``: all that was installed; ``sbom``: what a bill of
materials names; ``pins``: one version each, what they depend on unknown; ``requested``: some
without one version."""

UNPINNED = "unpinned"
UNKNOWN = "unknown"

_SEPARATORS = re.compile(r"[-_.]+")
_MOST_VERSIONS = 8
_MOST_PLACES = 4
_LONGEST = 500


def canonical_name(package: str) -> str:
    """Return a package's name as the packaging specifications normalize it.

    Names of other kinds (``deb:libc6``) stay, and those that conda begins with an underscore keep
    it. Written out since loading ``packaging.utils`` would cost every comparison 20 ms.
    """
    if ":" in package:
        return package
    if package.startswith("_"):
        return package.lower()
    return _SEPARATORS.sub("-", package).lower()


@dataclass(frozen=True, slots=True)
class Package:
    """One line of a list: ``where`` it holds is ``if MARKER``, ``on PLATFORM``, ``in GROUP`` or
    empty; ``hashed`` is None where the format has no place for a hash."""

    name: str
    version: str
    where: str = ""
    hashed: bool | None = None


@dataclass(frozen=True, slots=True)
class PackageList:
    """The packages that the file at ``source`` lists.

    ``indexes`` are the addresses of the indexes or channels that it names, ``platforms`` those
    that it was made for (none: any), ``python`` an exact version, ``requires_python`` a range.
    """

    source: str
    completeness: Completeness
    packages: Sequence[Package]
    indexes: Iterable[str] = ()
    platforms: Iterable[str] = ()
    python: str | None = None
    requires_python: str | None = None
    missing: tuple[str, ...] = ()

    def facts(self) -> Facts:
        """Return the packages and what is known of the list as facts, without any credentials."""
        source = clean_line(self.source)
        found = [
            EnvironmentFact(group, name, clean_line(without_credentials(value), _LONGEST), source)
            for group, name, value in (*self._python(), *self._versions(), *self._about())
        ]
        return Facts(environment=tuple(found), missing=self.missing)

    def _python(self) -> Iterator[tuple[str, str, str]]:
        if self.python:
            yield "python", "version", self.python
        if self.requires_python:
            yield "python", "requires", self.requires_python

    def _versions(self) -> Iterator[tuple[str, str, str]]:
        for name, version in version_by_name(self.packages).items():
            yield "package", name, version

    def _about(self) -> Iterator[tuple[str, str, str]]:
        if not self.packages:
            return
        yield LISTING, "source", self.source
        yield LISTING, "completeness", self.completeness
        hashed = [item.hashed for item in self.packages if item.hashed is not None]
        if hashed:
            yield LISTING, "hashes", _share(sum(hashed), len(hashed))
        for label, values in (("index", self.indexes), ("platforms", self.platforms)):
            shown = dict.fromkeys(values)
            if shown:
                yield LISTING, label, ", ".join(list(shown)[:_MOST_VERSIONS])


def listed(versions: Iterable[str]) -> Completeness:
    """Return how complete a list is that people write: ``pins`` where each has one version."""
    return "pins" if all(is_pinned(version) for version in versions) else "requested"


def unreadable(source: str, problem: object) -> Facts:
    """Return what is left of a file that cannot be read: the words that say so."""
    return Facts(missing=(f"{clean_line(source)}: {problem}",))


def _share(part: int, whole: int) -> str:
    if part in (0, whole):
        return "all" if part else "none"
    return f"{part} of {whole}"


def version_by_name(packages: Iterable[Package]) -> dict[str, str]:
    """Return all versions of each package as one value, with where each holds if that differs."""
    found: dict[str, dict[str, list[str]]] = {}
    for item in packages:
        name = canonical_name(clean_line(item.name, 250).strip())
        if name and (name in found or len(found) < MOST):
            places = found.setdefault(name, {}).setdefault(item.version or UNKNOWN, [])
            if item.where not in places:
                places.append(item.where)
    return {name: _joined(versions) for name, versions in found.items()}


def _joined(versions: dict[str, list[str]]) -> str:
    several = len(versions) > 1
    parts = [_placed(version, places, several) for version, places in versions.items()]
    return " or ".join(parts[:_MOST_VERSIONS])


def _placed(version: str, places: list[str], several: bool) -> str:
    if "" in places or (not several and (len(places) > 1 or places[0].startswith("on "))):
        return version
    return f"{version} {', '.join(places[:_MOST_PLACES])}"
