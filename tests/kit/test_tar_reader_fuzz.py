"""Archives by chance: only our own errors, bounded steps and memory, and no second reading.

Bytes of every golden layer are changed, and headers made up: pax, ustar, GNU and v7. What is
accepted all the same must be what Python's reader sees, too: attacks hide where readers disagree.
Seeded, so that a failure comes again; its case stands in the message.
"""

from __future__ import annotations

import io
import random
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from functools import cache, partial

import pytest

from rolldeck.errors import IntegrityError, RefusedError
from rolldeck.kit.compressor import compressed
from rolldeck.kit.layer_stream import open_layer
from rolldeck.kit.model import Compression, Layer
from rolldeck.kit.tar_reader import CHUNK, Entry, Member, Need, TarLimits, read_tar, tar_steps
from rolldeck.oci import Descriptor, digest_of
from rolldeck.progress import Progress
from tests.conftest import TORTURE
from tests.kit.archives import END, GNU, POSIX, directory, file, header, long_name, pax, record
from tests.kit.golden_kits import EXPECTED, GoldenVersion

CASES = 50 * TORTURE
"""Of each way to make an archive: 350 in all, 14,000 with torture."""

V7 = bytes(8)
BLOCK = 512
MEMORY = CHUNK + 512 * 1024
"""Most bytes that reading takes, whatever the archive says: its buffer, and a little."""

Found = tuple[tuple[str, bool, int], ...]


class Stream:
    """Bytes to read from; counts how often it is asked."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)
        self.asked = 0

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the start of the buffer."""
        self.asked += 1
        return self._inner.readinto(buffer)


# Archives to begin with.


@cache
def golden_archives() -> tuple[bytes, ...]:
    """Every tar layer that the real tools wrote, uncompressed, each once."""
    found = set()
    for stem in EXPECTED:
        version = GoldenVersion(stem)
        if stem.startswith("other_"):
            continue  # an index, or no kit
        for layer in version.kit().layers:
            if layer.form == "tar":
                with open_layer(layer, version.open_blob(layer.blob), Progress()) as stream:
                    found.add(b"".join(iter(partial(_some, stream.readinto), b"")))
    return tuple(sorted(found))


def _some(readinto: Callable[[memoryview], int]) -> bytes:
    buffer = memoryview(bytearray(CHUNK))
    return bytes(buffer[: readinto(buffer)])


@cache
def written_archives() -> tuple[bytes, ...]:
    """What Python's own writer makes in each format, with names that need its extensions."""
    found = []
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            for name in ("d", "d/a.bin", "d/" + "n" * 90 + "/" + "m" * 90, "é.txt"):
                info = tarfile.TarInfo(name)
                info.type = tarfile.DIRTYPE if name == "d" else tarfile.REGTYPE
                info.size = 0 if name == "d" else 700
                archive.addfile(info, io.BytesIO(bytes(info.size)))
        found.append(out.getvalue())
    return tuple(found)


def begin(chance: random.Random) -> bytearray:
    """One of the archives; small ones more often, since in them more is a header."""
    archives = golden_archives() if chance.random() < 0.7 else written_archives()
    small = [data for data in archives if len(data) <= 24 * BLOCK]
    return bytearray(chance.choice(small if chance.random() < 0.7 else archives))


# What is done to them.


def flipped(chance: random.Random) -> bytes:
    """Some bytes anywhere are others."""
    data = begin(chance)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def repaired(chance: random.Random) -> bytes:
    """Some bytes of headers are others, and the checksums say that this is right."""
    data = begin(chance)
    places = list(_headers(data))
    for _ in range(chance.choice((1, 1, 2, 3))):
        place = chance.choice(places)
        field = chance.choice(
            ((0, 100), (100, 108), (124, 136), (156, 157), (257, 265), (345, 500))
        )
        value = chance.choice(
            (0, 0x20, 0x2F, 0x2E, 0x30, 0x31, 0x32, 0x37, 0x80, chance.randrange(256))
        )
        data[place + chance.randrange(*field)] = value
        seal(data, place)
    return bytes(data)


def seal(data: bytearray, place: int) -> None:
    """Put the right checksum into the header there."""
    data[place + 148 : place + 156] = b" " * 8
    data[place + 148 : place + 156] = b"%06o\0 " % sum(data[place : place + BLOCK])


