"""Which metric stands in the list of versions, as the user chose it: per repository."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rolldeck import fsops, half_made, locks
from rolldeck.settings import state_home

if TYPE_CHECKING:
    from pathlib import Path

    from rolldeck.oci import Reference


def _file() -> Path:
    return state_home() / "headlines.json"


def headline_name(repository: Reference) -> str:
    """Return what a repository goes by; the library's copy of a registry's is the same one."""
    return repository.name.removeprefix("local:")


def headlines() -> dict[str, str]:
    """Return the metrics that were chosen, by repository; a damaged file counts as empty."""
    try:
        document = json.loads(_file().read_bytes())
        return {str(name): str(metric) for name, metric in document.items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}


def remember_headline(repository: Reference, metric: str) -> None:
    """Remember which metric stands in the list of versions of a repository.

    Raises StorageError where it cannot be written, BusyError where another process holds the file.
    """
    fsops.make_directories(_file().parent, 0o700)
    half_made.sweep(_file().parent)
    with locks.locked(_file().with_name("headlines.lock")):
        known = headlines() | {headline_name(repository): metric}
        data = json.dumps(known, ensure_ascii=False, indent=1).encode()
        half_made.write_atomic(_file(), data, 0o600)
