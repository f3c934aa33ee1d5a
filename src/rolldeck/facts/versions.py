"""Which version is newer, told from tags alone as far as that can be told.

A tag belongs to one scheme, found in this order: referrer tags, moving words, calendar versions,
semantic versions (exactly ``x.y.z`` with optional pre-release), commit hashes, PEP 440, other.
Tags of different schemes are never interleaved, since ``1.2.3-20260101`` is before ``1.2.3`` in one
scheme and after it in another. OCI tags hold no ``+``, so build metadata arrives behind ``_``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from rolldeck.oci import is_record_tag

Scheme = Literal["referrer", "moving", "calver", "semver", "sha", "pep440", "other"]

_RANK: dict[Scheme | None, int] = {
    "semver": 0,
    "pep440": 1,
    "calver": 2,
    "other": 3,
    "sha": 4,
    "moving": 5,
    "referrer": 6,
    None: 7,
}
"""Order of the schemes where nothing says which is newer, and of the tags that name one version."""

MOVING_WORDS = frozenset(
    {
        "approved",
        "baseline",
        "blue",
        "canary",
        "candidate",
        "challenger",
        "champion",
        "current",
        "default",
        "dev",
        "develop",
        "development",
        "edge",
        "green",
        "head",
        "latest",
        "live",
        "lts",
        "main",
        "master",
        "next",
        "nightly",
        "preprod",
        "prod",
        "production",
        "qa",
        "shadow",
        "stable",
        "stage",
        "staging",
        "test",
        "testing",
        "trunk",
        "uat",
    }
)
"""Words that name a place in a release process, not a version."""

_REFERRER = re.compile(r"sha256-[0-9a-f]{64}(\..*)?")
_GENERATION = re.compile(r"(.+)\.g\d{6,12}", re.ASCII)
_PREFIX = re.compile(r"(?:(?:release|version|rel|ver)[-_.]?)?[vV]?(?=\d)", re.IGNORECASE)
_COMPACT_DATE = re.compile(
    r"((?:19|20)\d\d)(\d\d)(\d\d)((?:[-._T]?(?:\d{6}|\d{4}))?(?:[-._]\d+)*)", re.ASCII
)
_SPACED_DATE = re.compile(r"((?:19|20)\d\d)([-._])(\d\d?)(?:\2(\d+))?((?:[-._T]\d+)*)", re.ASCII)
_SEMVER = re.compile(
    r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:_([0-9A-Za-z._-]+))?",
    re.ASCII,
)
_SHA = re.compile(r"(?:(?:sha|git|commit)[-_.])?[0-9a-f]{7,64}")
_DIGITS = re.compile(r"(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class VersionOrder:
    """Where a tag stands: ``key`` grows with newer versions and compares within one scheme only."""

    tag: str
    scheme: Scheme
    key: Any

    @classmethod
    def of(cls, tag: str, scheme: Scheme | None = None) -> VersionOrder:
        """Classify a tag; a ``scheme`` that the user set is tried first."""
        if scheme and (key := _READERS[scheme](tag)) is not None:
            return cls(tag, scheme, key)
        for found, read in _READERS.items():
            if (key := read(tag)) is not None:
                return cls(tag, found, key)
        return cls(tag, "other", _natural(tag))


def is_referrer_tag(tag: str) -> bool:
    """Whether a registry keeps a digest's referrers under this tag: no version, never shown."""
    return _REFERRER.fullmatch(tag) is not None


def is_version_tag(tag: str) -> bool:
    """Whether a tag has the shape of a version, which is one for ever: ``v1.2.3``, ``2026.11``."""
    return VersionOrder.of(tag).scheme in ("semver", "calver", "pep440")


def is_moving_tag(tag: str) -> bool:
    """Whether a tag is a word that moves from version to version: ``latest``, ``prod-eu``."""
    lowered = tag.lower()
    if lowered in MOVING_WORDS:
        return True
    words = re.split(r"[-_.]", lowered)
    at_an_end = words[0] in MOVING_WORDS or words[-1] in MOVING_WORDS
    return at_an_end and not any(letter.isdigit() for letter in lowered)


def channel_tags(tags: Iterable[str]) -> frozenset[str]:
    """Return which of a repository's tags are channels, and channels whose own tag is gone.

    A channel is a word that moves, or has generations recorded beside it.
    """
    found = set()
    for tag in tags:
        if match := _GENERATION.fullmatch(tag):
            found.add(match[1])
        elif is_moving_tag(tag) and not is_record_tag(tag):
            found.add(tag)
    return frozenset(found)


def order_tags(tags: Iterable[str], scheme: Scheme | None = None) -> list[str]:
    """Return tags newest first, without those of records.

    Schemes stand one after the other (semantic, PEP 440, calendar, other, hashes), moving words
    last; hashes have no order and stand by name.
    """
    found = [VersionOrder.of(tag, scheme) for tag in tags if not is_record_tag(tag)]
    found.sort(key=lambda order: order.tag)
    result = []
    for wanted in sorted({order.scheme for order in found}, key=lambda name: _RANK[name]):
        group = [order for order in found if order.scheme == wanted]
        if wanted not in ("sha", "moving"):
            group.sort(key=lambda order: order.key, reverse=True)
        result += [order.tag for order in group]
    return result


