"""Unpacking is all or nothing, and what it wrote can be checked later."""

from __future__ import annotations

import errno
import gzip
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from rolldeck import fsops, half_made
from rolldeck.errors import (
    CancelledError,
    RefusedError,
    RolldeckError,
    StorageError,
    UsageError,
)
from rolldeck.kit.tree import Tree
from rolldeck.kit.unpack import unpack
from rolldeck.progress import Progress
from tests.kit.archives import END, Payload, directory, file, header, kit_of, snapshot

GOOD = directory("d") + file("d/a", b"1" * 3000) + file("b", b"2") + END
KITFILE = {"manifestVersion": "1.0.0", "package": {"name": "x"}}


def unpacked(tmp_path: Path, *payloads: Payload | bytes, **options: Any) -> Tree:
    """Unpack into ``dest``."""
    kit, open_blob = kit_of(*(payloads or (GOOD,)), **options)
    return unpack(kit, open_blob, tmp_path / "dest", Progress())


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (Payload(gzip.compress(GOOD)[:-20], compression="gzip"), 8),
        (Payload(GOOD[:-1024] + header("evil", kind=b"2", link=b"/") + END), 8),
        (Payload(GOOD, claimed=GOOD[:-1] + b"\1"), 6),
        (Payload(GOOD[:-512], claimed=GOOD), 6),
        (Payload(GOOD + bytes(512), claimed=GOOD), 6),
    ],
    ids=["truncated gzip", "hostile last member", "wrong digest", "short blob", "long blob"],
)
def test_failure_leaves_nothing(payload: Payload, code: int, tmp_path: Path) -> None:
    kit, open_blob = kit_of(file("first", b"1" * 3000) + END, payload, kitfile=KITFILE)
    (tmp_path / "work").mkdir()
    before = snapshot(tmp_path)
    with pytest.raises(RolldeckError) as caught:
        unpack(kit, open_blob, tmp_path / "work/new/parents/dest", Progress())
    assert caught.value.code == code
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("call", ["write", "fsync", "create", "rename_directory"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_errors_of_the_disk(
    call: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fail(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2 or call == "rename_directory":
            raise OSError(number, os.strerror(number))
        return original(*arguments, **options)

    original = getattr(fsops, call)
    monkeypatch.setattr(fsops, call, fail)
    before = snapshot(tmp_path)
    with pytest.raises(StorageError):
        unpacked(tmp_path)
    assert snapshot(tmp_path) == before


def test_too_little_space_is_seen_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = os.statvfs(tmp_path)
    fields = list(found)
    fields[4] = 0
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result(fields))
    with pytest.raises(StorageError, match="Not enough space"):
        unpacked(tmp_path)
    assert not (tmp_path / "dest").exists()


def test_cancel(tmp_path: Path) -> None:
    kit, open_blob = kit_of(GOOD)
    progress = Progress()

    def cancelling(blob: Any) -> Any:
        progress.cancel()
        return open_blob(blob)

    before = snapshot(tmp_path)
    with pytest.raises(CancelledError):
        unpack(kit, cancelling, tmp_path / "dest", progress)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_compressions(compression: Any, tmp_path: Path) -> None:
    from backports import zstd

    pack = {"none": bytes, "gzip": gzip.compress, "zstd": zstd.compress}[compression]
    big = os.urandom(3 * 1024 * 1024)
    tree = unpacked(tmp_path, Payload(pack(file("big", big) + END), compression=compression))
    assert (tmp_path / "dest/big").read_bytes() == big
    assert (tree.files, tree.bytes) == (1, len(big))


@pytest.mark.parametrize("stored", [b"", b"\x28\xb5\x2f\xfd", b"plain"])
def test_damaged_zstd(stored: bytes, tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        unpacked(tmp_path, Payload(stored, compression="zstd"))


def test_modes_follow_the_umask(tmp_path: Path) -> None:
    archive = (
        directory("d", 0o777)
        + directory("p", 0o700)
        + file("d/f", mode=0o666)
        + file("d/x", mode=0o755)
        + file("s", mode=0o400)
        + file("implied/f")
        + END
    )
    for umask, modes in {
        0o022: {"d": 0o755, "p": 0o700, "d/f": 0o644, "d/x": 0o755, "s": 0o600, "": 0o755},
        0o077: {"d": 0o700, "p": 0o700, "d/f": 0o600, "d/x": 0o700, "s": 0o600, "": 0o700},
        0o000: {"d": 0o775, "d/f": 0o664, "implied": 0o755, "": 0o755, "Kitfile": 0o644},
    }.items():
        work = tmp_path / str(umask)
        work.mkdir()
        old = os.umask(umask)
        try:
            tree = unpacked(work, archive, kitfile=KITFILE)
        finally:
            os.umask(old)
        recorded = {entry.path: entry.mode for entry in tree.entries}
        for path, mode in modes.items():
            assert stat.S_IMODE((work / "dest" / path).stat().st_mode) == mode, (path, oct(umask))
            assert not path or recorded[path] == mode


def test_destinations(tmp_path: Path) -> None:
    kit, open_blob = kit_of(GOOD)
    victim = tmp_path / "victim"
    victim.mkdir()
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").touch()
    (tmp_path / "empty").mkdir(mode=0o700)
    before = snapshot(tmp_path)
    for name in ("link", "dangling", "file", "full"):
        with pytest.raises(UsageError) as caught:
            unpack(kit, open_blob, tmp_path / name, Progress())
        assert caught.value.hint
    assert snapshot(tmp_path) == before
    unpack(kit, open_blob, tmp_path / "empty", Progress())
    assert (tmp_path / "empty/b").read_bytes() == b"2"
    unpack(kit, open_blob, tmp_path / "new/parents/dest", Progress())
    assert (tmp_path / "new/parents/dest/b").exists()


def test_destination_taken_meanwhile(tmp_path: Path) -> None:
    kit, open_blob = kit_of(GOOD)

    def racing(blob: Any) -> Any:
        (tmp_path / "victim").mkdir()
        (tmp_path / "dest").symlink_to("victim")
        return open_blob(blob)

    with pytest.raises(UsageError):
        unpack(kit, racing, tmp_path / "dest", Progress())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dest", "home", "victim"]
    assert list((tmp_path / "victim").iterdir()) == []


def test_nothing_is_visible_before_the_end(tmp_path: Path) -> None:
    kit, open_blob = kit_of(GOOD)
    staging_modes = []

    def looking(blob: Any) -> Any:
        assert not (tmp_path / "dest").exists()
        staging = next(tmp_path.glob(f"{half_made.TEMPORARY_PREFIX}*"))
        staging_modes.append(stat.S_IMODE(staging.stat().st_mode))
        return open_blob(blob)

    unpack(kit, looking, tmp_path / "dest", Progress())
    assert staging_modes == [0o700]
    assert not list(tmp_path.glob(f"{half_made.TEMPORARY_PREFIX}*"))


def test_raw_layers(tmp_path: Path) -> None:
    raw = Payload(b"weights", path="./models/w.bin", form="raw", mode=0o755)
    tree = unpacked(tmp_path, raw, Payload(b"", path="empty", form="raw"))
    assert (tmp_path / "dest/models/w.bin").read_bytes() == b"weights"
    assert [(entry.path, entry.type) for entry in tree.entries] == [
        *(("empty", "file"), ("models", "dir"), ("models/w.bin", "file")),
    ]


def test_archives_before_kit_0_5_are_relative(tmp_path: Path) -> None:
    archive = directory("llm") + file("llm/config.json") + END
    unpacked(tmp_path, Payload(archive, path="./models/llm", base="models"))
    assert (tmp_path / "dest/models/llm/config.json").exists()


def test_unknown_layers_are_skipped_and_named(tmp_path: Path) -> None:
    unknown = Payload(b"?", path="later", form="unknown", media_type="application/x.new")
    tree = unpacked(tmp_path, GOOD, unknown)
    assert tree.skipped == (("later", "unknown layer type application/x.new"),)


def test_kitfile_is_written_where_kit_writes_it(tmp_path: Path) -> None:
    text = b"manifestVersion: 1.0.0\npackage:\n  name: x\n"
    for number, (kind, annotated, written) in enumerate(
        [("modelkit", False, True), ("modelpack", True, True), ("modelpack", False, False)]
    ):
        work = tmp_path / str(number)
        work.mkdir()
        annotations = {"ml.kitops.modelkit.kitfile": json.dumps(KITFILE)} if annotated else {}
        unpacked(work, GOOD, kitfile=KITFILE, kind=kind, annotations=annotations)
        path = work / "dest/Kitfile"
        assert path.exists() is written
        assert not written or path.read_bytes() == text


def test_what_is_no_kit_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        unpacked(tmp_path, kind="image")


def test_one_name_for_two_members_of_the_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that takes ``A`` for ``a``, the second one is refused."""
    create = fsops.create
    monkeypatch.setattr(
        fsops, "create", lambda path, *rest, **options: create(path.lower(), *rest, **options)
    )
    with pytest.raises(RefusedError, match="file system"):
        unpacked(tmp_path, file("a") + file("A") + END)


def test_spellings_are_kept_apart_where_the_file_system_does(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, file("a") + file("A") + file("aux") + END)
    assert tree.files == 3
