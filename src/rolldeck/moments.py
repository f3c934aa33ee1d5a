"""Moments as people type and read them: in the time of this host, and in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from rolldeck.errors import UsageError
from rolldeck.text import clean_line

_AGO = re.compile(r"(\d{1,6})\s*(s|m|min|h|d|w)(?:\s+ago)?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DAY = timedelta(days=1)


def parse_moment(text: str, now: datetime) -> datetime:
    """Return the moment in the past that somebody typed, in UTC; raises UsageError.

    ``2026-11-20T02:00`` (with ``Z`` or an offset where it is not of this host), ``2026-11-20``,
    ``02:41`` (the last time that the clock showed it), ``3h ago``.
    """
    words = text.strip()
    local = now.astimezone()
    try:
        if match := _AGO.fullmatch(words):
            moment = now - timedelta(seconds=int(match[1]) * _UNITS[match[2]])
        elif match := _CLOCK.fullmatch(words):
            hour, minute, second = (int(part or 0) for part in match.groups())
            # Without its offset: that of the day before may be another one.
            wall = local.replace(tzinfo=None, hour=hour, minute=minute, second=second)
            wall = wall.replace(microsecond=0)
            moment = wall.astimezone()
            if moment > now:
                moment = (wall - _DAY).astimezone()
        else:
            # Without an offset it is of this host.
            moment = datetime.fromisoformat(words).astimezone()
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"Not a moment: {clean_line(text, 80)!r}",
            hint="Forms: 2026-11-20T02:00, 2026-11-20T07:00Z, 2026-11-20, 02:41, 3h ago",
        ) from None
    if moment > now:
        raise UsageError(
            f"{clean_line(text, 80)} is in the future: {both_zones(moment)}",
            hint="Only what was live in the past is recorded.",
        )
    return moment


def both_zones(moment: datetime) -> str:
    """Return a moment in the time of this host and in UTC: ``2026-11-20 02:00 EST · 07:00 UTC``.

    Where this host has UTC, it is told once; of UTC only what differs.
    """
    there = moment.astimezone(UTC)
    try:
        here = moment.astimezone()
    except (OverflowError, OSError):
        here = there
    if here.utcoffset() == timedelta():
        return f"{there:%Y-%m-%d %H:%M} UTC"
    same_day = here.date() == there.date()
    utc = f"{there:%H:%M} UTC" if same_day else f"{there:%Y-%m-%d %H:%M} UTC"
    return f"{here:%Y-%m-%d %H:%M} {clean_line(here.tzname() or '', 12)} · {utc}"
