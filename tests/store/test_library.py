"""The library: an OCI layout that is never half written."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from rolldeck import fsops, locks
from rolldeck.errors import BusyError, StorageError, UsageError
from rolldeck.oci import MANIFEST, Descriptor, digest_of
from rolldeck.store import Library, Partial


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path / "library")


def put(library: Library, data: bytes) -> Descriptor:
    """Store a blob and describe it."""
    return Descriptor(MANIFEST, library.add(data), len(data))


def claimed(library: Library, blob: Descriptor) -> Partial:
    """Claim a blob that nobody else wants."""
    partial = library.claim(blob)
    assert partial is not None
    return partial


def partials(library: Library) -> list[Path]:
    """What lies in the library without being verified."""
    return list((library.root / "partial").iterdir())


def test_it_is_a_plain_oci_layout(library: Library) -> None:
    """Other tools find what the image specification says."""
    library.tag("acme/fraud", ["v1", "prod"], put(library, b"{}"))
    assert json.loads((library.root / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((library.root / "index.json").read_text())
    names = {m["annotations"]["org.opencontainers.image.ref.name"] for m in index["manifests"]}
    assert names == {"acme/fraud:v1", "acme/fraud:prod"}
    assert index["mediaType"] == "application/vnd.oci.image.index.v1+json"


def test_a_tag_moves_to_the_newer_manifest(library: Library) -> None:
    """One tag names one manifest; other tags and repositories stay."""
    old, new = put(library, b"old"), put(library, b"new")
    library.tag("a", ["v1", "live"], old)
    library.tag("b", ["live"], old)
    library.tag("a", ["live"], new)
    found = {(e.repository, e.tag): e.descriptor.digest for e in library.entries()}
    assert found == {("a", "v1"): old.digest, ("b", "live"): old.digest, ("a", "live"): new.digest}


def test_names_of_hosts_with_ports_are_kept_apart(library: Library) -> None:
    """The last colon divides repository and tag."""
    library.tag("localhost:5000/a", ["v1"], put(library, b"x"))
    entry = library.entries()[0]
    assert (entry.repository, entry.tag) == ("localhost:5000/a", "v1")


def test_blobs_are_read_only_and_named_by_their_digest(library: Library) -> None:
    """Nobody overwrites a blob by accident."""
    blob = put(library, b"data")
    path = library.layout.blob_path(blob.digest)
    assert path.read_bytes() == b"data"
    assert path.stat().st_mode & 0o777 == 0o444
    assert library.has(blob)
    assert partials(library) == []


def test_a_rewound_blob_leaves_nothing(library: Library) -> None:
    """Bytes that turned out wrong are gone."""
    partial = claimed(library, Descriptor("x", digest_of(b"data"), 4))
    partial.write(memoryview(b"bad!"))
    partial.rewind(0)
    partial.close()
    assert partials(library) == []
    assert not library.has(Descriptor("x", digest_of(b"data"), 4))


def test_a_blob_too_large_for_the_disk_is_refused_at_once(library: Library) -> None:
    """Exit code 7 before a byte is written."""
    with pytest.raises(StorageError) as caught:
        library.claim(Descriptor("x", digest_of(b""), 2**60))
    assert caught.value.code == 7
    assert partials(library) == []


def test_a_full_disk_leaves_nothing_behind(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC at a write is exit code 7, and neither partial nor blob stays."""
    partial = claimed(library, Descriptor("x", digest_of(b"data"), 4))

    def no_space(fd: int, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fsops, "write", no_space)
    with pytest.raises(StorageError):
        partial.write(memoryview(b"data"))
    partial.close()
    assert partials(library) == []


@pytest.mark.parametrize("content", ['{"version": 2}', '{"version": null}', "[]", "garbage"])
def test_a_store_of_unknown_version_is_left_untouched(library: Library, content: str) -> None:
    """A newer rolldeck's library is not written to."""
    library.prepare()
    (library.root / "rolldeck.json").write_text(content)
    before = sorted(path.name for path in library.root.rglob("*"))
    with pytest.raises(UsageError):
        library.add(b"x")
    assert sorted(path.name for path in library.root.rglob("*")) == before


def test_a_directory_with_other_files_is_no_library(tmp_path: Path) -> None:
    """The wrong directory in the settings harms nothing."""
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UsageError):
        Library(tmp_path).prepare()
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["thesis.tex"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_a_file_system_that_syncs_no_directories_is_fine(
    library: Library, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Some network file systems know only files; any other failure is one."""
    sync = os.fsync

    def refuse(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(number, os.strerror(number))
        sync(fd)

    monkeypatch.setattr(os, "fsync", refuse)
    library.tag("a", ["v1"], put(library, b"{}"))
    assert library.entries()[0].tag == "v1"


def test_a_stale_file_is_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 7 and what to do."""
    library.prepare()

    def stale(fd: int) -> None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(fsops, "fsync", stale)
    with pytest.raises(StorageError, match="network file system") as caught:
        library.tag("a", ["v1"], Descriptor(MANIFEST, digest_of(b"{}"), 2))
    assert "again" in (caught.value.hint or "")
    assert library.entries() == []


@pytest.mark.parametrize("left", [[], ["blobs"], ["blobs", "partial", "leases", "lock"]])
def test_a_first_start_that_was_killed_is_taken_up(tmp_path: Path, left: list[str]) -> None:
    """Its empty directories are no foreign files."""
    root = tmp_path / "library"
    root.mkdir()
    for name in left:
        (root / name).touch() if name == "lock" else (root / name).mkdir()
    Library(root).tag("a", ["v1"], Descriptor(MANIFEST, digest_of(b"{}"), 2))
    assert Library(root).entries()[0].tag == "v1"


def test_a_lock_that_is_held_is_busy(library: Library) -> None:
    """Exit code 9, after a wait."""
    library.prepare()
    lock = library.root / "lock"
    with locks.locked(lock), pytest.raises(BusyError) as caught, locks.locked(lock, timeout=0.05):
        pass
    assert caught.value.code == 9
