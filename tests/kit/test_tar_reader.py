"""Honest archives are read, whoever wrote them; only content is believed."""

from __future__ import annotations

import multiprocessing
import os
import random
import stat
from pathlib import Path

import pytest

from rolldeck.errors import RefusedError, RolldeckError
from rolldeck.kit.tar_reader import Member, TarLimits, read_tar
from rolldeck.kit.unpack import unpack
from rolldeck.progress import Progress
from tests.kit.archives import (
    END,
    GNU,
    Payload,
    directory,
    file,
    header,
    kit_of,
    long_name,
    pax,
    record,
)
from tests.kit.unpacking import accept


def test_special_bits_and_owners(tmp_path: Path) -> None:
    large = b"\x80" + b"\xff" * 7
    negative = b"\xff" * 8
    archive = (
        directory("d", 0o7777)
        + directory("closed", 0o000)
        + file("d/setid", mode=0o6755)
        + file("d/open", mode=0o777)
        + file("closed/none", mode=0o000)
        + file("root", uid=b"0000000\0")
        + file("large", uid=large, gid=large)
        + file("negative", uid=negative, gid=negative)
        + file("type bits", mode=0o100644)
        + END
    )
    kit, open_blob = kit_of(archive)
    old = os.umask(0)
    try:
        unpack(kit, open_blob, tmp_path / "dest", Progress())
    finally:
        os.umask(old)
    for path in (tmp_path / "dest").rglob("*"):
        status = path.lstat()
        assert status.st_mode & 0o7002 == 0, path
        assert status.st_mode & 0o600 == 0o600, path
        assert status.st_uid == os.getuid()
    assert stat.S_IMODE((tmp_path / "dest/d/open").stat().st_mode) == 0o775
    assert (tmp_path / "dest/closed/none").read_bytes() == b"payload"


def test_extended_attributes_are_dropped(tmp_path: Path) -> None:
    records = [record("SCHILY.xattr.user.evil", "1"), record("SCHILY.acl.access", "user::rwx")]
    accept(tmp_path, pax(*records) + file("x") + END)
    assert os.listxattr(tmp_path / "dest/x") == []


def test_benign_members(tmp_path: Path) -> None:
    long = "/".join(["long" * 10] * 6)
    archive = (
        directory("./")
        + directory(".")
        + directory("empty")
        + directory("empty/")
        + file("./a..b.bin")
        + file("..hidden")
        + file("a...")
        + file("a//b/./c")
        + file(".wh.file")
        + pax(record("path", "é/ñ.txt"), record("mtime", "1.5"))
        + file("/.txt")
        + pax(record("path", "ü.."))
        + file("..")
        + pax(record("path", "python é?.txt"))
        + file("python ??.txt")
        + pax(record("path", long), record("size", "7"))
        + file(long[:100])
        + long_name(long + "2")
        + file(long[:100], magic=GNU)
        + pax(record("comment", "made by hand"), kind=b"g")
        + file("old", kind=b"\0", magic=bytes(8))
        + file("contiguous", kind=b"7")
        + file("in/prefix", prefix=b"some")
        + file("nested.tar", file("../../evil") + END)
        + file("e", b"")
    ) + END
    found = accept(tmp_path, archive + bytes(9 * 512))
    assert found["empty"] is None
    assert found["a..b.bin"] == found["..hidden"] == found["a..."] == b"payload"
    assert found["a/b/c"] == found["é/ñ.txt"] == found[long] == found[long + "2"] == b"payload"
    assert found["ü.."] == found["python é?.txt"] == b"payload"
    assert found["old"] == found["contiguous"] == found["some/in/prefix"] == b"payload"
    assert found["e"] == b""
    assert found[".wh.file"] == b"payload"
    assert not (tmp_path / "evil").exists()


