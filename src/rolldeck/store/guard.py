"""Whether a library may be written: only where nobody else can put anything into it.

Judged by owner and by what everybody may write. A group may write: many systems give each user a
group of their own.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from rolldeck import fsops
from rolldeck.errors import RefusedError

OWN_DIRECTORIES = (
    "blobs",
    "blobs/sha256",
    "blobs/sha512",
    "partial",
    "leases",
    "quarantine",
)
"""What rolldeck writes into below a library."""


def obstacle(root: Path) -> str | None:
    """Say why nothing should be written into the library ``root``; None where all is well.

    ``root`` itself may be a link that its user made; nothing below it may.
    """
    with fsops.storage(root):
        for name in ("", *OWN_DIRECTORIES):
            path = root / name
            try:
                found = path.stat() if not name else path.lstat()
            except FileNotFoundError:
                continue
            if reason := _reason(found):
                return f"{path} {reason}"
    return None


def _reason(found: os.stat_result) -> str | None:
    if not stat.S_ISDIR(found.st_mode):
        return "is a link" if stat.S_ISLNK(found.st_mode) else "is no directory"
    if found.st_uid != os.geteuid():
        return f"belongs to user {found.st_uid}, not to you (user {os.geteuid()})"
    if found.st_mode & stat.S_IWOTH:
        return "can be written by everybody"
    return None


def require_own(root: Path) -> None:
    """Raise RefusedError where someone else could put files or links into the library."""
    if reason := obstacle(root):
        raise RefusedError(
            f"The library is not written: {reason}",
            reference=str(root),
            hint="Only its user may be able to put anything there: chown it, chmod o-w it, replace "
            f"a link by a directory; or name one that rolldeck makes: --library {root}/rolldeck",
        )
