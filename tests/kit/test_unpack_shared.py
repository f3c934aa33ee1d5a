"""Raw layers that share the disk blocks of their blobs, where the file system can do that."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from rolldeck import fsops
from rolldeck.errors import IntegrityError, StorageError
from rolldeck.kit.model import Kit
from rolldeck.kit.unpack import unpack
from rolldeck.oci import Descriptor
from rolldeck.progress import Progress
from tests.kit.archives import Payload, kit_of

CONTENT = os.urandom(300_000)


@pytest.fixture
def kit(tmp_path: Path) -> tuple[Kit, Callable[[Descriptor], BinaryIO]]:
    """A kit with one raw layer, whose blob is a file."""
    made, _ = kit_of(Payload(CONTENT, path="model/weights.bin", form="raw", mode=0o640))
    (tmp_path / "blob").write_bytes(CONTENT)
    return made, lambda blob: (tmp_path / "blob").open("rb", buffering=0)  # type: ignore[return-value]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each call wrote into a file."""
    found: list[int] = []
    write = fsops.write

    def noted(fd: int, data: bytes | bytearray | memoryview) -> None:
        found.append(len(data))
        write(fd, data)

    monkeypatch.setattr(fsops, "write", noted)
    return found


def copied(source: int, fd: int) -> bool:
    """Stand in for a file system with reflinks, as far as what is read can tell."""
    os.pwrite(fd, os.pread(source, len(CONTENT) + 1, 0), 0)
    return True


def test_a_clone_is_not_written(
    kit: tuple[Kit, Callable[[Descriptor], BinaryIO]],
    written: list[int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """It is read, since only its hash tells that it is whole."""
    monkeypatch.setattr(fsops, "clone", copied)
    tree = unpack(*kit, tmp_path / "out", Progress())
    file = tmp_path / "out" / "model" / "weights.bin"
    assert sum(written) == 0
    assert file.read_bytes() == CONTENT
    assert file.stat().st_mode & 0o777 == 0o640
    entry = next(entry for entry in tree.entries if entry.type == "file")
    assert (entry.size, f"sha256:{entry.sha256}") == (len(CONTENT), kit[0].layers[0].digest)


@pytest.mark.parametrize("wrong", [b"x" + CONTENT[1:], CONTENT[:-1], CONTENT + b"x", b""])
def test_the_clone_itself_is_verified(
    kit: tuple[Kit, Callable[[Descriptor], BinaryIO]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    wrong: bytes,
) -> None:
    """Not the blob, which someone may have changed before or after."""

    def of_other_bytes(source: int, fd: int) -> bool:
        os.pwrite(fd, wrong, 0)
        return True

    monkeypatch.setattr(fsops, "clone", of_other_bytes)
    with pytest.raises(IntegrityError):
        unpack(*kit, tmp_path / "out", Progress())
    assert {path.name for path in tmp_path.iterdir()} <= {"blob", "home"}


def test_without_reflinks_it_is_copied(
    kit: tuple[Kit, Callable[[Descriptor], BinaryIO]],
    written: list[int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Once."""
    monkeypatch.setattr(fsops, "clone", lambda source, fd: False)
    unpack(*kit, tmp_path / "out", Progress())
    assert sum(written) == len(CONTENT)
    assert (tmp_path / "out/model/weights.bin").read_bytes() == CONTENT


def test_a_stream_that_is_no_file_is_copied(written: list[int], tmp_path: Path) -> None:
    """There are no blocks to share."""
    kit, _ = kit_of(Payload(CONTENT, path="w.bin", form="raw"))
    unpack(kit, lambda blob: io.BytesIO(CONTENT), tmp_path / "out", Progress())
    assert sum(written) == len(CONTENT)


def test_a_disk_that_fails_is_told(
    kit: tuple[Kit, Callable[[Descriptor], BinaryIO]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Where there is no room for the clone, there is none for a copy."""

    def full(fd: int, request: int, argument: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fcntl.ioctl", full)
    with pytest.raises(StorageError, match="No space"):
        unpack(*kit, tmp_path / "out", Progress())
    assert not (tmp_path / "out").exists()


def test_on_this_file_system(
    kit: tuple[Kit, Callable[[Descriptor], BinaryIO]], written: list[int], tmp_path: Path
) -> None:
    """Shared where it can be, and the same in any case."""
    with (tmp_path / "blob").open("rb") as blob, (tmp_path / "probe").open("wb") as probe:
        can = fsops.clone(blob.fileno(), probe.fileno())
    unpack(*kit, tmp_path / "out", Progress())
    assert sum(written) == (0 if can else len(CONTENT))
    assert (tmp_path / "out/model/weights.bin").read_bytes() == CONTENT
    (tmp_path / "out/model/weights.bin").write_bytes(b"changed")
    assert (tmp_path / "blob").read_bytes() == CONTENT
