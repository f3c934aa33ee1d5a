"""Versions received in one pass: cut, damaged, cancelled or out of space, nothing half is seen."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from rolldeck import fsops
from rolldeck.actions import Pulled, Workspace, pull, pull_unpacked
from rolldeck.errors import (
    CancelledError,
    IntegrityError,
    RefusedError,
    StorageError,
    UnavailableError,
)
from rolldeck.kit.staging_place import PREFIX
from rolldeck.oci import Place, Reference, Registry
from rolldeck.oci.follow import PREFIX_STEP
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.retry import Clocks
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.faults.test_cancel import until
from tests.kit.archives import END, file, header
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.kits import PushedKit, files_below, push_kit
from tests.servers.registry import RunningRegistry, push_blob, push_manifest

MIB = 1024 * 1024
SIZES = {"a.bin": 7 * MIB + 13, "b.json": 2000, "c.bin": 2 * MIB, "d.bin": 0}
NEVER = [Fault(cut=0)] * 6

Receive = Callable[..., Awaitable[Pulled]]
"""Pulls the version into a directory, as a new process would."""


@pytest.fixture(scope="module")
def kit(docker_registry: RunningRegistry, tmp_path_factory: pytest.TempPathFactory) -> PushedKit:
    """A version whose model's layer is a little over 8 MiB."""
    return push_kit(docker_registry, tmp_path_factory.mktemp("kit") / "c", "one/pass", SIZES)


class _Impatient(Workspace):
    """Tries again at once."""

    def _open(self, reference: Reference) -> Registry:
        if reference.place is Place.REGISTRY:
            return HttpRegistry(reference.root, clocks=Clocks(sleep=lambda seconds: None))
        return super()._open(reference)


@pytest.fixture
async def receive(
    proxy: FaultProxy, kit: PushedKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Receive]:
    """Pull through the proxy, whose faults meet the model's layer, into ``dest``."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    proxy.only = kit.model.digest
    opened: list[Workspace] = []

    async def run(
        progress: Progress | None = None, name: str = "dest", repository: str = kit.repository
    ) -> Pulled:
        workspace = _Impatient(Settings(library=tmp_path / "library"))
        opened.append(workspace)
        reference = Reference.parse(f"{proxy.host}/{repository}:v1")
        return await pull_unpacked(workspace, reference, tmp_path / name, progress or Progress())

    yield run
    for workspace in opened:
        await workspace.close()


def fetched(proxy: FaultProxy, kit: PushedKit) -> int:
    """Bytes of the model's layer that were sent."""
    return sum(count for path, count in proxy.sent.items() if kit.model.digest in path)