def version_label(tags: Iterable[str], scheme: Scheme | None = None) -> tuple[str, tuple[str, ...]]:
    """Return the tag that names a version among all on its digest, and the others as badges.

    A semantic version comes before PEP 440, calendar, other tags and hashes, of several of one
    scheme the newest; a moving word names a version only where nothing else does. The name is
    empty where there is no tag. Badges are the moving words first, then other names.
    """
    names = order_tags(tags, scheme)
    moving = [tag for tag in names if is_moving_tag(tag)]
    versions = [tag for tag in names if not is_moving_tag(tag)]
    if not versions:
        return (moving[0] if moving else ""), tuple(moving[1:])
    return versions[0], (*moving, *versions[1:])


def sort_versions(
    items: Sequence[tuple[Iterable[str], datetime | None]], scheme: Scheme | None = None
) -> list[int]:
    """Return the positions of versions, each given as its tags and time of creation, newest first.

    Versions are grouped by the scheme of the tag that names them. Within a group their tags
    decide, then the time; hashes and versions without a naming tag go by time alone. The group
    with the newest creation time comes first; groups that know no time come last, in the order of
    ``order_tags``.
    """
    groups: dict[Scheme | None, list[tuple[VersionOrder | None, datetime | None, int]]] = {}
    for position, (tags, created) in enumerate(items):
        label, _ = version_label(tags, scheme)
        named = label and not is_moving_tag(label)
        order = VersionOrder.of(label, scheme) if named else None
        moment = created if created is None or created.tzinfo else created.replace(tzinfo=UTC)
        groups.setdefault(order.scheme if order else None, []).append((order, moment, position))
    oldest = datetime.min.replace(tzinfo=UTC)

    def newest(name: Scheme | None) -> datetime:
        return max(moment or oldest for _, moment, _ in groups[name])

    result = []
    by_rank = sorted(groups, key=lambda name: _RANK[name])
    for name in sorted(by_rank, key=newest, reverse=True):
        group = sorted(groups[name], key=lambda item: item[0].tag if item[0] else "")
        group.sort(key=lambda item: item[1] or oldest, reverse=True)
        if name not in ("sha", None):
            group.sort(key=_key, reverse=True)
        result += [position for _, _, position in group]
    return result


def _key(item: tuple[VersionOrder | None, datetime | None, int]) -> Any:
    return item[0].key if item[0] else ()


def version_prefix(tag: str) -> str:
    """Return what stands before the version in a tag: ``v``, ``release-``, or nothing."""
    found = _PREFIX.match(tag)
    return found[0] if found else ""


def _bare(tag: str) -> str:
    return tag[len(version_prefix(tag)) :]


def _referrer_key(tag: str) -> Any:
    return tag if is_referrer_tag(tag) else None


def _moving_key(tag: str) -> Any:
    return tag if is_moving_tag(tag) else None


def _calver_key(tag: str) -> Any:
    """Return year, month, day and counters of a date that is on the calendar.

    After a dotted year and month any number may follow (``2026.10.45``): a day or a counter.
    """
    bare = _bare(tag)
    if found := _COMPACT_DATE.fullmatch(bare):
        year, month, day, rest = found.groups()
        last_is_day = True
    elif found := _SPACED_DATE.fullmatch(bare):
        year, separator, month, day, rest = found.groups()
        last_is_day = separator != "." and day is not None
    else:
        return None
    try:
        date(int(year), int(month), int(day) if last_is_day else 1)
    except (ValueError, OverflowError):
        return None
    counters = tuple(int(part) for part in _DIGITS.findall(rest))
    return (int(year), int(month), int(day or 0), *counters)


def _semver_key(tag: str) -> Any:
    """Return precedence as Semantic Versioning 2.0.0, item 11, has it; build metadata last."""
    found = _SEMVER.fullmatch(_bare(tag))
    if found is None:
        return None
    release = (int(found[1]), int(found[2]), int(found[3]))
    before = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in (found[4] or "").split(".")
        if part
    )
    return (release, not before, before, _natural(found[5]) if found[5] else ())


def _sha_key(tag: str) -> Any:
    return tag if _SHA.fullmatch(tag) else None


def _pep440_key(tag: str) -> Any:
    from packaging.version import InvalidVersion, Version

    bare = _bare(tag)
    for candidate in (bare, bare.replace("_", "+", 1)):
        try:
            return Version(candidate)
        except (InvalidVersion, ValueError):
            continue
    return None


def _natural(tag: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that orders ``run10`` after ``run9``."""
    parts = (part for part in _DIGITS.split(tag.lower()) if part)
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


_READERS: dict[Scheme, Callable[[str], Any]] = {
    "referrer": _referrer_key,
    "moving": _moving_key,
    "calver": _calver_key,
    "semver": _semver_key,
    "sha": _sha_key,
    "pep440": _pep440_key,
    "other": _natural,
}
