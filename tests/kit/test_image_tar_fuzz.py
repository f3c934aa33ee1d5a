"""Image layers by chance: only our own errors, bounded steps and memory, and other readers' names.

The strict reader's ways to spoil archives, over archives that have links, devices and long names.
"""

from __future__ import annotations

import io
import random
import tarfile
import tracemalloc
from collections.abc import Callable
from functools import cache

import pytest

from rolldeck.errors import RefusedError
from rolldeck.kit.image_tar import image_steps
from rolldeck.kit.listing import list_layer
from rolldeck.kit.tar_reader import CHUNK, Entry, TarLimits
from rolldeck.progress import Progress
from tests.conftest import TORTURE
from tests.kit.archives import END, GNU, POSIX, header, long_name, pax, record
from tests.kit.sources import Source, layer_of

CASES = 100 * TORTURE
"""Of each way to make a layer: 300 in all, 12,000 with torture."""

BLOCK = 512
KINDS = (
    tarfile.REGTYPE,
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.FIFOTYPE,
)


@cache
def sound(form: int) -> bytes:
    """What Python writes of every kind of member, with names that need its extensions."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for number, kind in enumerate(KINDS):
            for name in (f"m{number}", f"é{number}", f"{number}" + "n" * 90 + "/" + "m" * 90):
                info = tarfile.TarInfo(name)
                info.type = kind
                info.linkname = "../" + "t" * 60 if kind in KINDS[2:4] else ""
                info.size = 700 if kind == tarfile.REGTYPE else 0
                archive.addfile(info, io.BytesIO(bytes(info.size)))
    return out.getvalue()


def begin(chance: random.Random) -> bytearray:
    """A sound archive."""
    form = chance.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    return bytearray(sound(form))


def flipped(chance: random.Random) -> bytes:
    """Some bytes are others; half the time the checksums say that this is right."""
    data = begin(chance)
    seals = chance.random() < 0.7
    for _ in range(chance.choice((1, 1, 2, 5))):
        place = chance.randrange(len(data))
        data[place] = chance.choice((0, 0x2F, 0x30, 0x31, 0x53, 0x80, chance.randrange(256)))
        start = place - place % BLOCK
        if seals and data[start + 257 : start + 262] == b"ustar":
            data[start + 148 : start + 156] = b" " * 8
            data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + BLOCK])
    return bytes(data)


def moved(chance: random.Random) -> bytes:
    """Blocks are doubled, lost or exchanged, or the end is missing."""
    data = begin(chance)
    blocks = [bytes(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)]
    one, other = chance.randrange(len(blocks)), chance.randrange(len(blocks))
    match chance.randrange(4):
        case 0:
            blocks.insert(one, blocks[other])
        case 1:
            del blocks[one]
        case 2:
            blocks[one], blocks[other] = blocks[other], blocks[one]
        case _:
            return bytes(data[: chance.randrange(len(data))])
    return b"".join(blocks)


def made_up(chance: random.Random) -> bytes:
    """Members whose fields may be anything."""
    parts = []
    for _ in range(chance.randrange(1, 6)):
        name = chance.choice(("a", "../a", "/a", "", ".", ".wh.a", "\x1b[2J", "x" * 100))
        match chance.randrange(4):
            case 0:
                keys = ("path", "linkpath", "size", "GNU.sparse.name", "SCHILY.realsize")
                values = ("a", "9", "-1", "9" * 19, "x" * 5000, "\0")
                made = [record(chance.choice(keys), chance.choice(values)) for _ in range(2)]
                parts.append(pax(*made, kind=chance.choice((b"x", b"x", b"g"))))
            case 1:
                parts.append(long_name(name * chance.randrange(1, 60)))
            case _:
                sizes = (b"%011o\0" % 0, b"%011o\0" % 9, b"\x80" + bytes(10) + b"\7", b"\xff" * 12)
                parts.append(
                    header(
                        name,
                        kind=chance.choice((*b"01234567SVg", chance.randrange(256))).to_bytes(),
                        size_field=chance.choice(sizes),
                        magic=chance.choice((POSIX, GNU, bytes(8))),
                        prefix=chance.choice((b"", b"..", chance.randbytes(155))),
                        link=chance.randbytes(chance.randrange(100)),
                    )
                )
                parts.append(bytes(BLOCK) if chance.random() < 0.3 else b"")
    return b"".join(parts) + END


WAYS: dict[str, Callable[[random.Random], bytes]] = {
    "flipped": flipped,
    "moved": moved,
    "made up": made_up,
}


@pytest.mark.parametrize("way", WAYS)
def test_an_image_layer_by_chance(way: str) -> None:
    """Listed or refused; memory is bounded."""
    refused = listed = 0
    tracemalloc.start()
    try:
        for case in range(CASES):
            data = WAYS[way](random.Random(f"{way} {case}"))
            layer = layer_of(data, form="image")
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            try:
                for file in list_layer(layer, Source(data), Progress()).files:
                    assert file.path
                    assert file.mode_text
                    assert not any(char < " " for char in file.special_words)
                listed += 1
            except RefusedError:
                refused += 1
            except BaseException as error:
                error.add_note(f"{way}, case {case}")
                raise
            _, peak = tracemalloc.get_traced_memory()
            assert peak - before < CHUNK + 1024 * 1024 + 3 * len(data), f"{way}, case {case}"
    finally:
        tracemalloc.stop()
    # Else the cases would be too wild, or too tame, to find anything.
    assert refused
    assert listed


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_sound_layers_are_read_as_python_reads_them(form: int) -> None:
    """Names, types and targets."""
    data = sound(form)
    files = list_layer(layer_of(data, form="image"), Source(data), Progress()).files
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        expected = [(info.name, info.isreg(), info.isdir(), info.linkname) for info in archive]
    assert [
        (file.path, file.type == "file", file.is_dir, file.target) for file in files
    ] == expected


def test_steps_are_bounded_by_the_bytes() -> None:
    """The parser asks for no more than there are blocks, and for little at a time."""
    for case in range(CASES):
        data = made_up(random.Random(f"steps {case}"))
        steps, asked, place = image_steps(TarLimits(capacity=len(data))), 0, 0
        try:
            step = next(steps)
            while True:
                asked += 1
                assert isinstance(step, Entry) or step.size <= 128 * 1024
                answer = b"" if isinstance(step, Entry) else data[place : place + step.size]
                place += step.size
                step = steps.send(answer)
        except (StopIteration, RefusedError):
            pass
        assert asked <= len(data) // BLOCK * 2 + 4
