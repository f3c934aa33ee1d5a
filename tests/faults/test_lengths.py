"""Bodies that are not what was announced, encoded ones among them: no wrong byte gets a name."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from rolldeck.errors import IntegrityError, RolldeckError
from tests.faults.conftest import KitVersion, Puller, part, parts, whole
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.registry import RunningRegistry

Lengths = Callable[[int], str]


def raw(data: bytes, *headers: str) -> Fault:
    """An answer of exactly these headers and bytes, after which the connection ends."""
    lines = "".join(f"{header}\r\n" for header in headers)
    return Fault(raw=f"HTTP/1.1 200 OK\r\nConnection: close\r\n{lines}\r\n".encode() + data)


@pytest.fixture
def data(docker_registry: RunningRegistry, kit: KitVersion) -> bytes:
    """The bytes of the kit's largest layer."""
    return docker_registry.blob_file(kit.layer.digest).read_bytes()


@pytest.mark.parametrize(
    "lengths",
    [
        lambda size: f"Content-Length: {size + 1}",
        lambda size: f"Content-Length: {size - 1}",
        lambda size: f"Content-Length: {2 * size}",
        lambda size: "Content-Length: 0",
        lambda size: "Transfer-Encoding: chunked\r\nContent-Length: 7",
    ],
    ids=["one more", "one less", "twice", "none", "beside chunks"],
)
async def test_a_wrong_length_is_wrong_bytes(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, data: bytes, lengths: Lengths
) -> None:
    """Exit code 6 after one try more; nothing of it stays."""
    proxy.faults, proxy.for_ever = [raw(data, lengths(kit.layer.size))], True
    with pytest.raises(IntegrityError) as raised:
        await puller(kit.reference)
    assert raised.value.code == 6
    assert len(proxy.requests) == 2
    assert part(kit.layer) not in parts(puller.library)
    assert not whole(puller.library, kit)


@pytest.mark.parametrize(
    "lengths",
    [
        lambda size: "Content-Length: -5",
        lambda size: f"Content-Length: {size}\r\nContent-Length: {size + 1}",
        lambda size: f"Content-Length: {size}, {size}",
        lambda size: "Content-Length: many",
    ],
    ids=["negative", "two", "a list", "no number"],
)
async def test_a_length_that_means_nothing_decides_nothing(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, data: bytes, lengths: Lengths
) -> None:
    """The bytes do: what hashes to the digest is the blob, and the pull ends well."""
    proxy.faults = [raw(data, lengths(kit.layer.size))]
    await puller(kit.reference)
    assert whole(puller.library, kit)


@pytest.mark.parametrize("size", [1, 1000, -1])
async def test_a_short_body_without_a_length_is_noticed(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, data: bytes, size: int
) -> None:
    """The end of the connection is not the end of the blob: the rest is asked for."""
    proxy.faults = [raw(data[:size])]
    await puller(kit.reference)
    assert "ended the connection after" in puller.notes[0]
    assert proxy.requests[1][1] == f"bytes={len(data[:size])}-"
    assert whole(puller.library, kit)


async def test_a_body_without_end_is_left(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, data: bytes
) -> None:
    """One byte beyond the size is enough to stop; the disk never holds more."""
    proxy.faults, proxy.for_ever = [raw(data + bytes(50_000_000))], True
    with pytest.raises(IntegrityError, match="More bytes") as raised:
        await puller(kit.reference)
    assert raised.value.code == 6
    assert len(proxy.requests) == 2
    assert part(kit.layer) not in parts(puller.library)


async def test_wrong_bytes_are_asked_for_once_more(
    proxy: FaultProxy, puller: Puller, kit: KitVersion
) -> None:
    """From the first byte; a second time they are refused, and nothing of them stays."""
    flipped = Fault(change=lambda offset, piece: bytes([piece[0] ^ 1]) + piece[1:])
    proxy.faults = [flipped]
    await puller(kit.reference)
    assert [asked for _, asked in proxy.requests] == [None, None]
    assert whole(puller.library, kit)


async def test_a_blob_that_changes_between_its_parts(
    proxy: FaultProxy, puller: Puller, kit: KitVersion
) -> None:
    """The end of another blob is found by the digest, and the whole is fetched again."""
    half = kit.layer.size // 2
    other = Fault(change=lambda offset, piece: bytes(len(piece)))
    proxy.faults = [Fault(cut=half), other]
    await puller(kit.reference)
    assert [asked for _, asked in proxy.requests] == [None, f"bytes={half}-", None]
    assert whole(puller.library, kit)


async def test_an_encoded_blob_is_no_blob(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, data: bytes
) -> None:
    """No encoding was asked for, so the raw bytes have to hash to the digest."""
    packed = gzip.compress(data)
    proxy.for_ever = True
    proxy.faults = [
        raw(packed, "Content-Encoding: gzip", f"Content-Length: {len(packed)}"),
    ]
    with pytest.raises(IntegrityError) as raised:
        await puller(kit.reference)
    assert raised.value.code == 6
    assert not whole(puller.library, kit)


async def test_a_blob_that_is_only_said_to_be_encoded(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, data: bytes
) -> None:
    """The raw bytes are the blob, so the header does not matter."""
    proxy.faults = [raw(data, "Content-Encoding: gzip", f"Content-Length: {len(data)}")]
    await puller(kit.reference)
    assert whole(puller.library, kit)


def encoded_manifest(registry: RunningRegistry, kit: KitVersion, padding: int = 0) -> Fault:
    """The kit's manifest as some registries send it: packed although nobody asked for that."""
    text = registry.blob_file(kit.digest).read_bytes() + b" " * padding
    packed = gzip.compress(text)
    kind = "Content-Type: application/vnd.oci.image.manifest.v1+json"
    return raw(packed, kind, "Content-Encoding: gzip", f"Content-Length: {len(packed)}")


async def test_an_encoded_manifest_is_decoded(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, docker_registry: RunningRegistry
) -> None:
    """Its digest is that of the decoded bytes."""
    proxy.only = "/manifests/"
    proxy.faults = [encoded_manifest(docker_registry, kit)]
    await puller(kit.reference)
    assert len(proxy.requests) == 1
    assert whole(puller.library, kit)


async def test_an_encoded_manifest_has_the_same_limit(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, docker_registry: RunningRegistry
) -> None:
    """A few kilobytes that unfold to gigabytes are read up to the limit of a manifest."""
    proxy.only, proxy.for_ever = "/manifests/", True
    proxy.faults = [encoded_manifest(docker_registry, kit, padding=64 * 1024 * 1024)]
    with pytest.raises(IntegrityError, match="larger than"):
        await puller(kit.reference)


async def test_an_encoding_that_cannot_be_decoded(
    proxy: FaultProxy, puller: Puller, kit: KitVersion
) -> None:
    """Told as an error of the registry, never as a bug."""
    proxy.only, proxy.for_ever = "/manifests/", True
    proxy.faults = [raw(b"no gzip", "Content-Encoding: gzip", "Content-Length: 7")]
    with pytest.raises(RolldeckError) as raised:
        await puller(kit.reference)
    assert raised.value.code in (5, 6)
