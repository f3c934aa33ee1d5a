"""What registries said, kept on this disk: small blobs by digest, parts of large ones, and tags.

Nothing here is ever needed: a blob is hashed again when it is read, a part is no more believed than
when it came, what a tag named is only a hint, and a file that cannot be used is done without.
SQLite (in the standard library) and not a file per blob: 20,000 blobs are written in 1.1 s instead
of 8.1 s and read in 0.1 s instead of 1.0 s.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from rolldeck import fsops
from rolldeck.errors import IntegrityError, StorageError
from rolldeck.oci import Digest, is_digest, is_tag, verify_bytes

if TYPE_CHECKING:
    import sqlite3

CACHE_LIMIT = 256 * 1024 * 1024
"""Size of the file, in bytes, from which on what was not used for longest is removed."""

LARGEST = 1024 * 1024
"""Largest blob kept, in bytes."""

_MANY = 256
"""Blobs that wait to be written together: each writing costs as much as many blobs."""

_MUCH = 4 * 1024 * 1024
"""Bytes that wait to be written together at most."""

_AT_A_TIME = 500
"""Keys per query: SQLite allows 999 in old builds."""

_FORM = 1
"""Version of the table; a file of another one is emptied."""

_DAY = 86_400

_PART = "part "
_TAGS = "tags "
_SHA256 = 32
"""Bytes of a digest in front of a part: what rotted on this disk is not used."""

_T = TypeVar("_T")


class Seen(NamedTuple):
    """What the tags of a repository named at a moment; ``referrers`` and ``complete`` as listed."""

    at: datetime
    tags: Mapping[str, Digest]
    complete: bool
    referrers: int


class Cache:
    """One file, shared by all processes of a user; thread-safe, and opened when first needed.

    Everything but ``keep`` and ``see`` blocks and is meant for a thread.
    """

    def __init__(self, path: Path, limit: int = CACHE_LIMIT) -> None:
        self.path = path
        self._limit = limit
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._waiting: dict[str, bytes] = {}
        self._bytes = 0

    # Small blobs.

    def keep(self, digest: Digest, data: bytes) -> None:
        """Keep a verified blob if it is small; it is written with others by ``flush``."""
        if len(data) <= LARGEST:
            self._waiting[digest] = data
            self._bytes += len(data)

    @property
    def is_full(self) -> bool:
        """Whether enough waits to be written."""
        return len(self._waiting) >= _MANY or self._bytes >= _MUCH

    def read(self, digests: Iterable[Digest]) -> dict[Digest, bytes]:
        """Return those of the blobs that are here; one that is damaged is removed."""
        found = {Digest(key): data for key, data in self._read(digests).items()}
        damaged = [digest for digest, data in found.items() if not _is_whole(digest, data)]
        for digest in damaged:
            del found[digest]
        if damaged:
            self._run(lambda connection: _delete(connection, damaged), None)
        return found

    # Parts of large blobs.

    def keep_parts(self, place: str, parts: Mapping[int, bytes]) -> None:
        """Keep parts of a blob by where they begin; ``place`` names registry and digest.

        No digest covers a part, so that none is believed of another registry than gave it.
        """
        for start, data in parts.items():
            self._waiting[f"{_PART}{place} {start}"] = hashlib.sha256(data).digest() + data
            self._bytes += len(data)

    def parts(self, place: str, starts: Iterable[int]) -> dict[int, bytes]:
        """Return those of the parts that are here and not damaged."""
        keys = {f"{_PART}{place} {start}": start for start in starts}
        found = {}
        for key, data in self._read(keys).items():
            if hashlib.sha256(data[_SHA256:]).digest() == data[:_SHA256]:
                found[keys[key]] = data[_SHA256:]
        return found

    # What tags named.

    def see(self, repository: str, seen: Seen) -> None:
        """Keep what the tags of a repository name; it is written with others by ``flush``."""
        document = {
            "at": seen.at.timestamp(),
            "tags": seen.tags,
            "complete": seen.complete,
            "referrers": seen.referrers,
        }
        self._waiting[_key(repository)] = json.dumps(document).encode()

    def seen(self, repository: str) -> Seen | None:
        """Return what the tags of a repository named when they were last listed."""
        data = self._read([_key(repository)]).get(_key(repository))
        if data is None:
            return None
        try:
            document = json.loads(data)
            tags = {
                tag: Digest(digest)
                for tag, digest in document["tags"].items()
                if is_tag(tag) and is_digest(digest)
            }
            at = datetime.fromtimestamp(document["at"], UTC)
            return Seen(at, tags, bool(document["complete"]), int(document["referrers"]))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
            return None

    def seen_names(self) -> tuple[str, ...]:
        """Return every name that ``see`` was given, without looking at what was seen."""
        names = {key for key in self._waiting if key.startswith(_TAGS)}
        if self.path.exists():
            nothing: list[str] = []
            names |= set(self._run(_select_names, nothing))
        return tuple(sorted(name.removeprefix(_TAGS) for name in names))

    # The file.

    def flush(self) -> None:
        """Write what waits, and make room where the file became too large."""
        waiting = dict(self._waiting)
        self._bytes = 0
        if waiting:
            self._run(lambda connection: self._write(connection, waiting), None)
            for key, data in waiting.items():
                if self._waiting.get(key) is data:
                    self._waiting.pop(key, None)

    def close(self) -> None:
        """Write what waits and close the file."""
        self.flush()
        with self._lock:
            self._forget()

    def _read(self, keys: Iterable[str]) -> dict[str, bytes]:
        wanted = list(keys)
        found = {key: self._waiting[key] for key in wanted if key in self._waiting}
        rest = [key for key in wanted if key not in found]
        if rest and self.path.exists():
            nothing: dict[str, bytes] = {}
            found |= self._run(lambda connection: _select(connection, rest), nothing)
        return found

    def _run(self, work: Callable[[sqlite3.Connection], _T], otherwise: _T) -> _T:
        """Return what ``work`` returns, ``otherwise`` where the file cannot be used.

        A damaged file is removed and begun again.
        """
        import sqlite3

        with self._lock:
            for _ in range(2):
                try:
                    if self._connection is None:
                        self._connection = self._open()
                    with self._connection:
                        return work(self._connection)
                except (sqlite3.OperationalError, OSError, StorageError):
                    # Busy, full or not writable: what is not cached is asked for.
                    self._forget()
                    return otherwise
                except sqlite3.DatabaseError:
                    self._forget()
                    for suffix in ("", "-wal", "-shm"):
                        with suppress(OSError):
                            Path(f"{self.path}{suffix}").unlink()
            return otherwise

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        fsops.make_directories(self.path.parent, 0o700)
        connection = sqlite3.connect(self.path, timeout=5.0, check_same_thread=False)
        try:
            # Nothing is synced: what a power cut damages is noticed when it is read.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = WAL")
            if _number(connection, "user_version") != _FORM:
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    if _number(connection, "user_version") != _FORM:
                        _begin(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _write(self, connection: sqlite3.Connection, waiting: Mapping[str, bytes]) -> None:
        rows = [(key, _today(), data) for key, data in waiting.items()]
        connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", rows)
        size = _number(connection, "page_size")
        while size * (_number(connection, "page_count") - _number(connection, "freelist_count")) > (
            self._limit
        ):
            removed = connection.execute(
                "DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries ORDER BY used, rowid"
                " LIMIT (SELECT count(*) / 4 + 1 FROM entries))"
            )
            if removed.rowcount <= 0:
                break

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TABLE IF EXISTS entries")
    connection.execute(
        "CREATE TABLE entries (key TEXT PRIMARY KEY, used INTEGER NOT NULL, data BLOB NOT NULL)"
    )
    connection.execute(f"PRAGMA user_version = {_FORM}")


def _select(connection: sqlite3.Connection, keys: list[str]) -> dict[str, bytes]:
    """Return what is there, and note that it was used, once a day."""
    found: dict[str, bytes] = {}
    old: list[tuple[int, str]] = []
    today = _today()
    for start in range(0, len(keys), _AT_A_TIME):
        part = keys[start : start + _AT_A_TIME]
        marks = ",".join("?" * len(part))
        query = f"SELECT key, used, data FROM entries WHERE key IN ({marks})"
        for key, used, data in connection.execute(query, part):
            found[key] = bytes(data)
            if used != today:
                old.append((today, key))
    if old:
        connection.executemany("UPDATE entries SET used = ? WHERE key = ?", old)
    return found


def _select_names(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT key FROM entries WHERE key >= ? AND key < ?"
    following = _TAGS[:-1] + chr(ord(_TAGS[-1]) + 1)
    return [str(key) for (key,) in connection.execute(query, (_TAGS, following))]


def _delete(connection: sqlite3.Connection, keys: Iterable[str]) -> None:
    connection.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key in keys])


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _is_whole(digest: Digest, data: bytes) -> bool:
    try:
        verify_bytes(data, digest)
    except IntegrityError:
        return False
    return True


def _key(repository: str) -> str:
    return f"{_TAGS}{repository}"


def _today() -> int:
    return int(time.time()) // _DAY