def _headers(data: bytes | bytearray) -> Iterator[int]:
    """Where the headers of a sound archive are."""
    steps, place, answer = tar_steps(), 0, b""
    step = next(steps)
    try:
        while True:
            if isinstance(step, Entry):
                place += step.size
                answer = b""
            else:
                answer = bytes(data[place : place + step.size])
                if not step.padding and step.size == BLOCK and any(answer):
                    yield place
                place += step.size
            step = steps.send(answer)
    except (StopIteration, RefusedError):
        return


def moved(chance: random.Random) -> bytes:
    """Blocks are doubled, lost, exchanged, blank, or the end is missing."""
    data = begin(chance)
    blocks = [bytes(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)]
    for _ in range(chance.choice((1, 1, 2, 4))):
        one, other = chance.randrange(len(blocks)), chance.randrange(len(blocks))
        match chance.randrange(5):
            case 0:
                blocks.insert(one, blocks[other])
            case 1 if len(blocks) > 1:
                del blocks[one]
            case 2:
                blocks[one], blocks[other] = blocks[other], blocks[one]
            case 3:
                blocks[one] = bytes(BLOCK)
            case _:
                del blocks[max(1, one) :]
    whole = b"".join(blocks)
    return whole[: chance.randrange(len(whole))] if chance.random() < 0.2 else whole


def joined(chance: random.Random) -> bytes:
    """One archive goes on as another one."""
    one, other = begin(chance), begin(chance)
    first, second = (
        chance.randrange(0, len(data), chance.choice((1, BLOCK, BLOCK, BLOCK)))
        for data in (one, other)
    )
    return bytes(one[:first] + other[second:])


NAMES = ("a", "b/", "a/b", "./a", "../a", "/a", "", ".", "é", "x" * 100, "x" * 120, "a\\b", "C:x")
SIZES = ("0", "7", "512", "1024", "-1", "07", "7 ", "0x7", "9" * 19, "9" * 20, "")
KEYS = ("path", "size", "linkpath", "comment", "mtime", "hdrcharset", "GNU.sparse.name", "uid")


def made_up(chance: random.Random) -> bytes:
    """Sound members of all formats, and one or two whose fields may be anything."""
    parts = [
        file(f"sound-{number}", chance.randbytes(chance.choice((0, 7, 512))), magic=magic)
        for number, magic in enumerate(chance.sample((POSIX, GNU, V7), chance.randrange(3)))
    ]
    for _ in range(chance.choice((1, 1, 2))):
        parts.insert(chance.randrange(len(parts) + 1), _part(chance))
    return b"".join(parts) + (END if chance.random() < 0.9 else b"")


def _part(chance: random.Random) -> bytes:
    name = chance.choice(NAMES)
    magic = chance.choice((POSIX, POSIX, GNU, V7))
    match chance.randrange(9):
        case 0:
            return directory(name, magic=magic)
        case 1:
            return pax(*(_record(chance) for _ in range(chance.randrange(4))))
        case 2:
            return pax(_record(chance), kind=b"g")
        case 3:
            return long_name(name * chance.randrange(1, 3)) + file(name[:100], magic=GNU)
        case 4:
            path, size = chance.choice(NAMES), chance.choice(SIZES)
            return pax(record("path", path), record("size", size)) + file(name, magic=magic)
        case 5:
            return pax(record("comment", "x" * chance.choice((9, 60_000, 900_000)))) + file("x")
        case 6 | 7:
            sizes = (b"%011o\0" % 0, b"%011o\0" % 9, b"\x80" + bytes(10) + b"\7", b" " * 12)
            return header(
                chance.choice(NAMES),
                size_field=chance.choice(sizes),
                kind=chance.choice((b"0", b"1", b"2", b"5", b"7", b"x", chance.randbytes(1))),
                magic=magic,
                prefix=chance.choice((b"", b"", b"p", b"..", b"/")),
                mode=chance.choice((0o644, 0o644, chance.randbytes(8))),
            )
        case _:
            return file(name, chance.randbytes(chance.choice((0, 7, 512, 600))), magic=magic)


def _record(chance: random.Random) -> bytes:
    key = chance.choice(KEYS)
    value = {"path": chance.choice(NAMES), "size": chance.choice(SIZES)}.get(key, "1")
    found = record(key, value)
    if chance.random() < 0.2:
        place = chance.randrange(len(found))
        found = found[:place] + chance.randbytes(1) + found[place + 1 :]
    return found


