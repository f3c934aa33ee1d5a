"""Names out of an archive, a Kitfile or an annotation, checked before they become paths.

Names are judged by POSIX and by Windows rules everywhere, so that an archive means the same tree
on every machine. Only whole ``..`` components are refused: ``a..b.bin`` is an ordinary name.
"""

from __future__ import annotations

import re

from rolldeck.errors import RefusedError
from rolldeck.text import clean_line

NAME_LIMIT = 4096
"""Longest name in bytes of UTF-8."""

DEPTH_LIMIT = 64
"""Most components of one name."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff]")
_DRIVE = re.compile("(?:^|/)[A-Za-z]:")


def refused(name: str, reason: str) -> RefusedError:
    """Return the error that refuses the thing called ``name``."""
    shown = clean_line(name, 200)
    return RefusedError(
        f"Refused {shown!r}: {reason}",
        reference=shown,
        hint="Nothing was written. Do not use this version; tell whoever published it.",
    )


def member_parts(name: str, *, empty: bool = False) -> tuple[str, ...]:
    """Return the components of a relative name; ``.`` components and slashes at the end go.

    The result is empty only for the root itself (``.``, ``./``) and only where ``empty`` allows
    it. Raises RefusedError for a name that could lead outside or that another system would read
    differently.
    """
    if not name:
        raise refused(name, "the name is empty")
    if len(name.encode("utf-8", "surrogatepass")) > NAME_LIMIT:
        raise refused(name, f"the name is longer than {NAME_LIMIT} bytes")
    if _CONTROL.search(name):
        raise refused(name, "the name holds a backslash or a control character")
    if name.startswith("/"):
        raise refused(name, "the name is absolute")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise refused(name, "the name leads outside")
    if _DRIVE.search(name):
        raise refused(name, "the name holds a drive letter")
    if len(parts) > DEPTH_LIMIT:
        raise refused(name, f"the name is deeper than {DEPTH_LIMIT} directories")
    if not parts and not empty:
        raise refused(name, "the name means no file")
    return parts
