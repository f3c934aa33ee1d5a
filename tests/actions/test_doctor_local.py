"""The doctor on this machine: library, disk, settings."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from rolldeck import fsops
from rolldeck.actions import Finding, Workspace, diagnose
from rolldeck.actions.demo import fill_library
from rolldeck.errors import UsageError
from rolldeck.oci import Reference
from rolldeck.settings import Settings
from rolldeck.store import Library


async def looked(library: Path, **options: bool) -> dict[str, Finding]:
    """The findings about a library, by check."""
    diagnosis = await diagnose(Workspace(Settings(library=library), **options))
    return {item.check: item for item in diagnosis.findings}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library with the demo's versions."""
    fill_library(Library(tmp_path / "library"))
    return tmp_path / "library"


def held(root: Path) -> list[Path]:
    """Everything below a directory."""
    return sorted(root.rglob("*"))


async def test_a_sound_library(library: Path) -> None:
    """Everything is as it should be, and nothing is left behind."""
    before = held(library)
    found = await looked(library)
    assert {item.severity for item in found.values()} == {"ok"}
    assert "3 versions" in found["store"].detail
    assert held(library) == before


async def test_a_library_that_is_not_there_yet(tmp_path: Path) -> None:
    """That is no mistake, and it is not made."""
    found = await looked(tmp_path / "none" / "library")
    assert {item.severity for item in found.values()} == {"ok"}
    assert "the first pull makes it" in found["store"].detail
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("rolldeck.json", '{"version": 99}', 2), ("index.json", "{", 6), ("index.json", None, 2)],
)
async def test_a_library_that_cannot_be_used(
    library: Path, name: str, content: str | None, code: int
) -> None:
    """A newer version, damage, something else: with the exit code that every verb would have."""
    (library / name).unlink()
    if content is None:
        (library / "rolldeck.json").unlink()
        (library / "oci-layout").unlink()
        (library / "thesis.tex").write_text("not ours")
    else:
        (library / name).write_text(content)
    diagnosis = await diagnose(Workspace(Settings(library=library)))
    store = next(item for item in diagnosis.findings if item.check == "store")
    assert (store.severity, store.code, diagnosis.code) == ("fail", code, code)


async def test_unfinished_blobs_are_counted(library: Path) -> None:
    """A pull goes on there."""
    (library / "partial" / f"sha256-{'0' * 64}").write_bytes(bytes(2048))
    (library / "partial" / f"sha256-{'0' * 64}.journal").write_bytes(b"{}")
    found = (await looked(library))["unfinished"]
    assert (found.severity, found.detail) == (
        "ok",
        "1 blobs are not complete, 2.0 KiB of them are here",
    )


@pytest.mark.parametrize(
    ("free", "severity"), [(10 << 20, "fail"), (1 << 30, "warn"), (100 << 30, "ok")]
)
async def test_space(
    library: Path, monkeypatch: pytest.MonkeyPatch, free: int, severity: str
) -> None:
    """Little is a warning, next to nothing a failure of storage."""
    real = os.statvfs(library)
    fake = os.statvfs_result((4096, 4096, 1 << 30, free >> 12, free >> 12, *tuple(real)[5:10]))
    monkeypatch.setattr(os, "statvfs", lambda path: fake)
    diagnosis = await diagnose(Workspace(Settings(library=library)))
    space = next(item for item in diagnosis.findings if item.check == "space")
    assert space.severity == severity
    assert diagnosis.code == (7 if severity == "fail" else 0)


async def test_a_disk_that_does_not_sync(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is named; nothing is left behind."""

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    before = held(library)
    monkeypatch.setattr(fsops, "fsync", fail)
    found = await looked(library)
    assert found["durable"].severity == "fail"
    assert "The disk failed" in found["durable"].detail
    assert "locks" not in found
    assert held(library) == before


async def test_locks_that_lie(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems grant every lock."""
    monkeypatch.setattr(fcntl, "flock", lambda fd, how: None)
    found = (await looked(library))["locks"]
    assert found.severity == "warn"
    assert found.meaning
    assert found.hint


async def test_read_only_writes_nothing(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is not known whether writing works."""
    monkeypatch.setattr(fsops, "create", None)
    found = await looked(library, read_only=True)
    assert found["durable"].severity == "unknown"


async def test_only_registries_can_be_asked(tmp_path: Path) -> None:
    """A layout has no doctor; a library is looked at anyway."""
    workspace = Workspace(Settings(library=tmp_path / "library"))
    for text in ("oci:/tmp/x", "fraud"):
        with pytest.raises(UsageError, match="Not a registry"):
            await diagnose(workspace, Reference.parse(text))
    with pytest.raises(UsageError, match="needs a repository"):
        await diagnose(workspace, Reference.parse("ghcr.io/"), write=True)