WAYS: dict[str, Callable[[random.Random], bytes]] = {
    "flipped": flipped,
    "repaired": repaired,
    "moved": moved,
    "joined": joined,
    "made up": made_up,
}


# What must hold.


def read(data: bytes) -> Found | None:
    """Read an archive to its end, content included; None where it is refused."""
    stream, found = Stream(data), []
    limits = TarLimits(capacity=len(data))
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    try:
        for member in read_tar(stream, limits):
            found.append(_seen(member))
    except RefusedError:
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        assert peak - before < MEMORY + 400 * len(found)
        # Each answer but the last ones is a block, or the rest of one.
        assert stream.asked <= len(data) // BLOCK * 3 + 8
    return tuple(found)


def _seen(member: Member) -> tuple[str, bool, int]:
    size = sum(len(chunk) for chunk in member.chunks)
    assert size == member.size
    return member.path, member.is_dir, member.size


def read_by_python(data: bytes) -> Found:
    """What Python's reader finds in the same bytes."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", encoding="utf-8") as archive:
        for info in archive:
            path = "/".join(part for part in info.name.split("/") if part not in ("", "."))
            if path:
                assert info.isdir() or info.isreg()
                found.append((path, info.isdir(), info.size))
    return tuple(found)


@pytest.fixture
def traced() -> Iterator[None]:
    """Let memory be counted."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("way", WAYS)
def test_an_archive_by_chance(way: str, traced: None) -> None:
    """Refused, or read as by another reader."""
    refused = accepted = 0
    for case in range(CASES):
        data = WAYS[way](random.Random(f"{way} {case}"))
        try:
            found = read(data)
            if found is None:
                refused += 1
            else:
                accepted += 1
                assert found == read_by_python(data)
        except BaseException as error:
            error.add_note(f"{way}, case {case}")
            raise
    # Else the cases would be too wild, or too tame, to find anything.
    assert refused
    assert accepted


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_compressed_layer_by_chance(compression: Compression, traced: None) -> None:
    """Damaged as stored: told by its digest, refused, or read to its end."""
    ended = {"refused": 0, "other bytes": 0, "read": 0}
    for case in range(CASES // 2):
        chance = random.Random(f"{compression} {case}")
        whole = b"".join(compressed(compression, [memoryview(begin(chance))]))
        stored = bytearray(whole)
        match chance.randrange(4):
            case 0:
                del stored[chance.randrange(1, len(stored)) :]
            case 1:
                stored += chance.randbytes(9) if chance.random() < 0.5 else whole
            case _:
                for _ in range(chance.choice((1, 1, 3))):
                    stored[chance.randrange(len(stored))] ^= 1 << chance.randrange(8)
        known = chance.random() < 0.3
        blob = Descriptor("x/y", digest_of(whole if known else bytes(stored)), len(stored))
        layer = Layer(blob, "code", "tar", compression)
        try:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            try:
                with open_layer(layer, io.BytesIO(stored), Progress()) as stream:
                    for member in read_tar(stream, TarLimits(capacity=stream.capacity)):
                        _seen(member)
                ended["read"] += 1
                assert stored == whole or not known
            except RefusedError:
                ended["refused"] += 1
            except IntegrityError:
                ended["other bytes"] += 1
                assert known
            _, peak = tracemalloc.get_traced_memory()
            assert peak - before < 4 * MEMORY
        except BaseException as error:
            error.add_note(f"{compression}, case {case}")
            raise
    assert ended["refused"]
    assert ended["other bytes"]


def test_steps_are_bounded_by_the_bytes() -> None:
    """The parser asks for no more than there are blocks, and for little at a time."""
    for case in range(CASES):
        data = made_up(random.Random(f"steps {case}"))
        steps, asked, place, answer = tar_steps(TarLimits(capacity=len(data))), 0, 0, None
        try:
            while True:
                step: Need | Entry = steps.send(answer) if answer is not None else next(steps)
                asked += 1
                assert isinstance(step, Entry) or step.size <= 128 * 1024
                answer = b"" if isinstance(step, Entry) else data[place : place + step.size]
                place += step.size
        except (StopIteration, RefusedError):
            pass
        assert asked <= len(data) // BLOCK * 2 + 4
