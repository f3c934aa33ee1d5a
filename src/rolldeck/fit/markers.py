"""Environment markers and version ranges, judged for an interpreter that is not the running one."""

from __future__ import annotations

from collections.abc import Mapping

_LONGEST = 2000
"""Longest marker read, in characters: the parser's depth grows with brackets."""


def marker_holds(text: str, markers: Mapping[str, str], *, groups: tuple[str, ...] = ()) -> bool:
    """Whether a marker of PEP 508 or PEP 751 holds; one that cannot be judged holds.

    ``groups`` are the dependency groups that are installed by default. No extras are.
    """
    from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName

    if len(text) > _LONGEST:
        return True
    try:
        marker = Marker(text)
    except (InvalidMarker, RecursionError):
        return True
    environment = dict[str, str | frozenset[str]](markers)
    environment |= {"extras": frozenset(), "dependency_groups": frozenset(groups)}
    try:
        return marker.evaluate(environment, context="lock_file")
    except (UndefinedEnvironmentName, ValueError, KeyError, TypeError):
        pass
    try:
        return marker.evaluate({**markers, "extra": ""})
    except (UndefinedEnvironmentName, ValueError, KeyError, TypeError):
        return True


def in_range(version: str, wanted: str) -> bool | None:
    """Whether an installed version is in a range; None where either cannot be read."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(wanted).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None
