"""Check: what is wrong in a Kitfile, before anything is packed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rolldeck.errors import NotFoundError
from rolldeck.fsops import storage
from rolldeck.kit.check import check_kitfile, find_kitfile
from rolldeck.kit.finding import Finding
from rolldeck.kit.strict_yaml import SIZE_LIMIT
from rolldeck.progress import Progress


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; ``data`` is the Kitfile, to show its lines."""

    path: Path
    data: bytes
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no mistake."""
        return not any(finding.severity == "error" for finding in self.findings)


async def check_kit(where: Path, progress: Progress, kitfile: Path | None = None) -> Checked:
    """Check the Kitfile of a directory, or one by its path; its paths begin at its directory.

    With ``kitfile`` it is that file, and its paths begin at ``where``. Raises NotFoundError where
    there is none, StorageError for what cannot be read.
    """
    return await asyncio.to_thread(_check, where, progress, kitfile)


def _check(where: Path, progress: Progress, kitfile: Path | None) -> Checked:
    if not where.exists():
        raise NotFoundError(f"{where} does not exist", reference=str(where))
    if kitfile is None:
        kitfile = find_kitfile(where) if where.is_dir() else where
    context = where if where.is_dir() else where.parent
    with storage(kitfile):
        try:
            with kitfile.open("rb") as file:
                data = file.read(SIZE_LIMIT + 1)
        except FileNotFoundError:
            raise NotFoundError(f"{kitfile} does not exist", reference=str(kitfile)) from None
    return Checked(kitfile, data, check_kitfile(data, context, progress, kitfile.name))
