"""The version that follows a tag, written as that tag is."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from rolldeck.facts.versions import VersionOrder, order_tags, version_prefix

Level = Literal["major", "minor", "patch"]

_LEVELS: tuple[Level, ...] = ("major", "minor", "patch")
_DATE = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<one>[-._]?)(?P<month>\d\d?)(?:(?P<two>[-._]?)(?P<third>\d+))?"
    r"(?P<rest>.*)",
    re.ASCII,
)


def next_version(tag: str, level: Level, today: date, made: date | None = None) -> str | None:
    """Return the version one step of ``level`` after a tag; None where the tag names no version.

    Semantic and PEP 440 versions keep their prefix and their number of parts: what is finer than
    their last part raises that one (``v2`` becomes ``v3``). A pre-release becomes the release that
    it stands before, if that is step enough. Calendar versions become the date of ``today``, in the
    same form, with a counter where that date is taken; the level does not matter. ``made`` is when
    the tagged version was made: it tells whether ``2026.10.5`` ends in a day.
    """
    order = VersionOrder.of(tag)
    prefix = version_prefix(tag)
    bare = tag[len(prefix) :]
    if order.scheme == "semver":
        release, is_release = order.key[0], order.key[1]
        found = ".".join(map(str, _stepped(release, level, not is_release)))
    elif order.scheme == "pep440":
        found = _pep440(order.key, level)
    elif order.scheme == "calver":
        found = _calendar(bare, today, made)
    else:
        return None
    # A guess that would stand before the version that it follows is worse than none.
    after = VersionOrder.of(prefix + found, order.scheme)
    is_later = after.scheme == order.scheme and after.key > order.key
    return after.tag if is_later and order_tags((tag, after.tag))[0] == after.tag else None


def is_initial(tag: str) -> bool:
    """Whether a tag is one of ``0.y``: there a breaking change raises the minor part."""
    order = VersionOrder.of(tag)
    if order.scheme == "semver":
        return bool(order.key[0][0] == 0)
    return order.scheme == "pep440" and order.key.release[0] == 0 and len(order.key.release) > 1


def _stepped(release: tuple[int, ...], level: Level, is_pre: bool) -> tuple[int, ...]:
    place = min(_LEVELS.index(level), len(release) - 1)
    if is_pre and not any(release[place + 1 :]):
        return release
    return (*release[:place], release[place] + 1, *(0,) * (len(release) - place - 1))


def _pep440(version: object, level: Level) -> str:
    from packaging.version import Version

    assert isinstance(version, Version)
    stepped = _stepped(version.release, level, version.is_prerelease)
    return ".".join(map(str, stepped))


def _calendar(bare: str, today: date, made: date | None) -> str:
    found = _DATE.fullmatch(bare)
    assert found is not None
    year, month, third = found["year"], found["month"], found["third"]
    one, two, rest = found["one"], found["two"] or "", found["rest"]
    if not one:  # 20261018
        digits = bare[:8]
        return _counted(digits, f"{today:%Y%m%d}", bare[8:])
    if third is None:
        return _counted(f"{year}{one}{month}", f"{today.year}{one}{_as(month, today.month)}", rest)
    is_day = one != "." or (made is not None and (made.month, made.day) == (int(month), int(third)))
    if is_day:
        before = f"{year}{one}{month}{two}{third}"
        now = f"{today.year}{one}{_as(month, today.month)}{two}{_as(third, today.day)}"
        return _counted(before, now, rest)
    if (int(year), int(month)) >= (today.year, today.month):
        return f"{year}{one}{month}{two}{int(third) + 1}"
    return f"{today.year}{one}{_as(month, today.month)}{two}{'0' if third == '0' else '1'}"


def _counted(before: str, now: str, rest: str) -> str:
    """Return today's date, or the old one with a counter where today's does not come after."""
    if _numbers(now) > _numbers(before):
        return now
    counter = re.fullmatch(r"([-._]?)(\d+)", rest, re.ASCII)
    if counter is None:
        return f"{before}.1"
    return f"{before}{counter[1]}{int(counter[2]) + 1:0{len(counter[2])}d}"


def _as(form: str, value: int) -> str:
    """Write a number as wide as another one was written."""
    return f"{value:0{len(form)}d}" if form.startswith("0") or len(form) == 2 else str(value)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text, re.ASCII))
