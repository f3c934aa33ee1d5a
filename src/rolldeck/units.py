"""Sizes, ages and digests as people read them, the same in the deck and on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

_STEPS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def human_size(size: int | float) -> str:
    """Return a size in bytes as text: ``512 B``, ``4.8 KiB``, ``1.3 GiB``."""
    value = float(size)
    for unit in _STEPS:
        if abs(value) < 1024 or unit == _STEPS[-1]:
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def short_digest(digest: str) -> str:
    """Return the first 12 hexadecimal digits of a digest."""
    return digest.partition(":")[2][:12] or digest[:12]


def age(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago ``moment`` was, in its largest whole unit: ``35 min``, ``8 days``."""
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    if seconds < 0:
        return "in future"
    for size, name in ((86400, "day"), (3600, "hour"), (60, "min")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count != 1 and name != 'min' else ''}"
    return f"{seconds} s"


def duration(seconds: float) -> str:
    """Return how long something takes: ``8 s``, ``12 min``, ``1 h 5 min``, ``3 days``."""
    whole = max(int(seconds), 0)
    if whole < 90:
        return f"{whole} s"
    if whole < 5400:
        return f"{round(whole / 60)} min"
    if whole < 2 * 86400:
        hours, minutes = whole // 3600, whole % 3600 // 60
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{whole // 86400} days"


def amount(done: int, total: int) -> str:
    """Return how many of some bytes are done: ``2.1 of 4.1 GiB``, ``800.0 KiB of 4.1 GiB``."""
    whole, part = human_size(total), human_size(min(done, total))
    same = part.rpartition(" ")[2] == whole.rpartition(" ")[2]
    return f"{part.rpartition(' ')[0] if same else part} of {whole}"


def fraction(text: str) -> float:
    """Return the fraction that ``0.1 %`` or ``0.001`` names; raises ValueError for anything else.

    It is at least 0 and below 1.
    """
    number = text.strip()
    share = float(number[:-1]) / 100 if number.endswith("%") else float(number)
    if not 0 <= share < 1:
        raise ValueError(f"not from 0 to below 1: {text}")
    return share


def rfc3339(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_rfc3339(text: str) -> datetime | None:
    """Return the moment that RFC 3339 ``text`` names, or None where it names none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_BYTES = frozenset({"B", "byte", "bytes"})
_SIGNIFICANT_DIGITS = 6


def quantity(value: float, unit: str | None = None) -> str:
    """Return a measured number with its unit as people read it.

    Six significant digits; bytes become KiB and MiB.
    """
    if unit in _BYTES:
        return human_size(value)
    text = f"{value:.{_SIGNIFICANT_DIGITS}g}"
    return f"{text} {unit}" if unit else text
