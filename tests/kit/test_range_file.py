"""Random access by blocks: what it asks for, and that it gives the right bytes."""

from __future__ import annotations

import random

import pytest

from rolldeck.kit.range_file import BLOCK_SIZE, READ_AHEAD, RangeFile, RangeStream


class Asked:
    """Bytes that note what is asked of them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.parts: list[tuple[int, int]] = []

    def read_at(self, offset: int, size: int) -> bytes:
        assert 0 <= offset < offset + size <= len(self.data)
        self.parts.append((offset, size))
        return self.data[offset : offset + size]

    @property
    def file(self) -> RangeFile:
        return RangeFile(self.read_at, len(self.data))


@pytest.mark.parametrize("seed", range(5))
def test_any_order_gives_the_same_bytes(seed: int) -> None:
    """Whatever is read where, it is what lies there."""
    chance = random.Random(seed)
    data = chance.randbytes(chance.choice([1, BLOCK_SIZE, 3 * READ_AHEAD + 77]))
    file = Asked(data).file
    for _ in range(200):
        offset = chance.randrange(len(data) + 10)
        size = chance.choice([1, 511, BLOCK_SIZE, READ_AHEAD + 5, chance.randrange(40_000)])
        assert file.read(offset, size) == data[offset : offset + size]


def test_what_was_read_is_not_fetched_again() -> None:
    """Blocks are kept."""
    asked = Asked(bytes(10 * BLOCK_SIZE))
    file = asked.file
    for _ in range(3):
        file.read(100, 200)
    assert asked.parts == [(0, BLOCK_SIZE)]


def test_going_on_reads_farther_ahead_each_time() -> None:
    """Up to a limit: few requests for many bytes."""
    asked = Asked(bytes(8 * READ_AHEAD))
    file = asked.file
    for offset in range(0, len(asked.data), 512):
        file.read(offset, 512)
    sizes = [size for _, size in asked.parts]
    assert sizes[:4] == [BLOCK_SIZE, 2 * BLOCK_SIZE, 4 * BLOCK_SIZE, 8 * BLOCK_SIZE]
    assert max(sizes) == READ_AHEAD
    assert len(sizes) < 16


def test_a_jump_begins_small_again() -> None:
    """What lies between is not fetched."""
    asked = Asked(bytes(8 * READ_AHEAD))
    file = asked.file
    for offset in (0, BLOCK_SIZE, 4 * READ_AHEAD):
        file.read(offset, 512)
    assert [size for _, size in asked.parts] == [BLOCK_SIZE, 2 * BLOCK_SIZE, BLOCK_SIZE]


def test_memory_is_bounded() -> None:
    """Old blocks are forgotten."""
    asked = Asked(bytes(16 * READ_AHEAD))
    file = asked.file
    for offset in range(0, len(asked.data), BLOCK_SIZE):
        file.read(offset, BLOCK_SIZE)
    before = len(asked.parts)
    file.read(0, 1)
    assert len(asked.parts) == before + 1


def test_what_a_stream_skips_is_not_fetched() -> None:
    """And skipping ends at the end."""
    asked = Asked(bytes(4 * READ_AHEAD))
    stream = RangeStream(asked.file)
    buffer = memoryview(bytearray(512))
    assert stream.readinto(buffer) == 512
    assert stream.skip(2 * READ_AHEAD) == 2 * READ_AHEAD
    assert stream.readinto(buffer) == 512
    assert sum(size for _, size in asked.parts) == 2 * BLOCK_SIZE
    assert stream.skip(9 * READ_AHEAD) < 2 * READ_AHEAD
    assert stream.readinto(buffer) == 0