def hidden(tmp_path: Path) -> list[str]:
    """What lies beside the destination that nobody should see."""
    return [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


OFFSETS = [
    *(0, 1, 511, 512, 513, 1023, 1024, 1025, 65_535, MIB - 1, MIB, 3 * MIB + 5),
    *(7 * MIB + 13 + 1024, 7 * MIB + 1500, 7 * MIB + 3000, 8 * MIB, -2048, -1025, -1024, -2, -1),
]


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("offset", OFFSETS)
async def test_a_cut_anywhere_costs_nothing(
    proxy: FaultProxy, kit: PushedKit, receive: Receive, tmp_path: Path, offset: int, reset: bool
) -> None:
    """In headers, content, padding and at every border: every byte comes once."""
    offset %= kit.size
    proxy.faults = [Fault(cut=offset, reset=reset)]
    progress = Progress()
    pulled = await receive(progress)
    assert files_below(tmp_path / "dest") == kit.files
    assert hidden(tmp_path) == []
    assert len(proxy.requests) == 2
    assert progress.done == progress.total
    assert pulled.directory == tmp_path / "dest"
    assert not pulled.kept
    if not reset:
        assert proxy.requests[1][1] == (f"bytes={offset}-" if offset else None)
        assert fetched(proxy, kit) == kit.size


@pytest.mark.parametrize("offset", [600, 3 * MIB, 8 * MIB, -700, -1])
async def test_what_came_stays_for_the_next_command(
    proxy: FaultProxy, kit: PushedKit, receive: Receive, tmp_path: Path, offset: int
) -> None:
    """When the tries are spent nothing is visible, and nothing comes twice."""
    offset %= kit.size
    proxy.faults = [Fault(cut=offset), *NEVER]
    with pytest.raises(UnavailableError):
        await receive()
    assert not (tmp_path / "dest").exists()
    assert len(hidden(tmp_path)) == 1
    proxy.faults = []
    pulled = await receive()
    assert files_below(tmp_path / "dest") == kit.files
    assert hidden(tmp_path) == []
    assert fetched(proxy, kit) == kit.size
    status = {blob.digest: blob.status for blob in pulled.blobs}
    assert status.pop(kit.model.digest) == "resumed"
    assert set(status.values()) == {"present"}
    assert pulled.bytes_transferred == kit.size - offset


async def test_fifty_cuts_cost_five_percent_at_most(
    proxy: FaultProxy,
    docker_registry: RunningRegistry,
    receive: Receive,
    tmp_path: Path,
) -> None:
    """Each cut follows real progress, so none of them counts as the last try."""
    sizes = {"a": 30 * MIB, "b": 25 * MIB + 1}
    large = push_kit(docker_registry, tmp_path / "context", "one/fifty", sizes)
    proxy.only = large.model.digest
    proxy.faults = [Fault(cut=1_100_000, reset=number % 2 == 0) for number in range(50)]
    await receive(repository="one/fifty")
    assert files_below(tmp_path / "dest") == large.files
    assert len(proxy.requests) == 51
    assert fetched(proxy, large) <= 1.05 * large.size


async def test_wrong_bytes_leave_nothing(
    proxy: FaultProxy, kit: PushedKit, receive: Receive, tmp_path: Path
) -> None:
    """In content: fetched once more, then exit code 6; nothing visible, nothing hidden."""
    wrong = Fault(change=lambda at, piece: bytes([piece[0] ^ 1]) + piece[1:] if at > MIB else piece)
    proxy.faults = [wrong, wrong]
    with pytest.raises(IntegrityError):
        await receive()
    assert [asked for _, asked in proxy.requests] == [None, None]
    assert not (tmp_path / "dest").exists()
    assert hidden(tmp_path) == []
    await receive()
    assert files_below(tmp_path / "dest") == kit.files


@pytest.mark.parametrize("times", [1, 3])
async def test_a_wrong_header_is_damage_and_no_attack(
    proxy: FaultProxy, kit: PushedKit, receive: Receive, tmp_path: Path, times: int
) -> None:
    """The archive cannot be parsed: the blob is fetched as such, and its digest decides."""
    wrong = Fault(change=lambda at, piece: b"evil" + piece[4:] if at == 0 else piece)
    proxy.faults = [wrong] * times
    if times == 1:
        await receive()
        assert files_below(tmp_path / "dest") == kit.files
    else:
        with pytest.raises(IntegrityError):
            await receive()
        assert not (tmp_path / "dest").exists()
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("place", [700, MIB, 7 * MIB + 1400, -10])
async def test_damage_on_this_disk_is_found_and_replaced(
    proxy: FaultProxy, kit: PushedKit, receive: Receive, tmp_path: Path, place: int
) -> None:
    """A byte of what an earlier run left was flipped: the files are right in the end."""
    proxy.faults = [Fault(cut=kit.size - 1), *NEVER]
    with pytest.raises(UnavailableError):
        await receive()
    proxy.faults = []
    staging = tmp_path / hidden(tmp_path)[0]
    path = staging / "tree/model/a.bin"
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1
    path.write_bytes(data)
    await receive()
    assert files_below(tmp_path / "dest") == kit.files
    assert hidden(tmp_path) == []


async def test_damage_costs_no_more_than_what_follows_the_last_good_prefix(
    proxy: FaultProxy, docker_registry: RunningRegistry, receive: Receive, tmp_path: Path
) -> None:
    """Of a layer with several prefixes only the part after the damage comes again."""
    sizes = {"a": PREFIX_STEP + 5 * MIB, "b": PREFIX_STEP}
    large = push_kit(docker_registry, tmp_path / "context", "one/damage", sizes)
    proxy.only = large.model.digest
    proxy.faults = [Fault(cut=2 * PREFIX_STEP + MIB), *NEVER]
    with pytest.raises(UnavailableError):
        await receive(repository="one/damage")
    proxy.faults = []
    path = tmp_path / hidden(tmp_path)[0] / "tree/model/a"
    with path.open("r+b") as changed:
        changed.seek(PREFIX_STEP + 3 * MIB)
        changed.write(b"damage")
    await receive(repository="one/damage")
    assert files_below(tmp_path / "dest") == large.files
    again = (2 * PREFIX_STEP + MIB) - PREFIX_STEP
    rest_asked_at_once = large.size - (2 * PREFIX_STEP + MIB)
    assert fetched(proxy, large) <= large.size + again + rest_asked_at_once


@pytest.mark.parametrize("by_task", [False, True])
async def test_a_cancel_keeps_what_came(
    proxy: FaultProxy, kit: PushedKit, receive: Receive, tmp_path: Path, by_task: bool
) -> None:
    """The button in the deck and a signal cancel differently, with the same effect."""
    half = kit.size // 2
    proxy.faults = [Fault(stall=half)]
    progress = Progress()
    task = asyncio.ensure_future(receive(progress))
    await until(lambda: fetched(proxy, kit) == half and progress.done >= half)
    if by_task:
        task.cancel()
    else:
        progress.cancel()
    with pytest.raises((CancelledError, asyncio.CancelledError)):
        await asyncio.wait_for(task, 5)
    assert not (tmp_path / "dest").exists()
    proxy.faults = []
    await receive()
    assert files_below(tmp_path / "dest") == kit.files
    assert fetched(proxy, kit) == kit.size


@pytest.mark.parametrize("call", ["write", "splice", "reserve", "fsync", "rename_directory"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_errors_of_the_disk(
    kit: PushedKit,
    receive: Receive,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
) -> None:
    """Exit code 7, nothing visible; with space again the same command succeeds."""
    original = getattr(fsops, call)
    calls = []

    def fail(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) >= 3 or call in ("reserve", "rename_directory"):
            raise OSError(number, os.strerror(number))
        return original(*arguments, **options)

    with monkeypatch.context() as full:
        full.setattr(fsops, call, fail)
        with pytest.raises(StorageError):
            await receive()
    assert not (tmp_path / "dest").exists()
    await receive()
    assert files_below(tmp_path / "dest") == kit.files
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("evil", [header("evil", kind=b"2", link=b"/") + END, END[:512], b""])
async def test_a_hostile_end_is_refused(
    docker_registry: RunningRegistry, receive: Receive, kit: PushedKit, tmp_path: Path, evil: bytes
) -> None:
    """A link, a cut or nothing as the last member of a large layer: exit code 8, nothing stays."""
    from rolldeck.oci import digest_of

    stored = file("model/a", bytes(9 * MIB)) + evil
    raw = kit.manifest.raw.replace(kit.model.digest.encode(), digest_of(stored).encode())
    raw = raw.replace(str(kit.size).encode(), str(len(stored)).encode())
    for digest, data in {**kit.blobs, digest_of(stored): stored}.items():
        push_blob(docker_registry.url, "one/evil", digest, data)
    push_manifest(docker_registry.url, "one/evil", "v1", raw, kit.manifest.media_type)
    with pytest.raises(RefusedError):
        await receive(repository="one/evil")
    assert not (tmp_path / "dest").exists()
    assert hidden(tmp_path) == []


async def test_what_the_library_has_is_not_fetched(
    proxy: FaultProxy, kit: PushedKit, receive: Receive, tmp_path: Path
) -> None:
    """After a pull the same version is unpacked from the library, and stays named there."""
    workspace = _Impatient(Settings(library=tmp_path / "library"))
    await pull(workspace, Reference.parse(f"{proxy.host}/{kit.repository}:v1"), Progress())
    await workspace.close()
    proxy.requests.clear()
    pulled = await receive()
    assert proxy.requests == []
    assert pulled.kept
    assert pulled.bytes_transferred == 0
    assert files_below(tmp_path / "dest") == kit.files


async def test_a_part_that_a_pull_left_is_used(
    proxy: FaultProxy, kit: PushedKit, receive: Receive, tmp_path: Path
) -> None:
    """Then the layer goes through the library, where most of it lies already."""
    proxy.faults = [Fault(cut=kit.size - 1000), *NEVER]
    workspace = _Impatient(Settings(library=tmp_path / "library"))
    with pytest.raises(UnavailableError):
        await pull(workspace, Reference.parse(f"{proxy.host}/{kit.repository}:v1"), Progress())
    await workspace.close()
    proxy.faults = []
    pulled = await receive()
    assert fetched(proxy, kit) == kit.size
    assert pulled.kept
    assert files_below(tmp_path / "dest") == kit.files


async def test_the_library_has_the_small_blobs_and_no_name(
    kit: PushedKit, receive: Receive, tmp_path: Path
) -> None:
    """A name promises all layers; what is small is kept, and no place holder stays."""
    await receive()
    library = Workspace(Settings(library=tmp_path / "library")).library
    assert library.entries() == []
    there = {path.name for path in (tmp_path / "library/blobs/sha256").iterdir()}
    wanted = {*kit.blobs, kit.manifest.digest} - {kit.model.digest}
    assert there == {digest.partition(":")[2] for digest in wanted}
    assert list((tmp_path / "library/partial").iterdir()) == []


async def test_a_destination_in_use_is_told_before_anything_is_fetched(
    proxy: FaultProxy, receive: Receive, tmp_path: Path
) -> None:
    """Exit code 2."""
    from rolldeck.errors import UsageError

    (tmp_path / "dest").mkdir()
    (tmp_path / "dest/mine").touch()
    with pytest.raises(UsageError):
        await receive()
    assert proxy.blob_bytes < 10_000
    assert [name for name in hidden(tmp_path) if name.startswith(PREFIX)] == []
