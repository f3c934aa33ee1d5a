"""Seeing the bytes of a file that grows, mapped or read."""

import mmap
import os
from pathlib import Path

import pytest

from rolldeck import fsops, window
from rolldeck.window import Window

STRETCH = 1 << 20


@pytest.fixture
def maps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Map a MiB at a time, from 4 KiB on, wherever the file is; collects the sizes of the maps."""
    made: list[int] = []

    class Counted(mmap.mmap):
        def __new__(cls, fd: int, size: int, *rest: int, offset: int = 0) -> "Counted":
            made.append(size)
            return super().__new__(cls, fd, size, *rest, offset=offset)

    monkeypatch.setattr(mmap, "mmap", Counted)
    monkeypatch.setattr(fsops, "is_in_memory", lambda fd: True)
    monkeypatch.setattr(window, "_STRETCH", STRETCH)
    monkeypatch.setattr(window, "_WORTH_MAPPING", 4096)
    return made


def test_it_follows_a_file_that_grows(tmp_path: Path, maps: list[int]) -> None:
    """Each byte is seen once it is there, in whatever steps, a stretch mapped at a time."""
    data = os.urandom(3 * STRETCH + 12345)
    with open(tmp_path / "file", "w+b", buffering=0) as file:
        seen, written = bytearray(), 0
        looks = Window(file.fileno())
        for step in (5000, 1, 8191, 300_000, 2 * STRETCH, len(data)):
            written += file.write(data[written : written + step])
            while len(seen) < written:
                with looks.view(len(seen), min(70_000, written - len(seen))) as found:
                    assert 0 < len(found) <= 70_000
                    seen += found
        looks.close()
    assert bytes(seen) == data
    assert max(maps) <= STRETCH
    assert len(maps) < 12


def test_bytes_that_changed_are_seen_as_they_are(tmp_path: Path, maps: list[int]) -> None:
    """After a transfer went back and fetched again, nothing old is seen."""
    with open(tmp_path / "file", "w+b", buffering=0) as file:
        looks = Window(file.fileno())
        for size in (100, 20_000):
            for letter in (b"a", b"b"):
                os.ftruncate(file.fileno(), 0)
                os.pwrite(file.fileno(), letter * size, 0)
                with looks.view(0, size) as found:
                    assert bytes(found) == letter * size
        assert len(maps) == 1


def test_behind_the_end_there_is_nothing(tmp_path: Path, maps: list[int]) -> None:
    """A file that is shorter than thought is read as far as it goes, never mapped."""
    (tmp_path / "file").write_bytes(b"x" * 5000)
    with open(tmp_path / "file", "rb") as file:
        looks = Window(file.fileno())
        assert bytes(looks.view(0, 9000)) == b"x" * 5000
        assert bytes(looks.view(5000, 9000)) == b""
    assert not maps


def test_what_cannot_be_mapped_is_read(
    tmp_path: Path, maps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes come through a buffer."""

    def refuse(*given: object, **named: object) -> mmap.mmap:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(mmap, "mmap", refuse)
    (tmp_path / "file").write_bytes(b"x" * 9000)
    with open(tmp_path / "file", "rb") as file:
        assert bytes(Window(file.fileno()).view(10, 8192)) == b"x" * 8192


def test_a_file_on_a_disk_is_never_mapped(
    tmp_path: Path, maps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails would end the process, where a read is an error."""
    monkeypatch.setattr(fsops, "is_in_memory", lambda fd: False)
    (tmp_path / "file").write_bytes(b"x" * (1 << 20))
    with open(tmp_path / "file", "rb") as file:
        assert bytes(Window(file.fileno()).view(0, 1 << 20)) == b"x" * (1 << 20)
    assert not maps
