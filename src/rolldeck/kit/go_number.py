"""Floating-point numbers as Go prints them, in JSON and in YAML."""

from __future__ import annotations


def _shortest(number: float) -> tuple[str, str, int]:
    """Return sign, shortest digits that read back as ``number``, and decimal exponent."""
    # Imported late: few Kitfiles hold a number that needs it.
    from decimal import Decimal

    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    assert isinstance(exponent, int)  # repr of a finite float
    point = exponent + len(digits) - 1 if text != "0" else 0
    return "-" if sign else "", text, point


def _fixed(digits: str, point: int) -> str:
    if point < 0:
        return "0." + "0" * (-point - 1) + digits
    whole = digits[: point + 1].ljust(point + 1, "0")
    return f"{whole}.{digits[point + 1 :]}" if len(digits) > point + 1 else whole


def _scientific(digits: str, point: int, width: int) -> str:
    mantissa = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
    return f"{mantissa}e{'-' if point < 0 else '+'}{abs(point):0{width}}"


def yaml_float(number: float) -> str:
    """Print a finite float as yaml.v3 does: ``strconv.FormatFloat(x, 'g', -1, 64)``."""
    sign, digits, point = _shortest(number)
    if point < -4 or point >= 6:
        return sign + _scientific(digits, point, 2)
    return sign + _fixed(digits, point)


def json_float(number: float) -> str:
    """Print a finite float as encoding/json does: ECMAScript 6, exponents from 1e21 and 1e-7."""
    sign, digits, point = _shortest(number)
    if digits != "0" and (point < -6 or point >= 21):
        return sign + _scientific(digits, point, 1)
    return sign + _fixed(digits, point)
