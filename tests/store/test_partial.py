"""Blobs on their way into the library: one writer each, nothing lost, nothing half made visible."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck import fsops
from rolldeck.errors import StorageError
from rolldeck.oci import Descriptor, FileSink, digest_of
from rolldeck.store import Library, Partial
from rolldeck.store.journal import Journal

DATA = b"data" * 1000
BLOB = Descriptor("x/y", digest_of(DATA), len(DATA))


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path / "library")


def claimed(library: Library, blob: Descriptor = BLOB) -> Partial:
    """Claim a blob that nobody else wants."""
    partial = library.claim(blob)
    assert partial is not None
    return partial


def failing(error: int) -> Callable[..., None]:
    """Something that fails as the operating system does."""

    def fail(*given: object) -> None:
        raise OSError(error, os.strerror(error))

    return fail


def names(library: Library) -> list[str]:
    """What lies in the library without being verified."""
    return sorted(path.name for path in (library.root / "partial").iterdir())


def test_what_was_written_is_there_after_the_next_claim(library: Library) -> None:
    """A part stays under the blob's digest, invisible to readers."""
    first = claimed(library)
    assert isinstance(first, FileSink)
    assert first.offset == 0
    first.write(memoryview(DATA[:1500]))
    first.close()
    assert not library.has(BLOB)
    second = claimed(library)
    assert second.offset == second.resumed == 1500
    second.write(memoryview(DATA[1500:]))
    second.commit()
    assert library.has(BLOB)
    assert library.layout.blob_path(BLOB.digest).read_bytes() == DATA
    assert names(library) == []


def test_reserved_room_is_no_content(library: Library) -> None:
    """A reservation neither changes the size nor stays behind."""
    partial = claimed(library)
    partial.write(memoryview(DATA[:10]))
    partial.reserve(8 * 1024 * 1024)
    assert partial.offset == 10
    partial.close()
    path = library.partial_path(BLOB.digest)
    assert path.stat().st_size == 10
    assert path.stat().st_blocks * 512 < 1024 * 1024


def test_a_file_system_without_reservations_is_fine(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a full disk is an error."""
    monkeypatch.setattr(fsops, "_in_memory", lambda device: False)
    partial = claimed(library)
    monkeypatch.setattr("fcntl.ioctl", failing(errno.EOPNOTSUPP))
    partial.reserve(100)
    monkeypatch.setattr("fcntl.ioctl", failing(errno.ENOSPC))
    with pytest.raises(StorageError, match="No space left"):
        partial.reserve(100)
    partial.close()


def test_nothing_is_reserved_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take as long as writing."""
    if not os.path.ismount("/dev/shm"):
        pytest.skip("there is no file system in memory here")
    monkeypatch.setattr("fcntl.ioctl", failing(errno.ENOSPC))
    with tempfile.TemporaryFile(dir="/dev/shm") as file:
        fsops.reserve(file.fileno(), 0, 1024 * 1024)
        assert os.fstat(file.fileno()).st_blocks == 0


def test_after_a_failed_sync_nothing_is_believed(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the blob nor its part stays."""
    partial = claimed(library)
    partial.write(memoryview(DATA))
    with monkeypatch.context() as broken:
        broken.setattr(fsops, "fsync", failing(errno.EIO))
        with pytest.raises(StorageError):
            partial.commit()
    assert not library.has(BLOB)
    assert names(library) == []
    claimed(library).close()


def test_a_failed_rename_keeps_the_part(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next pull has nothing to fetch, only to verify."""
    partial = claimed(library)
    partial.write(memoryview(DATA))
    with monkeypatch.context() as broken:
        broken.setattr(fsops, "replace", failing(errno.ENOSPC))
        with pytest.raises(StorageError):
            partial.commit()
    assert not library.has(BLOB)
    again = claimed(library)
    assert again.offset == len(DATA)
    again.close()


def test_a_link_in_the_way_is_not_followed(library: Library, tmp_path: Path) -> None:
    """Nothing outside the library is written."""
    library.prepare()
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    library.partial_path(BLOB.digest).symlink_to(victim)
    with pytest.raises(StorageError):
        library.claim(BLOB)
    assert victim.read_bytes() == b"precious"


def test_a_journal_gives_back_its_prefixes(tmp_path: Path) -> None:
    """Prefixes survive, those behind a cut are forgotten, those of another blob ignored."""
    path = tmp_path / "journal"
    journal = Journal(path, BLOB)
    journal.add(10, "aa")
    journal.add(20, "bb")
    assert Journal(path, BLOB).prefixes == {10: "aa", 20: "bb"}
    Journal(path, BLOB).forget_after(15)
    assert Journal(path, BLOB).prefixes == {10: "aa"}
    assert Journal(path, Descriptor("x/y", BLOB.digest, 5)).prefixes == {}
    with open(path, "ab") as file:
        file.write(b'{"at": 30, "ha')
    torn = Journal(path, BLOB)
    assert torn.prefixes == {10: "aa"}
    torn.add(40, "cc")
    assert Journal(path, BLOB).prefixes == {10: "aa", 40: "cc"}
