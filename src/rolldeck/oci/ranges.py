"""Asking for a part of a blob, and believing the answer only where it is that part (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")


def range_header(start: int) -> Mapping[str, str]:
    """Return the header that asks for everything from byte ``start`` on; none for the whole."""
    return {"Range": f"bytes={start}-"} if start else {}


def part_header(start: int, size: int) -> Mapping[str, str]:
    """Return the header that asks for ``size`` bytes from byte ``start`` on."""
    return {"Range": f"bytes={start}-{start + size - 1}"}


def is_rest(content_range: str | None, start: int, size: int) -> bool:
    """Whether a Content-Range says: the bytes from ``start`` to the end of ``size`` bytes."""
    return is_part(content_range, start, size - start, size)


def is_part(content_range: str | None, start: int, size: int, total: int) -> bool:
    """Whether a Content-Range says: ``size`` bytes from ``start`` on, out of ``total``."""
    found = _CONTENT_RANGE.fullmatch((content_range or "").strip())
    if found is None:
        return False
    first, last, whole = found.groups()
    return int(first) == start and int(last) == start + size - 1 and whole in ("*", str(total))
