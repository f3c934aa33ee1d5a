"""Hostile archives (threats A1 to A17): each is refused and leaves nothing behind."""

from __future__ import annotations

import gzip
import os
import random
import stat
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from rolldeck.errors import IntegrityError, RefusedError, RolldeckError
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
    padded,
    pax,
    record,
    snapshot,
)

NEGATIVE = b"\xff" * 12
TINY_SIZE = b"\x80" + bytes(10) + b"\x07"

HOSTILE: dict[str, bytes] = {
    # A1: names that lead outside or that another system reads differently.
    "a1 parent": file("../evil"),
    "a1 parent inside": file("a/../../evil"),
    "a1 parent that stays": file("a/../evil"),
    "a1 parent at the end": directory("a/.."),
    "a1 absolute": file("/tmp/evil"),
    "a1 absolute double": file("//tmp/evil"),
    "a1 prefix sibling": file("../dest-evil/x"),
    "a1 empty": file(""),
    "a1 dot file": file("."),
    "a1 backslash": file("..\\evil"),
    "a1 drive": file("C:/evil"),
    "a1 drive relative": file("c:evil"),
    "a1 newline": file("a\nb"),
    "a1 escape": file("a\x1b[31m"),
    "a1 C1 control": file("a\x9bb"),
    "a1 delete": file("a\x7f"),
    "a1 not UTF-8": file(b"a\xff\xfe"),
    "a1 absolute prefix": file("evil", prefix=b"/tmp"),
    "a1 parent prefix": file("evil", prefix=b".."),
    "a1 pax parent": pax(record("path", "../evil")) + file("evil"),
    "a1 pax absolute": pax(record("path", "/evil")) + file("evil"),
    "a1 pax NUL": pax(record("path", "a\0b")) + file("a"),
    "a1 pax empty": pax(record("path", "")) + file("evil"),
    "a1 ustar parent behind pax": pax(record("path", "safe")) + file("../evil"),
    "a1 GNU parent": long_name("../" + "x" * 200) + file("x", magic=GNU),
    # A2, A3, A4: links of every kind, alone and before a write through them.
    "a2 symlink": header("link", kind=b"2", link=b"../outside"),
    "a2 absolute symlink": header("link", kind=b"2", link=b"/etc"),
    "a2 looped symlink": header("link", kind=b"2", link=b"link"),
    "a2 symlink into proc": header("link", kind=b"2", link=b"/proc/self/cwd"),
    "a2 write through": header("link", kind=b"2", link=b"../outside") + file("link/victim"),
    "a2 overwrite": header("x", kind=b"2", link=b"../outside/victim") + file("x"),
    "a2 directory replaced": directory("d") + header("d", kind=b"2", link=b"../outside"),
    "a2 directory over link": header("d", kind=b"2", link=b"../outside") + directory("d", 0o777),
    "a2 pax link target": pax(record("linkpath", "../outside/victim")) + file("x"),
    "a3 hard link": header("x", kind=b"1", link=b"../outside/victim"),
    "a3 absolute hard link": header("x", kind=b"1", link=b"/etc/passwd"),
    "a3 hard link to CWD": header("x", kind=b"1", link=b"secret"),
    "a4 empty link name": header("", kind=b"2", link=b"x"),
    "a4 link name with a slash": header("x/", kind=b"2", link=b"x"),
    "a4 GNU long link": file("././@LongLink", b"x\0", kind=b"K", magic=GNU) + file("x"),
    # A7: every other type.
    **{
        f"a7 type {letter!r}": header("x", kind=bytes([letter])) + file("x")
        for letter in b"346SMDVNAXBz9! \xff"
    },
    # A11: one name twice, and names that are file and directory at once.
    "a11 file twice": file("x") + file("x"),
    "a11 file twice by dots": file("x") + file("./x"),
    "a11 file as directory": file("x") + file("x/y"),
    "a11 directory as file": directory("x") + file("x"),
    "a11 file then directory": file("x") + directory("x"),
    "a11 parent as file": file("x/y") + file("x"),
    # A12: too much of anything.
    "a12 deep": file("/".join("d" * 65)),
    "a12 long name": pax(record("path", "x" * 5000)) + file("x" * 100),
    "a12 long GNU name": long_name("x" * 5000) + file("x" * 100, magic=GNU),
    "a12 large pax": pax(record("comment", "x" * 70_000)) + file("x"),
    "a12 chain": pax(record("comment", "x")) * 9 + file("x"),
    # A13: sizes that cannot be.
    "a13 sparse pax": pax(record("GNU.sparse.major", "1")) + file("x"),
    "a13 sparse real size": pax(record("SCHILY.realsize", "9")) + file("x"),
    "a13 far beyond": header("x", 2**33 - 1),
    "a13 near 2^63": pax(record("size", str(2**63 - 1))) + header("x"),
    "a13 over 2^63": pax(record("size", "9" * 25)) + header("x"),
    "a13 negative": header("x", size_field=NEGATIVE),
    "a13 negative pax": pax(record("size", "-1")) + header("x"),
    "a13 negative octal": header("x", size_field=b"-0000000001\0"),
    "a13 base-256": header("x", size_field=TINY_SIZE) + padded(b"1234567"),
    "a13 directory with content": header("d", 7, kind=b"5") + padded(b"payload"),
    # A14: what one reader takes for this and another for that.
    "a14 pax size over ustar": pax(record("size", "1024")) + file("x", b"y") + file("z"),
    "a14 ustar 0, pax size": pax(record("size", "512")) + header("x") + file("nested"),
    "a14 pax size 0": pax(record("size", "0")) + header("x", 1024) + file("nested") + file("z"),
    "a14 two pax sizes": pax(record("size", "7")) + pax(record("size", "8")) + file("x"),
    "a14 size twice": pax(record("size", "7"), record("size", "8")) + file("x"),
    "a14 path twice": pax(record("path", "x"), record("path", "y")) + file("x"),
    "a14 pax against GNU": pax(record("path", "x1")) + long_name("x2") + file("x"),
    "a14 other name": pax(record("path", "harmless")) + file("evil"),
    "a14 global path": pax(record("path", "x"), kind=b"g") + file("x"),
    "a14 global size": pax(record("size", "7"), kind=b"g") + file("x"),
    "a14 global linkpath": pax(record("linkpath", "x"), kind=b"g") + file("x"),
    "a14 global sparse": pax(record("GNU.sparse.name", "x"), kind=b"g") + file("x"),
    "a14 pax without length": file("h", b"path=x\n", kind=b"x") + file("x"),
    "a14 pax length short": file("h", b"5 path=x\n", kind=b"x") + file("x"),
    "a14 pax length long": file("h", b"99 path=x\n", kind=b"x") + file("x"),
    "a14 pax length 0": file("h", b"0 path=x\n", kind=b"x") + file("x"),
    "a14 pax signed length": file("h", b"+10 path=x\n", kind=b"x") + file("x"),
    "a14 pax without equals": file("h", b"9 pathxx\n", kind=b"x") + file("x"),
    "a14 pax without key": file("h", b"5 =x\n", kind=b"x") + file("x"),
    "a14 pax size with letters": pax(record("size", "0x7")) + file("x"),
    "a14 pax fullwidth size": pax(record("size", "７")) + file("x"),
    "a14 pax charset": pax(record("hdrcharset", "BINARY")) + file("x"),
    "a14 pax not UTF-8": pax(record("path", b"\xff")) + file("x"),
    "a14 empty pax": header("h", kind=b"x") + file("x"),
    "a14 pax at the end": pax(record("path", "x")),
    "a14 letters in size": header("x", size_field=b"0000000000z\0"),
    "a14 letters in mode": file("x", mode=b"00006zz\0"),
    "a14 letters in owner": file("x", uid=b"root    "),
    "a14 number in two parts": header("x", size_field=b"0000 000007\0"),
    "a14 bad checksum": file("x", checksum=b"000000\0 "),
    "a14 bad checksum mid-archive": file("a") + file("x", checksum=b"017777\0 ") + file("b"),
    "a14 checksum letters": file("x", checksum=b"zzzzzz\0 "),
    "a14 random header mid-archive": file("a") + random.Random(1).randbytes(512) + file("b"),
    "a14 unknown format": file("x", magic=b"tar\0\0\0\0\0"),
    "a14 GNU with prefix": file("x", magic=GNU, prefix=b"p"),
    "a14 file with a slash": file("x/"),
    "a14 contiguous with a slash": file("x/", kind=b"7"),
    "a14 long name with a tail": file("L", b"x\0y", kind=b"L", magic=GNU) + file("x", magic=GNU),
    # A16: the Kitfile belongs to the config.
    "a16 Kitfile": file("Kitfile"),
    "a16 kitfile": file("./kitfile"),
    "a16 .kitfile": file(".kitfile"),
    "a16 Kitfile as directory": file("Kitfile/x"),
}