def test_python_and_gnu_archives_are_read(tmp_path: Path) -> None:
    import io
    import tarfile

    for number, form in enumerate((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
            for name in ("plain", "d/" + "n" * 90 + "/" + "m" * 60, "é"):
                info = tarfile.TarInfo(name)
                info.size = 3
                info.mtime = 1.5 if form == tarfile.PAX_FORMAT else 1
                tar.addfile(info, io.BytesIO(b"abc"))
        (tmp_path / str(number)).mkdir()
        found = accept(tmp_path / str(number), buffer.getvalue())
        assert [value for value in found.values() if value] == [b"abc"] * 3


def _unpack_many(place: Path) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir("/proc/self/fd"))) + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 24, hard))
    archive = b"".join(file(f"d{number % 7}/f{number}") for number in range(300)) + END
    found = accept(place, archive)
    assert sum(value is not None for value in found.values()) == 300


def test_many_files_need_few_descriptors(tmp_path: Path) -> None:
    """In a process of its own: the servers of other tests take descriptors, too."""
    child = multiprocessing.get_context("spawn").Process(target=_unpack_many, args=(tmp_path,))
    child.start()
    child.join()
    assert child.exitcode == 0


def test_too_many_members() -> None:
    archive = b"".join(file(f"f{number}") for number in range(12)) + END
    with pytest.raises(RefusedError):
        list(read_tar(_reader(archive), TarLimits(entries=11)))
    assert len(list(read_tar(_reader(archive), TarLimits(entries=12)))) == 12


def test_unread_content_is_skipped() -> None:
    archive = file("a", b"1" * 3000) + file("b", b"2" * 10) + END
    seen: list[Member] = []
    for member in read_tar(_reader(archive)):
        seen.append(member)
        if member.path == "b":
            assert b"".join(bytes(chunk) for chunk in member.chunks) == b"2" * 10
    assert [member.path for member in seen] == ["a", "b"]


def test_size_above_8_gib_comes_from_pax() -> None:
    size = 2**33 + 5
    archive = pax(record("size", str(size))) + header("big")
    member = next(read_tar(_reader(archive)))
    assert member.size == size
    with pytest.raises(RefusedError, match="cut short"):
        next(member.chunks)


@pytest.mark.parametrize("layout", ["odd-names", "era", "modctl"])
def test_mutated_golden_layers(layout: str, golden: Path, tmp_path: Path) -> None:
    """Any mutant of a real layer unpacks or is refused; nothing appears outside."""
    chance = random.Random(layout)
    blobs = sorted((golden / "layouts" / layout / "blobs" / "sha256").iterdir())
    layers = [data for data in (blob.read_bytes() for blob in blobs) if not data.startswith(b"{")]
    for number in range(170):
        original = chance.choice(layers)[: chance.choice([4096, 8192, 65536])]
        mutant = _mutate(original, chance)
        zipped = mutant[:2] == b"\x1f\x8b"
        work = tmp_path / str(number)
        work.mkdir()
        kit, open_blob = kit_of(Payload(mutant, compression="gzip" if zipped else "none"))
        code = 0
        try:
            unpack(kit, open_blob, work / "dest", Progress())
        except RolldeckError as error:
            code = error.code
        assert code in (0, 6, 7, 8)
        assert [path.name for path in work.iterdir()] == ([] if code else ["dest"])
        assert not any(path.is_symlink() for path in work.rglob("*"))


def _mutate(data: bytes, chance: random.Random) -> bytes:
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        block = chance.randrange(max(1, len(mutant) // 512)) * 512
        place = min(len(mutant) - 1, block + chance.randrange(512))
        mutant[place] = chance.choice(
            [0, 0x20, 0x2E, 0x2F, 0x31, 0x32, 0xFF, chance.randrange(256)]
        )
        header_block = mutant[block : block + 512]
        if chance.random() < 0.7 and len(header_block) == 512 and header_block[257:262] == b"ustar":
            header_block[148:156] = b" " * 8
            mutant[block + 148 : block + 156] = b"%06o\0 " % sum(header_block)
    if chance.random() < 0.2:
        del mutant[chance.randrange(len(mutant)) :]
    return bytes(mutant)


def _reader(archive: bytes) -> _Bytes:
    return _Bytes(archive)


class _Bytes:
    """A stream that gives a few bytes at a time, as sockets do."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    def readinto(self, buffer: memoryview, /) -> int:
        count = min(len(buffer), len(self._data), 777)
        buffer[:count] = self._data[:count]
        self._data = self._data[count:]
        return count
