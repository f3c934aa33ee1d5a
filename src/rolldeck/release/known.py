"""The local targets that this user pinned something to, remembered between sessions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rolldeck import fsops
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
    """Put a target first among the remembered ones."""
    others = [item for item in known_paths() if item.path != path]
    items = [KnownTarget(path, repository), *others][:100]
    fsops.make_directories(_file().parent, 0o700)
    document = [{"path": str(item.path), "repository": item.repository} for item in items]
    fsops.write_atomic(_file(), json.dumps(document, ensure_ascii=False).encode(), 0o600)
