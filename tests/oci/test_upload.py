"""Uploading a blob: the requests it takes, and what a registry may do in between."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from rolldeck.errors import DeniedError, IntegrityError, NotFoundError, UnavailableError
from rolldeck.oci import BlobStatus, LayoutRegistry
from rolldeck.oci.source import BlobSource
from rolldeck.oci.upload import LARGEST_CHUNK
from rolldeck.progress import Progress
from tests.oci.bench import Open, blob_of
from tests.servers.push_server import Fault, PushServer, push_server

MIB = 1024 * 1024
SIZE = 3 * MIB + 7
DATA = random.Random(7).randbytes(SIZE)
BLOB = blob_of(DATA)

Push = Callable[..., Awaitable[BlobStatus]]


@pytest.fixture
def server() -> Iterator[PushServer]:
    """A registry that takes uploads."""
    with push_server() as running:
        yield running


@pytest.fixture
def push(server: PushServer, open_registry: Open, tmp_path: Path) -> Push:
    """Push a blob, by default ``BLOB``, out of a layout that has ``kept`` in its place."""
    layout = LayoutRegistry(tmp_path / "layout")
    registry = open_registry(server)

    async def run(
        data: bytes = DATA,
        progress: Progress | None = None,
        kept: bytes | None = None,
        **more: object,
    ) -> BlobStatus:
        blob = blob_of(data)
        path = layout.blob_path(blob.digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if kept is None else kept)
        source = BlobSource(layout, "")
        return await registry.writer.push_blob("x", blob, source, progress or Progress(), **more)

    return run


def arrived(server: PushServer) -> bool:
    return server.blobs.get(("x", BLOB.digest)) == DATA


async def test_one_put_sends_everything(server: PushServer, push: Push) -> None:
    """HEAD, POST, PUT; each byte once."""
    progress = Progress()
    assert await push(progress=progress) == "pushed"
    assert [method for method, _ in server.log] == ["HEAD", "POST", "PUT"]
    assert server.received["PUT"] == progress.done == SIZE
    assert arrived(server)


async def test_what_is_there_is_not_sent(server: PushServer, push: Push) -> None:
    """One HEAD, and the progress is whole."""
    server.blobs["x", BLOB.digest] = DATA
    progress = Progress()
    assert await push(progress=progress) == "present"
    assert [method for method, _ in server.log] == ["HEAD"]
    assert progress.done == SIZE


async def test_an_empty_blob(server: PushServer, push: Push) -> None:
    """No byte, but a digest."""
    assert await push(b"") == "pushed"
    assert server.blobs["x", blob_of(b"").digest] == b""


async def test_a_blob_is_mounted_from_another_repository(server: PushServer, push: Push) -> None:
    """201 to the POST: nothing is sent."""
    server.blobs["other/y", BLOB.digest] = DATA
    progress = Progress()
    assert await push(mount_from="other/y", progress=progress) == "mounted"
    assert server.log[1] == ("POST", f"/v2/x/blobs/uploads/?mount={BLOB.digest}&from=other%2Fy")
    assert not server.received
    assert progress.done == SIZE
    assert arrived(server)


async def test_a_mount_that_is_not_done_is_an_upload(server: PushServer, push: Push) -> None:
    """202 to the POST has begun an upload; it is used, not begun once more."""
    assert await push(mount_from="other") == "pushed"
    assert server.methods()["POST"] == 1
    assert arrived(server)


@pytest.mark.parametrize("style", ["relative", "absolute"])
async def test_the_location_is_used_verbatim(server: PushServer, push: Push, style: str) -> None:
    """Relative or absolute, with its query, to which the digest is added."""
    server.locations = style
    await push()
    assert server.log[-1] == ("PUT", f"/v2/x/blobs/uploads/1?state=0&digest={BLOB.digest}")


async def test_an_upload_without_a_location_is_the_registrys_fault(
    server: PushServer, push: Push
) -> None:
    """Exit code 5, and it says so."""
    server.locations = "none"
    with pytest.raises(UnavailableError, match="without saying where"):
        await push()


async def test_another_host_gets_the_bytes_but_no_login(server: PushServer, push: Push) -> None:
    """As with storage that the registry sends its clients to."""
    server.tokens = ["canary-token"]
    with push_server() as storage:
        storage.uploads["1"] = bytearray()
        server.locations = storage.host
        await push()
        assert storage.received["PUT"] == SIZE
        assert {authorization for _, authorization in storage.seen} == {None}
    assert ("/v2/x/blobs/uploads/", "Bearer canary-token") in server.seen


@pytest.mark.parametrize("status", [413, 416])
async def test_a_registry_that_takes_only_parts(
    server: PushServer, push: Push, status: int
) -> None:
    """PATCHes of 4 MiB with inclusive ranges, then a PUT without a body."""
    data = random.Random(1).randbytes(9 * MIB)
    server.largest, server.too_large = LARGEST_CHUNK, status
    assert await push(data) == "pushed"
    assert server.ranges == ["0-4194303", "4194304-8388607", "8388608-9437183"]
    assert server.log[-1][0] == "PUT"
    assert server.received == {"PATCH": len(data)}
    assert server.blobs["x", blob_of(data).digest] == data


async def test_the_next_blob_is_sent_in_parts_at_once(server: PushServer, push: Push) -> None:
    """What a registry does not take is tried once, not once per blob."""
    server.largest = LARGEST_CHUNK
    await push(random.Random(1).randbytes(9 * MIB))
    refused = [path for method, path in server.log if method == "PUT"]
    await push(random.Random(2).randbytes(9 * MIB))
    assert len([path for method, path in server.log if method == "PUT"]) == len(refused) + 1


async def test_parts_shrink_until_they_are_taken(server: PushServer, push: Push) -> None:
    """A proxy in front of a registry often takes 1 MiB."""
    server.largest, server.too_large = MIB, 413
    assert await push() == "pushed"
    assert server.ranges[-4:] == [
        "0-1048575",
        "1048576-2097151",
        "2097152-3145727",
        "3145728-3145734",
    ]
    assert arrived(server)


async def test_parts_are_as_large_as_the_registry_wants_them(
    server: PushServer, push: Push
) -> None:
    """OCI-Chunk-Min-Length wins over our own size."""
    data = random.Random(1).randbytes(12 * MIB)
    server.largest, server.least = 6 * MIB, 5 * MIB
    await push(data)
    assert server.ranges == ["0-5242879", "5242880-10485759", "10485760-12582911"]


async def test_a_part_taken_only_in_part(server: PushServer, push: Push) -> None:
    """The Range of the answer tells where to go on."""
    data = random.Random(1).randbytes(5 * MIB)
    server.largest = LARGEST_CHUNK
    server.faults = [None, Fault(short=MIB)]
    await push(data)
    assert server.ranges[:2] == ["0-4194303", "1048576-5242879"]
    assert server.blobs["x", blob_of(data).digest] == data


@pytest.mark.parametrize("cut", [0, 2, 65_536, MIB, SIZE - 1, SIZE])
async def test_after_a_cut_only_the_rest_is_sent(server: PushServer, push: Push, cut: int) -> None:
    """GET tells how much came, and no byte is sent twice."""
    server.faults = [Fault(cut=cut)]
    progress = Progress()
    assert await push(progress=progress) == "pushed"
    assert arrived(server)
    assert progress.done == SIZE
    assert sum(server.received.values()) == SIZE


async def test_a_range_that_can_mean_two_things(server: PushServer, push: Push) -> None:
    """``0-0`` is what registries say of one byte and of none: taken for none, it is found out."""
    server.faults = [Fault(cut=1)]
    assert await push() == "pushed"
    assert arrived(server)
    assert server.methods()["POST"] == 2


async def test_an_upload_that_is_lost_begins_again(server: PushServer, push: Push) -> None:
    """404: from the first byte, in the same try."""
    server.faults = [Fault(lose=True)]
    assert await push() == "pushed"
    assert server.methods()["POST"] == 2
    assert arrived(server)


async def test_a_registry_that_loses_every_upload_is_given_up(
    server: PushServer, push: Push
) -> None:
    """Exit code 5 after the tries of the policy."""
    server.faults = [Fault(lose=True)] * 100
    with pytest.raises(UnavailableError, match="lost the upload"):
        await push()
    assert server.methods()["POST"] == 12


async def test_only_the_last_answer_was_cut(server: PushServer, push: Push) -> None:
    """The blob is there, so it is not sent once more."""
    server.faults = [Fault(silent=True)]
    assert await push() == "pushed"
    assert sum(server.received.values()) == SIZE


@pytest.mark.parametrize("status", [500, 502, 503, 429])
async def test_a_bad_moment_passes(server: PushServer, push: Push, status: int) -> None:
    """Server errors and being asked to slow down are tried again."""
    server.faults = [Fault(status=status)] * 3
    assert await push() == "pushed"
    assert arrived(server)


async def test_a_refusal_is_final(server: PushServer, push: Push) -> None:
    """400 for a reason of its own is said, not repeated."""
    server.faults = [Fault(status=400, code="DENIED_BY_POLICY")] * 9
    with pytest.raises(UnavailableError, match="DENIED_BY_POLICY"):
        await push()
    assert server.methods()["PUT"] == 1


async def test_a_token_that_expires_midway_is_renewed(server: PushServer, push: Push) -> None:
    """401 to a PATCH: a new token, the same part again."""
    data = random.Random(1).randbytes(12 * MIB)
    server.tokens, server.largest, server.expire_after = ["one", "two"], LARGEST_CHUNK, 2
    assert await push(data) == "pushed"
    assert len(server.scopes) == 2
    assert server.blobs["x", blob_of(data).digest] == data
    assert server.received["PATCH"] == len(data)


async def test_the_token_is_for_both_repositories_of_a_mount(
    server: PushServer, push: Push
) -> None:
    """Else the registry could not look into the other one."""
    server.tokens = ["one"]
    server.blobs["other", BLOB.digest] = DATA
    assert await push(mount_from="other") == "mounted"
    assert set(server.scopes[-1].split()) == {
        "repository:x:pull,push",
        "repository:other:pull",
    }


async def test_who_may_not_push_is_told(server: PushServer, push: Push) -> None:
    """Exit code 4, after one new token and no more."""
    server.faults = [Fault(status=403, code="DENIED")]
    with pytest.raises(DeniedError):
        await push()


async def test_a_damaged_file_is_never_a_blob(server: PushServer, push: Push) -> None:
    """The registry refuses it, and what is said is that the local copy is damaged."""
    rotten = DATA[:1000] + bytes([DATA[1000] ^ 1]) + DATA[1001:]
    with pytest.raises(IntegrityError, match="Digest mismatch") as caught:
        await push(kept=rotten)
    assert "local copy is damaged" in str(caught.value.hint)
    assert not server.blobs


async def test_bytes_changed_on_the_way_are_sent_once_more(server: PushServer, push: Push) -> None:
    """The file is whole, so it was the line: once, then exit code 6."""
    server.faults = [Fault(status=400, code="DIGEST_INVALID")]
    assert await push() == "pushed"
    server.blobs.clear()
    server.faults = [None, *[Fault(status=400, code="DIGEST_INVALID")] * 3]
    with pytest.raises(IntegrityError, match="arrives damaged"):
        await push()


async def test_a_file_of_another_size_is_not_sent(server: PushServer, push: Push) -> None:
    """Exit code 6 before an upload begins to take bytes."""
    with pytest.raises(IntegrityError, match="should have"):
        await push(kept=DATA[:-1])
    assert not server.received


async def test_a_blob_that_is_not_there(
    server: PushServer, open_registry: Open, tmp_path: Path
) -> None:
    """Exit code 3, naming the digest."""
    source = BlobSource(LayoutRegistry(tmp_path), "")
    with pytest.raises(NotFoundError, match=BLOB.digest):
        await open_registry(server).writer.push_blob("x", BLOB, source, Progress())
