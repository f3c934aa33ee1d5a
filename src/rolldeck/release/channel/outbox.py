"""The outbox: rollbacks of channels that were made on this host while a registry was down.

One file per rollback in the state directory, written whole or not at all, for its owner alone. Its
nonce is that of the entry which records it in the registry later, so that whoever was killed on the
way, or a second process, finds it there and does not make it twice. One that cannot be published
any more is void, and stays until somebody forgets it.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from rolldeck import fsops, half_made, locks
from rolldeck.errors import RolldeckError
from rolldeck.oci import Digest, Reference, parse_digest
from rolldeck.settings import state_home
from rolldeck.text import clean_line
from rolldeck.units import parse_rfc3339, rfc3339

_FALSE = (
    RolldeckError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError,
)  # fmt: skip
"""What a file raises that is not one of these."""

_NAME = re.compile(r"([0-9a-f]{32})\.json", re.ASCII)


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A rollback of a channel that its registry does not know of.

    ``channel`` is its reference; ``from_digest`` what it has to be at for the rollback to be
    published. ``target`` is the local target that went back, by its generation ``generation``.
    ``void`` says why it will never be published; None while it waits.
    """

    channel: str
    from_digest: Digest
    from_label: str
    to_digest: Digest
    to_label: str
    actor: str
    time: datetime
    target: str
    generation: int
    reason: str | None = None
    void: str | None = None
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def repository(self) -> str:
        """The repository of the channel, as a user would type it."""
        return self.channel.rpartition(":")[0]

    @property
    def line(self) -> str:
        """What waits, in one line."""
        move = f"{self.from_label} → {self.to_label} by {self.actor} at {rfc3339(self.time)}"
        return clean_line(f"{move}; void: {self.void}" if self.void else move)


def directory() -> Path:
    """Where the files lie."""
    return state_home() / "outbox"


@contextmanager
def locked() -> Iterator[None]:
    """Keep other processes from publishing; BusyError where one is at it. Blocks."""
    place = directory()
    fsops.make_directories(place, 0o700)
    with locks.locked(place / "lock"):
        half_made.sweep(place)
        yield


def read_outbox(channel: str | None = None) -> tuple[Unpublished, ...]:
    """Return what is in the outbox, of one channel or of all, oldest first.

    Files that cannot be read are left out; ``damaged`` names them.
    """
    found = [item for _, item in _files() if item is not None]
    wanted = [item for item in found if channel in (None, item.channel)]
    return tuple(sorted(wanted, key=lambda item: (item.time, item.nonce)))


def damaged() -> tuple[Path, ...]:
    """Return the files of the outbox that cannot be read."""
    return tuple(path for path, item in _files() if item is None)


def write(item: Unpublished) -> None:
    """Put a rollback into the outbox, or replace what is known of it. Blocks."""
    document = asdict(item) | {"time": rfc3339(item.time)}
    fsops.make_directories(directory(), 0o700)
    data = json.dumps(document, sort_keys=True).encode()
    half_made.write_atomic(_path(item), data, 0o600)


def make_void(item: Unpublished, reason: str) -> Unpublished:
    """Say of a rollback why it will never be published. Blocks."""
    void = replace(item, void=reason)
    write(void)
    return void


def remove(item: Unpublished) -> None:
    """Take a rollback out: it was published, or somebody wants to forget it. Blocks."""
    with fsops.storage(_path(item)):
        fsops.unlink(_path(item))
        fsops.fsync_directory(directory())


def _path(item: Unpublished) -> Path:
    return directory() / f"{item.nonce}.json"


def _files() -> Iterator[tuple[Path, Unpublished | None]]:
    try:
        names = sorted(path.name for path in directory().iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise fsops.storage_error(error, directory()) from error
    for name in names:
        if match := _NAME.fullmatch(name):
            path = directory() / name
            try:
                yield path, _parse(path.read_bytes(), match[1])
            except FileNotFoundError:
                continue  # published meanwhile
            except _FALSE:
                yield path, None


def _parse(data: bytes, nonce: str) -> Unpublished:
    item = json.loads(data)
    time = parse_rfc3339(item["time"])
    if time is None or item["nonce"] != nonce:
        raise ValueError("no moment, or another file's content")
    return Unpublished(
        channel=str(Reference.parse(item["channel"])),
        from_digest=parse_digest(item["from_digest"]),
        from_label=clean_line(item["from_label"]),
        to_digest=parse_digest(item["to_digest"]),
        to_label=clean_line(item["to_label"]),
        actor=clean_line(item["actor"]),
        time=time,
        target=str(item["target"]),
        generation=int(item["generation"]),
        reason=clean_line(item["reason"]) if item["reason"] else None,
        void=clean_line(item["void"]) if item["void"] else None,
        nonce=nonce,
    )
