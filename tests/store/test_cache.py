"""The cache: never needed, never believed, never in the way."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rolldeck.oci import digest_of
from rolldeck.store import Cache, Seen
from rolldeck.store.cache import LARGEST

ONE, TWO = b"one", b"two"
SEEN = Seen(datetime(2026, 11, 21, tzinfo=UTC), {"v1": digest_of(ONE)}, complete=True, referrers=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "registries.sqlite3"


def filled(path: Path) -> None:
    cache = Cache(path)
    cache.keep(digest_of(ONE), ONE)
    cache.see("host/x", SEEN)
    cache.close()


def test_what_was_kept_is_there_for_the_next_process(path: Path) -> None:
    filled(path)
    cache = Cache(path)
    assert cache.read([digest_of(ONE), digest_of(TWO)]) == {digest_of(ONE): ONE}
    assert cache.seen("host/x") == SEEN
    assert cache.seen("host/y") is None


def test_what_waits_to_be_written_can_be_read(path: Path) -> None:
    cache = Cache(path)
    cache.keep(digest_of(ONE), ONE)
    assert cache.read([digest_of(ONE)]) == {digest_of(ONE): ONE}
    assert not path.exists()


def test_a_cache_without_use_makes_no_file(path: Path) -> None:
    cache = Cache(path)
    assert cache.read([digest_of(ONE)]) == {}
    cache.close()
    assert not path.parent.exists()


def test_only_its_owner_may_look(path: Path) -> None:
    """The names of private repositories stand in it."""
    filled(path)
    assert path.parent.stat().st_mode & 0o077 == 0


def test_damaged_bytes_are_dropped(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET data = ? WHERE data = ?", (TWO, ONE))
    assert Cache(path).read([digest_of(ONE)]) == {}
    with sqlite3.connect(path) as connection:
        keys = [key for (key,) in connection.execute("SELECT key FROM entries")]
    assert keys == ["tags host/x"]


@pytest.mark.parametrize("junk", [b"", b"junk" * 4096, b"SQLite format 3\0" + bytes(8000)])
def test_a_file_that_is_no_cache_is_replaced(path: Path, junk: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(junk)
    assert Cache(path).read([digest_of(ONE)]) == {}
    filled(path)
    assert Cache(path).read([digest_of(ONE)]) == {digest_of(ONE): ONE}


def test_a_file_damaged_in_the_middle_is_survived(path: Path) -> None:
    """Whatever is overwritten, what comes back is right or nothing."""
    cache = Cache(path)
    blobs = {digest_of(b"%d" % number): b"%d" % number for number in range(2000)}
    for digest, data in blobs.items():
        cache.keep(digest, data)
    cache.close()
    size = path.stat().st_size
    for offset in range(0, size, 4096):
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(b"\xff" * 200)
        again = Cache(path)
        found = again.read(blobs)
        assert found.items() <= blobs.items()
        again.keep(digest_of(ONE), ONE)
        again.close()


def test_a_place_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(tmp_path / "file" / "cache")
    cache.keep(digest_of(ONE), ONE)
    cache.flush()
    assert cache.read([digest_of(ONE)]) == {}
    assert cache.seen("host/x") is None
    cache.close()


def test_a_cache_of_another_form_is_emptied(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert Cache(path).read([digest_of(ONE)]) == {}


def test_it_stays_within_its_limit_and_keeps_what_is_used(path: Path) -> None:
    """What was not used for longest goes first."""
    cache = Cache(path, limit=200_000)
    blobs = [bytes([number]) * 10_000 for number in range(40)]
    for number, data in enumerate(blobs):
        cache.keep(digest_of(data), data)
        cache.flush()
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE entries SET used = ? WHERE data = ?", (number, data))
        cache.read([digest_of(blobs[0])])
    cache.close()
    assert path.stat().st_size < 250_000
    held = Cache(path).read([digest_of(data) for data in blobs])
    assert digest_of(blobs[0]) in held
    assert digest_of(blobs[-1]) in held
    assert digest_of(blobs[1]) not in held


def test_a_large_blob_is_not_kept(path: Path) -> None:
    cache = Cache(path)
    data = bytes(LARGEST + 1)
    cache.keep(digest_of(data), data)
    assert cache.read([digest_of(data)]) == {}


@pytest.mark.parametrize(
    "document",
    [b"{", b"[]", b"{}", b'{"at": 1, "tags": []}', b'{"at": 1e400, "tags": {}}', b'{"at": "x"}'],
)
def test_what_is_no_memory_of_tags_is_none(path: Path, document: bytes) -> None:
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET data = ? WHERE key LIKE 'tags%'", (document,))
    assert Cache(path).seen("host/x") is None


def test_names_that_are_none_are_not_remembered(path: Path) -> None:
    cache = Cache(path)
    tags = {"v1": digest_of(ONE), "no tag": digest_of(ONE), "v2": "sha256:../../x"}
    cache.see("host/x", Seen(SEEN.at, tags, complete=True, referrers=0))  # type: ignore[arg-type]
    seen = cache.seen("host/x")
    assert seen is not None
    assert seen.tags == {"v1": digest_of(ONE)}


def test_many_may_use_one_file(path: Path) -> None:
    """Eight that write and read at once; all of it is there in the end."""

    def use(number: int) -> None:
        cache = Cache(path)
        for step in range(20):
            data = b"%d %d" % (number, step)
            cache.keep(digest_of(data), data)
            cache.flush()
            assert cache.read([digest_of(data)]) in ({}, {digest_of(data): data})
        cache.close()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [digest_of(b"%d %d" % (n, step)) for n in range(8) for step in range(20)]
    assert len(Cache(path).read(every)) == 160
