"""A blob on its way from one registry to another."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from rolldeck.errors import CancelledError, IntegrityError, NotFoundError, UnavailableError
from rolldeck.oci.source import BlobSource
from rolldeck.oci.stream import BlobStream
from rolldeck.progress import Progress
from tests.oci.bench import Open, blob_of
from tests.servers.push_server import Fault, PushServer, push_server
from tests.servers.scripted import Scripted, ScriptedServer

MIB = 1024 * 1024
DATA = random.Random(3).randbytes(5 * MIB + 3)
BLOB = blob_of(DATA)


@pytest.fixture
def server() -> Iterator[PushServer]:
    """The registry that the blob goes to."""
    with push_server() as running:
        yield running


def serve(scripted: ScriptedServer, *answers: Scripted) -> None:
    scripted.on("GET", f"/v2/a/blobs/{BLOB.digest}", *answers)


async def test_a_blob_goes_from_registry_to_registry(
    server: PushServer, scripted: ScriptedServer, open_registry: Open
) -> None:
    """Once from here, once to there, and counted once."""
    serve(scripted, Scripted(200, DATA))
    source, progress = BlobSource(open_registry(scripted), "a"), Progress()
    status = await open_registry(server).writer.push_blob("x", BLOB, source, progress)
    assert status == "pushed"
    assert server.blobs["x", BLOB.digest] == DATA
    assert scripted.sent == progress.done == len(DATA)


async def test_a_cut_of_the_source_is_not_seen_by_the_target(
    server: PushServer, scripted: ScriptedServer, open_registry: Open
) -> None:
    """The source begins again, what the target has already is not sent again."""
    serve(scripted, Scripted(200, DATA, cut=3 * MIB), Scripted(200, DATA))
    source = BlobSource(open_registry(scripted), "a")
    await open_registry(server).writer.push_blob("x", BLOB, source, Progress())
    assert server.blobs["x", BLOB.digest] == DATA
    assert server.received["PUT"] == len(DATA)


@pytest.mark.parametrize("cut", [0, MIB, 5 * MIB])
async def test_a_cut_of_the_target_costs_it_nothing(
    server: PushServer, scripted: ScriptedServer, open_registry: Open, cut: int
) -> None:
    """The source is read once more, and only the rest of it is sent."""
    serve(scripted, Scripted(200, DATA))
    server.faults = [Fault(cut=cut)]
    source = BlobSource(open_registry(scripted), "a")
    await open_registry(server).writer.push_blob("x", BLOB, source, Progress())
    assert server.blobs["x", BLOB.digest] == DATA
    assert sum(server.received.values()) == len(DATA)


async def test_a_source_that_lies_makes_no_blob(
    server: PushServer, scripted: ScriptedServer, open_registry: Open
) -> None:
    """Its last bytes are never sent, so no registry can take them for the blob."""
    serve(scripted, Scripted(200, DATA[:-1] + b"?"))
    source = BlobSource(open_registry(scripted), "a")
    with pytest.raises(IntegrityError):
        await open_registry(server).writer.push_blob("x", BLOB, source, Progress())
    assert not server.blobs
    assert server.received["PUT"] < len(DATA)


async def test_what_the_source_says_is_what_the_user_hears(
    server: PushServer, scripted: ScriptedServer, open_registry: Open
) -> None:
    """A blob that the source does not have."""
    source = BlobSource(open_registry(scripted), "a")
    with pytest.raises(NotFoundError, match=BLOB.digest):
        await open_registry(server).writer.push_blob("x", BLOB, source, Progress())


def test_only_a_few_buffers_are_held() -> None:
    """Who writes waits for who reads."""
    stream, most = BlobStream(), 0
    piece = memoryview(bytes(MIB))

    def write() -> None:
        for _ in range(40):
            stream.write(piece)
        stream.end()

    writer = threading.Thread(target=write)
    writer.start()
    buffer = memoryview(bytearray(MIB // 2))
    got = 0
    while count := stream.readinto(buffer, lambda: None):
        got += count
        most = max(most, stream._held)
    writer.join()
    assert got == 40 * MIB
    assert most <= 9 * MIB


def test_what_comes_again_is_not_handed_on_again() -> None:
    """After a rewind the writer repeats itself."""
    stream = BlobStream()
    stream.write(memoryview(b"abcdef"))
    stream.rewind(0)
    stream.write(memoryview(b"abcd"))
    stream.write(memoryview(b"efgh"))
    stream.end()
    buffer = memoryview(bytearray(100))
    assert bytes(buffer[: stream.readinto(buffer, lambda: None)]) == b"abcdefgh"


def test_a_reader_that_left_stops_the_writer() -> None:
    """At its next write."""
    stream = BlobStream()
    stream.close()
    with pytest.raises(CancelledError):
        stream.write(memoryview(b"x"))


def test_a_failure_comes_after_what_came_before_it() -> None:
    """Nothing that arrived is lost."""
    stream = BlobStream()
    stream.write(memoryview(b"ab"))
    stream.end(UnavailableError("gone"))
    buffer = memoryview(bytearray(10))
    assert stream.readinto(buffer, lambda: None) == 2
    with pytest.raises(UnavailableError, match="gone"):
        stream.readinto(buffer, lambda: None)
