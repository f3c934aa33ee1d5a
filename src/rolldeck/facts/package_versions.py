"""When two versions of a package are one, when two sources agree, and which is the newer.

A version as facts hold it is exact (``2.1.0``), an address (``@ git+https://…``), a range
(``>=2``), ``unpinned`` or ``unknown``; behind it may stand where it holds, and behind `` or ``
another one: ``1.26.4 if python_version < "3.12" or 2.1.0``. PEP 440 says what equals what.
"""

from __future__ import annotations

from typing import Literal

Step = Literal["newer", "older", "other build"]


def exact_versions(value: str) -> tuple[str, ...]:
    """Return the exact versions that a value names."""
    first = (part.partition(" ")[0] for part in value.split(" or "))
    return tuple(version for version in first if version[:1].isdigit() and version[-2:] != ".*")


def is_pinned(value: str) -> bool:
    """Whether a value names one exact version, or one per place where it holds."""
    return bool(exact_versions(value.partition(" or ")[0]))


def same_version(a: str, b: str) -> bool:
    """Whether two values mean the same: ``1.0`` is ``1.0.0``, ``2.1+cpu`` is not ``2.1``."""
    if a == b:
        return True
    if " " in a or " " in b or not (is_pinned(a) and is_pinned(b)):
        return False
    from packaging.version import InvalidVersion, Version

    try:
        return Version(a) == Version(b)
    except InvalidVersion:
        return False


def agree(a: str, b: str) -> bool:
    """Whether two sources do not contradict each other: a common version, or one in a range.

    What cannot be judged (an address, a version that PEP 440 does not know) contradicts nothing.
    """
    ours, theirs = exact_versions(a), exact_versions(b)
    if ours and theirs:
        return any(same_version(x, y) for x in ours for y in theirs)
    if ours or theirs:
        wanted = b if ours else a
        return any(_within(version, wanted) for version in ours or theirs)
    return True


def _within(version: str, wanted: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    try:
        specifiers = SpecifierSet(wanted.partition(" if ")[0])
        return specifiers.contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return True


def step(a: str, b: str) -> Step | None:
    """Return how a package moved from ``a`` to ``b``, None where that cannot be told.

    ``other build`` is one version built in another way: ``2.5.1+cu124`` and ``2.5.1+cpu``.
    """
    ours, theirs = exact_versions(a), exact_versions(b)
    if len(ours) != 1 or len(theirs) != 1 or " or " in a or " or " in b:
        return None
    from packaging.version import InvalidVersion, Version

    try:
        before, after = Version(ours[0]), Version(theirs[0])
    except InvalidVersion:
        return None
    if before.public == after.public:
        return "other build" if ours[0] != theirs[0] or _built(a) != _built(b) else None
    return "newer" if after > before else "older"


def _built(value: str) -> str:
    """Return what stands behind the version: the build of a conda package, or nothing."""
    behind = value.partition(" ")[2]
    return "" if behind.startswith(("if ", "on ", "in ", "@ ")) else behind
