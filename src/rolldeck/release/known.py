"""The local targets that this user pinned something to, remembered between sessions."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rolldeck import fsops, half_made, locks
from rolldeck.errors import IntegrityError, RolldeckError, StorageError
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
        return read_known()
    except RolldeckError:
        return ()


def read_known() -> tuple[KnownTarget, ...]:
    """Return the remembered targets; raises where they cannot be told, as nobody may forget one."""
    try:
        items = json.loads(_file().read_bytes())
        return tuple(KnownTarget(Path(item["path"]), str(item["repository"])) for item in items)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise fsops.storage_error(error, _file()) from error
    except (ValueError, LookupError, TypeError, RecursionError):
        raise IntegrityError(
            f"{_file()} is damaged: the local targets are not known",
            reference=str(_file()),
            hint="Remove it and pin to each target again; a pin of what is current moves nothing.",
        ) from None


def remember(path: Path, repository: str) -> None:
    """Put a target first among the remembered ones; of very many, those that are gone go.

    Where there is no home to remember it in, it is not: no move may fail because of this list.
    """
    with suppress(StorageError):
        fsops.make_directories(_file().parent, 0o700)
        half_made.sweep(_file().parent)
        with locks.locked(_file().with_name("targets.lock")):
            others = [item for item in known_paths() if item.path != path]
            kept = [item for number, item in enumerate(others) if number < 99 or item.path.exists()]
            items = [KnownTarget(path, repository), *kept]
            document = [{"path": str(item.path), "repository": item.repository} for item in items]
            data = json.dumps(document, ensure_ascii=False).encode()
            half_made.write_atomic(_file(), data, 0o600)
