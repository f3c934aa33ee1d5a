"""Partial files that are not what was received: found, and replaced, without being told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck.errors import IntegrityError
from rolldeck.oci import Descriptor
from rolldeck.oci.follow import PREFIX_STEP
from rolldeck.store import Library
from rolldeck.store.journal import Journal
from tests.faults.conftest import Fetch, held, leftovers
from tests.servers.fault_proxy import Fault, FaultProxy

Push = Callable[[int], tuple[Descriptor, bytes]]

SIZE = 1024 * 1024 + 3
LARGE = 2 * PREFIX_STEP + 1000
"""Large enough for two prefixes."""

NEVER = [Fault(cut=0)] * 6


def partial_of(library: Library, blob: Descriptor, data: bytes, journal: str = "") -> None:
    """Leave a partial file as a killed process does."""
    path = library.partial_path(blob.digest)
    path.write_bytes(data)
    if journal:
        Path(f"{path}.journal").write_text(journal)


def journal_of(library: Library, blob: Descriptor) -> Journal:
    """The journal beside a partial file."""
    return Journal(Path(f"{library.partial_path(blob.digest)}.journal"), blob)


async def interrupted(fetch_blob: Fetch, proxy: FaultProxy, blob: Descriptor, cut: int) -> None:
    """Let a transfer end after ``cut`` bytes, with all its tries spent."""
    proxy.faults = [Fault(cut=cut), *NEVER]
    with pytest.raises(Exception, match="tries"):
        await fetch_blob(blob)
    proxy.faults = []
    proxy.requests.clear()
    proxy.sent.clear()


@pytest.mark.parametrize("flipped", [0, 1000, SIZE // 2 - 1])
async def test_a_flipped_byte_is_replaced(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch, flipped: int
) -> None:
    """A small blob begins with its first byte again."""
    blob, data = push(SIZE)
    damaged = bytearray(data[: SIZE // 2])
    damaged[flipped] ^= 1
    partial_of(library, blob, bytes(damaged))
    await fetch_blob(blob)
    assert held(library, blob) == data
    assert leftovers(library) == []


async def test_damage_costs_no_more_than_what_follows_the_last_good_mark(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """With a journal only what follows the prefix before the damage is fetched again."""
    blob, data = push(LARGE)
    damaged = bytearray(data[: 2 * PREFIX_STEP + 500])
    damaged[PREFIX_STEP + 77] ^= 1
    partial_of(library, blob, bytes(damaged))
    journal = journal_of(library, blob)
    for size in (PREFIX_STEP, 2 * PREFIX_STEP):
        journal.add(size, hashlib.sha256(data[:size]).hexdigest())
    await fetch_blob(blob)
    assert held(library, blob) == data
    assert proxy.blob_bytes <= (LARGE - PREFIX_STEP) + (LARGE - 2 * PREFIX_STEP)
    assert leftovers(library) == []


async def test_an_undamaged_part_is_not_fetched_again(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """In a later process, with nothing but the file and its journal, whose prefixes are true."""
    blob, data = push(LARGE)
    await interrupted(fetch_blob, proxy, blob, PREFIX_STEP + 12_345)
    prefixes = journal_of(library, blob).prefixes
    assert prefixes
    for size, digest in prefixes.items():
        assert digest == hashlib.sha256(data[:size]).hexdigest()
    assert await fetch_blob(blob) == LARGE - PREFIX_STEP - 12_345
    assert held(library, blob) == data
    assert proxy.blob_bytes == LARGE - PREFIX_STEP - 12_345


async def test_after_another_boot_only_marks_are_believed(
    proxy: FaultProxy,
    library: Library,
    push: Push,
    fetch_blob: Fetch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was never synced may be lost, so the part after the last prefix is fetched again."""
    blob, data = push(LARGE)
    await interrupted(fetch_blob, proxy, blob, PREFIX_STEP + 12_345)
    with monkeypatch.context() as earlier:
        earlier.setattr("rolldeck.store.journal.boot_id", lambda: "another")
        journal = journal_of(library, blob)
        journal.forget_after(0)
        journal.add(PREFIX_STEP, hashlib.sha256(data[:PREFIX_STEP]).hexdigest())
    partial_of(library, blob, data[:PREFIX_STEP] + bytes(12_345))
    await fetch_blob(blob)
    assert held(library, blob) == data
    assert proxy.blob_bytes == LARGE - PREFIX_STEP


@pytest.mark.parametrize(
    "journal",
    ["", "{", "[]\n", '{"digest": 5}\n', "\x00" * 100, '{"at": 1}\n', '{"boot": null}\n' * 3],
)
async def test_a_damaged_journal_harms_nothing(
    library: Library, push: Push, fetch_blob: Fetch, journal: str
) -> None:
    """It only helps; without it the digest decides."""
    blob, data = push(SIZE)
    partial_of(library, blob, data[:5000], journal)
    await fetch_blob(blob)
    assert held(library, blob) == data
    assert leftovers(library) == []


@pytest.mark.parametrize("extra", [0, 1, SIZE])
async def test_a_partial_as_long_as_the_blob_or_longer(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch, extra: int
) -> None:
    """A range that starts at the end is never asked for."""
    blob, data = push(SIZE)
    partial_of(library, blob, data + bytes(extra))
    await fetch_blob(blob)
    assert held(library, blob) == data
    assert len(proxy.requests) == (1 if extra else 0)
    assert all(asked is None for _, asked in proxy.requests)


async def test_a_whole_but_wrong_partial_is_replaced(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """Same size, other bytes."""
    blob, data = push(SIZE)
    partial_of(library, blob, bytes(SIZE))
    await fetch_blob(blob)
    assert held(library, blob) == data
    assert proxy.blob_bytes == SIZE


async def test_wrong_bytes_leave_nothing(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """Fetched once more from the first byte, then exit code 6; the next pull starts afresh."""
    blob, data = push(SIZE)
    wrong = Fault(change=lambda offset, piece: bytes([piece[0] ^ 1]) + piece[1:])
    proxy.faults = [wrong, wrong]
    with pytest.raises(IntegrityError):
        await fetch_blob(blob)
    assert [asked for _, asked in proxy.requests] == [None, None]
    assert leftovers(library) == []
    await fetch_blob(blob)
    assert held(library, blob) == data