UNFINISHED: dict[str, bytes] = {
    "no end": file("x"),
    "empty": b"",
    "lone zero block": file("x") + bytes(512),
    "zero block, then data": file("x") + bytes(512) + file("y") + END,
    "members after the end": file("x") + END + file("y") + END,
    "one byte after the end": file("x") + END + b"\1",
    "cut in content": file("x", b"z" * 2000)[:1500],
    "cut in padding": file("x")[:-1],
    "cut in header": file("x") + header("y")[:300],
    "cut in pax": pax(record("path", "x" * 300))[:700],
}


def refuse(tmp_path: Path, *payloads: Payload | bytes) -> RefusedError:
    """Unpack, see it refused with exit code 8, and see that nothing else changed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    (tmp_path / "work").mkdir()
    before = snapshot(tmp_path)
    kit, open_blob = kit_of(*payloads, kitfile={"manifestVersion": "1.0.0"})
    with pytest.raises(RefusedError) as caught:
        unpack(kit, open_blob, tmp_path / "work" / "dest", Progress())
    assert caught.value.code == 8
    assert snapshot(tmp_path) == before
    assert caught.value.message.isprintable()
    return caught.value


def accept(tmp_path: Path, *payloads: Payload | bytes) -> dict[str, bytes | None]:
    """Unpack and return the content by path, None for directories."""
    kit, open_blob = kit_of(*payloads)
    unpack(kit, open_blob, tmp_path / "dest", Progress())
    root = tmp_path / "dest"
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_member_is_refused(name: str, tmp_path: Path) -> None:
    refuse(tmp_path, file("first") + HOSTILE[name] + END)


@pytest.mark.parametrize("name", UNFINISHED)
def test_unfinished_archive_is_refused(name: str, tmp_path: Path) -> None:
    refuse(tmp_path, UNFINISHED[name])


def test_refusal_names_the_member(tmp_path: Path) -> None:
    error = refuse(tmp_path, file("a") + header("sub/link", kind=b"2", link=b"x") + END)
    assert "sub/link" in error.message
    assert "symbolic link" in error.message


def test_hostile_name_is_shown_clean(tmp_path: Path) -> None:
    error = refuse(tmp_path, file("a\x1b]52;c;x\x07") + END)
    assert "\x1b" not in error.message


@pytest.mark.parametrize(
    ("second", "path"),
    [(file("a/x"), "a"), (file("x"), "x"), (directory("a/x"), "a/x")],
    ids=["same file", "other path", "directory over file"],
)
def test_collision_between_layers(second: bytes, path: str, tmp_path: Path) -> None:
    first = Payload(directory("a") + file("a/x") + END, path="a/x")
    if path == "x":
        accept(tmp_path, first, Payload(second + END, path=path))
    else:
        refuse(tmp_path, first, Payload(second + END, path=path))


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("src", file("other/x")),
        ("src", file("srcs/x")),
        ("src", file("s")),
        ("src", directory("other")),
        ("data/raw/x.csv", file("data/raw/y.csv")),
        ("data/raw/x.csv", file("data")),
        ("./src/", file("x")),
        ("../src", file("src/x")),
        ("/etc", file("etc/x")),
        ("src/../..", file("x")),
        ("..\\src", file("src/x")),
        ("C:/src", file("src/x")),
        ("src\0", file("src/x")),
        ("src\n", file("src/x")),
    ],
)
def test_member_outside_its_element(path: str, member: bytes, tmp_path: Path) -> None:
    refuse(tmp_path, Payload(member + END, path=path))


@pytest.mark.parametrize("path", [None, ".", "../x", "/x", "a/../../x", "a\\b", "Kitfile", "x\0"])
def test_raw_layer_with_a_hostile_path(path: str | None, tmp_path: Path) -> None:
    refuse(tmp_path, Payload(b"content", path=path, form="raw"))


def test_base_of_old_kits_is_checked_too(tmp_path: Path) -> None:
    refuse(tmp_path, Payload(file("x") + END, path="a/x", base="../a"))


def test_last_member_hostile(tmp_path: Path) -> None:
    members = b"".join(file(f"f{number}", b"x" * 5000) for number in range(50))
    refuse(tmp_path, members + header("evil", kind=b"2", link=b"/etc") + END)


def test_too_many_members() -> None:
    archive = b"".join(file(f"f{number}") for number in range(12)) + END
    with pytest.raises(RefusedError):
        list(read_tar(_reader(archive), TarLimits(entries=11)))
    assert len(list(read_tar(_reader(archive), TarLimits(entries=12)))) == 12


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_decompression_bomb(compression: str, tmp_path: Path) -> None:
    size = 400 * 1024 * 1024
    start = time.monotonic()
    stored = _compressed_zeros(header("bomb", size), size, compression)
    tracemalloc.start()
    refuse(tmp_path, Payload(stored, compression=compression))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * 1024 * 1024
    assert time.monotonic() - start < 10


def test_damaged_gzip(tmp_path: Path) -> None:
    good = gzip.compress(file("x", os.urandom(3000)) + END, mtime=0)
    variants = {
        "cut": good[:-9],
        "without trailer": good[:-8],
        "wrong CRC": good[:-8] + bytes([good[-8] ^ 1]) + good[-7:],
        "wrong length": good[:-1] + bytes([good[-1] ^ 1]),
        "garbage after it": good + b"garbage",
        "zeros after it": good + bytes(512),
        "no gzip": b"plain",
        "empty": b"",
    }
    for name, stored in variants.items():
        (tmp_path / name).mkdir()
        refuse(tmp_path / name, Payload(stored, compression="gzip"))


def test_several_gzip_members_are_one_layer(tmp_path: Path) -> None:
    archive = file("x", b"y" * 1000) + END
    stored = gzip.compress(archive[:700]) + gzip.compress(b"") + gzip.compress(archive[700:])
    assert accept(tmp_path, Payload(stored, compression="gzip")) == {"x": b"y" * 1000}


def test_damaged_blob_is_called_damaged_not_hostile(tmp_path: Path) -> None:
    good = file("x", b"y" * 1000) + END
    bad = b"\xff" + good[1:]
    kit, open_blob = kit_of(Payload(bad, claimed=good))
    with pytest.raises(IntegrityError):
        unpack(kit, open_blob, tmp_path / "dest", Progress())
    assert not (tmp_path / "dest").exists()


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


def test_many_files_need_few_descriptors(tmp_path: Path) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, used + 24), hard))
    try:
        archive = b"".join(file(f"d{number % 7}/f{number}") for number in range(300)) + END
        found = accept(tmp_path, archive)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sum(value is not None for value in found.values()) == 300


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


def _compressed_zeros(start: bytes, size: int, compression: str) -> bytes:
    piece = bytes(1024 * 1024)
    if compression == "gzip":
        inner = zlib.compressobj(6, wbits=31)
        pieces = [inner.compress(start)]
        pieces += [inner.compress(piece) for _ in range(size // len(piece))]
        return b"".join([*pieces, inner.flush()])
    from backports import zstd

    outer = zstd.ZstdCompressor()
    pieces = [outer.compress(start)]
    pieces += [outer.compress(piece) for _ in range(size // len(piece))]
    return b"".join([*pieces, outer.flush()])
