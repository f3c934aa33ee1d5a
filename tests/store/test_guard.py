"""Whose library it is, and links that somebody planted where rolldeck writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck import fsops, half_made, locks
from rolldeck.errors import BusyError, RefusedError, StorageError
from rolldeck.oci import Descriptor, digest_of
from rolldeck.store import Library
from rolldeck.store.quarantine import quarantine
from tests.store.versions import add_blob, add_version, damage

DATA = b"data"
BLOB = Descriptor("x/y", digest_of(DATA), len(DATA))
LARGE = Descriptor("x/y", digest_of(b"large"), 65 * 1024 * 1024)
"""Large enough for a journal."""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library with one version; to be opened afresh by what is tested."""
    made = Library(tmp_path / "library")
    add_version(made, "v1", "layer")
    made.root.joinpath("quarantine").mkdir(mode=0o700)
    return Library(made.root)


def listing(root: Path) -> list[str]:
    """Everything below a directory."""
    return sorted(str(path) for path in root.rglob("*"))


WRITES: list[Callable[[Library], object]] = [
    lambda library: library.put(BLOB, DATA),
    lambda library: library.claim(BLOB),
    lambda library: library.tag("x", ["v2"], BLOB),
    lambda library: library.lease("pull", "x:v1", [BLOB.digest]),
    lambda library: quarantine(library, BLOB.digest, 0),
]


@pytest.mark.parametrize("write", WRITES)
def test_a_library_of_another_user_is_only_read(
    library: Library, monkeypatch: pytest.MonkeyPatch, write: Callable[[Library], object]
) -> None:
    """They could put anything in our way; root is no exception."""
    before = listing(library.root)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(RefusedError, match=f"belongs to user {owner}") as caught:
        write(library)
    assert "--library" in (caught.value.hint or "")
    assert listing(library.root) == before
    assert len(library.entries()) == 1
    assert not library.writable


@pytest.mark.parametrize("below", [".", "partial", "leases", "quarantine", "blobs/sha256"])
@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_what_everybody_may_write_is_not_written(library: Library, below: str, mode: int) -> None:
    """Wherever it is in the library; a sticky bit lets others add files, too."""
    (library.root / below).chmod(mode)
    before = listing(library.root)
    for write in WRITES:
        with pytest.raises(RefusedError, match="written by everybody"):
            write(Library(library.root))
    assert listing(library.root) == before


def test_a_group_may_write(library: Library) -> None:
    """Where each user has a group of his own, umask 002 is usual."""
    for directory in (library.root, library.scratch, library.leases):
        directory.chmod(0o2775)
    library.put(BLOB, DATA)


def test_a_new_library_is_safe_whatever_the_umask(tmp_path: Path) -> None:
    """Containers often run with umask 0."""
    before = os.umask(0)
    try:
        add_version(Library(tmp_path / "new"), "v1", "layer")
        Library(tmp_path / "new").prepare()
    finally:
        os.umask(before)
    for path in [tmp_path / "new", *(tmp_path / "new").rglob("*")]:
        assert path.stat().st_mode & 0o002 == 0, path


def test_a_new_library_where_everybody_writes_is_refused(tmp_path: Path) -> None:
    """A directory inside it, which rolldeck makes itself, is fine."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(RefusedError) as caught:
        Library(shared).prepare()
    assert list(shared.iterdir()) == []
    assert f"--library {shared}/rolldeck" in (caught.value.hint or "")
    Library(shared / "rolldeck").prepare()


def test_the_library_itself_may_be_a_link(library: Library, tmp_path: Path) -> None:
    """People keep models on another disk."""
    (tmp_path / "link").symlink_to(library.root)
    Library(tmp_path / "link").put(BLOB, DATA)
    assert library.has(BLOB)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file elsewhere that nobody should touch."""
    path = tmp_path / "victim"
    path.write_bytes(b"precious")
    path.chmod(0o640)
    return path


def unchanged(victim: Path) -> bool:
    """Whether bytes, mode and place of the victim are as they were."""
    return (
        victim.read_bytes() == b"precious"
        and victim.stat().st_mode & 0o777 == 0o640
        and not victim.is_symlink()
    )


@pytest.mark.parametrize("name", ["partial", "leases", "quarantine", "blobs", "blobs/sha256"])
def test_a_link_in_place_of_a_directory_is_refused(
    library: Library, tmp_path: Path, name: str
) -> None:
    """Nothing appears where it leads."""
    elsewhere = tmp_path / "elsewhere"
    place = library.root / name
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    before = listing(elsewhere)
    for write in WRITES:
        with pytest.raises(RefusedError, match="is a link"):
            write(Library(library.root))
    assert listing(elsewhere) == before


def test_a_link_in_place_of_the_lock(library: Library, victim: Path) -> None:
    """It is not opened, let alone truncated."""
    (library.root / "lock").unlink()
    (library.root / "lock").symlink_to(victim)
    for write in WRITES:
        with pytest.raises(StorageError, match="A link is where a file should be"):
            write(Library(library.root))
    assert unchanged(victim)


def test_a_link_in_place_of_the_name_of_a_lock(
    library: Library, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where locks lie, a link that leads elsewhere is held by somebody unknown."""
    monkeypatch.setattr("rolldeck.locks.try_lock", lambda fd: True)
    held = library.root / "lock.held"
    held.symlink_to(victim)
    with pytest.raises(BusyError), locks.locked(library.root / "lock", timeout=0.05):
        pass
    assert unchanged(victim)
    assert held.readlink() == victim


def test_a_link_in_place_of_the_index(library: Library, victim: Path) -> None:
    """The link is replaced, not what it leads to."""
    path = library.root / "index.json"
    content = path.read_bytes()
    path.unlink()
    path.symlink_to(victim)
    victim.write_bytes(content)
    library.tag("x", ["v2"], BLOB)
    assert victim.read_bytes() == content
    assert victim.stat().st_mode & 0o777 == 0o640
    assert not path.is_symlink()


@pytest.mark.parametrize("suffix", ["", ".journal"])
def test_a_link_in_place_of_a_partial(library: Library, victim: Path, suffix: str) -> None:
    """Neither the bytes nor the journal go through it."""
    Path(f"{library.partial_path(LARGE.digest)}{suffix}").symlink_to(victim)
    with pytest.raises(StorageError, match="A link is where a file should be"):
        library.claim(LARGE)
    assert unchanged(victim)


def test_a_link_in_place_of_a_blob(library: Library, victim: Path) -> None:
    """A blob that comes takes its name."""
    path = library.layout.blob_path(BLOB.digest)
    path.symlink_to(victim)
    library.put(BLOB, DATA)
    assert path.read_bytes() == DATA
    assert not path.is_symlink()
    assert unchanged(victim)


def test_a_link_in_place_of_a_quarantined_blob(library: Library, victim: Path) -> None:
    """The rotten one gets another name."""
    blob = add_blob(library, "rots")
    place = library.root / "quarantine" / blob.digest.replace(":", "-")
    place.symlink_to(victim)
    damage(library, blob.digest)
    inode = library.layout.blob_path(blob.digest).stat().st_ino
    assert quarantine(library, blob.digest, inode) == Path(f"{place}.2")
    assert unchanged(victim)
    assert place.readlink() == victim


def test_temporary_names_cannot_be_guessed(library: Library, victim: Path) -> None:
    """A link at every name but the right one: files are only ever created."""
    name = half_made.temporary_name(library.scratch)
    name.symlink_to(victim)
    with pytest.raises(FileExistsError):
        fsops.create(name)
    assert half_made.temporary_name(library.scratch) != name
    assert unchanged(victim)
