"""The local targets that this user pinned something to, remembered between sessions."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rolldeck import fsops
from rolldeck.errors import StorageError
from rolldeck.settings import state_home


@dataclass(frozen=True, slots=True)
class KnownTarget:
    """A local target and the repository whose version was last pinned to it."""

    path: Path
    repository: str


def _file() -> Path:
    return state_home() / "targets.json"


def known_paths() -> tuple[KnownTarget, ...]:
    """Return the remembered targets, last used first; a damaged file counts as empty."""
    try:
        items = json.loads(_file().read_bytes())
        return tuple(KnownTarget(Path(item["path"]), str(item["repository"])) for item in items)
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def remember(path: Path, repository: str) -> None:
    """Put a target first among the remembered ones, where there is a home to remember it in.

    A move that took place must not seem to have failed because of this list.
    """
    others = [item for item in known_paths() if item.path != path]
    items = [KnownTarget(path, repository), *others][:100]
    document = [{"path": str(item.path), "repository": item.repository} for item in items]
    with suppress(StorageError):
        fsops.make_directories(_file().parent, 0o700)
        fsops.sweep(_file().parent)
        fsops.write_atomic(_file(), json.dumps(document, ensure_ascii=False).encode(), 0o600)
