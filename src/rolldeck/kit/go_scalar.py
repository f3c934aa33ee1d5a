"""What a plain YAML scalar means to Go's yaml.v3, the library that kit reads and writes with.

It is YAML 1.2 with remnants of 1.1: ``on`` and ``12:30:45`` are text, ``1e-4`` is a float, ``017``
is 15, dates are timestamps. Both the loader and the emitter ask here, so that what rolldeck writes
is what kit reads.
"""

from __future__ import annotations

import calendar
import re

Scalar = None | bool | int | float | str

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_INTEGER = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_SIGN_INSIDE = re.compile(r"(0b|0o)([+-][0-7]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINT_FLOAT = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
_TIME = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:(?P<between>[Tt ])(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2}):(?P<second>[0-9]{1,2})"
    r"(?:[.,](?P<fraction>[0-9]+))?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_BASES = {"0x": 16, "0b": 2, "0o": 8}
_FIRST = frozenset("+-0123456789yYnNtTfFoO~.")


class Timestamp(str):
    """A date or time, as Go writes it into JSON (RFC 3339); in YAML it stands unquoted."""

    __slots__ = ()


def resolve(text: str) -> Scalar:
    """Return what the plain scalar ``text`` means; text that means nothing else is itself."""
    if text and text[0] not in _FIRST:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return _float(text) if _POINT_FLOAT.fullmatch(text) else text
    if text[0] in "+-0123456789":
        return _number_or_time(text)
    return text


def _number_or_time(text: str) -> Scalar:
    if (moment := _timestamp(text)) is not None:
        return moment
    plain = text.replace("_", "")
    if (whole := _integer(plain)) is not None:
        return whole
    if _FLOAT.fullmatch(plain) and not isinstance(number := _float(plain), str):
        return number
    return text


def _float(text: str) -> float | str:
    number = float(text.replace("_", ""))
    return text if number in (float("inf"), float("-inf")) else number


def _integer(text: str) -> int | None:
    """Return an integer that fits 64 bits, signed or unsigned; prefixes 0x, 0b, 0o and 0 count."""
    if inside := _SIGN_INSIDE.fullmatch(text):
        # yaml.v3 parses what follows its own prefixes with a second sign allowed.
        base = _BASES[inside[1]]
        digits = inside[2]
        if base == 2 and not set(digits[1:]) <= {"0", "1"}:
            return None
        return _fitting(int(digits, base), signed=True)
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    sign, digits = match.groups()
    base = _BASES.get(digits[:2].lower(), 8 if len(digits) > 1 and digits[0] == "0" else 10)
    value = int(digits[2:] if digits[:2].lower() in _BASES else digits, base)
    return _fitting(-value if sign == "-" else value, signed=bool(sign))


def _fitting(value: int, *, signed: bool) -> int | None:
    highest = 2**63 if signed else 2**64
    return value if -(2**63) <= value < highest else None


def _timestamp(text: str) -> Timestamp | None:
    match = _TIME.fullmatch(text)
    if match is None or (
        (match["between"] == " ") == (match["zone"] is not None) and match["hour"]
    ):
        return None
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if not 1 <= month <= 12 or not 1 <= day <= _days(year, month):
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    zone = match["zone"] or "Z"
    if zone != "Z":
        if int(zone[1:3]) > 24 or int(zone[4:6]) > 60:
            return None
        if zone[1:] == "00:00":
            zone = "Z"
    fraction = (match["fraction"] or "")[:9].rstrip("0")
    return Timestamp(
        f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        f"{'.' + fraction if fraction else ''}{zone}"
    )


def _days(year: int, month: int) -> int:
    # The calendar module knows no year 0, which Go does; it was a leap year.
    return calendar.monthrange(year or 4, month)[1]
