"""Parts of blobs from a registry: exactly what was asked for, or a typed error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rolldeck.errors import IntegrityError, UnavailableError
from rolldeck.oci import SMALL_BLOB, Descriptor, Digest, LayoutRegistry, RangesIgnoredError
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.ranges import is_part
from rolldeck.oci.retry import Clocks
from tests.made_kits import MadeLayout
from tests.oci.bench import blob_of
from tests.servers.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.servers.registry import RunningRegistry, push_blob
from tests.servers.scripted import Scripted, ScriptedServer

REPOSITORY = "parts/x"
DATA = bytes(range(256)) * 4096
BLOB = blob_of(DATA)


@pytest.fixture
def proxy(docker_registry: RunningRegistry) -> Iterator[FaultProxy]:
    """A counting proxy in front of a registry that has the blob."""
    push_blob(docker_registry.url, REPOSITORY, BLOB.digest, DATA)
    with fault_proxy(docker_registry.host) as running:
        yield running


@pytest.fixture
async def registry(proxy: FaultProxy) -> AsyncIterator[HttpRegistry]:
    """The registry behind the proxy, which never waits between tries."""
    opened = HttpRegistry(proxy.host, clocks=Clocks(sleep=lambda seconds: None))
    yield opened
    await opened.close()


@pytest.mark.parametrize(("start", "size"), [(0, 1), (0, 100), (70_000, 5000), (len(DATA) - 1, 1)])
async def test_a_part_costs_its_bytes(
    proxy: FaultProxy, registry: HttpRegistry, start: int, size: int
) -> None:
    """One request, and no byte more than the part has."""
    assert await registry.read_range(REPOSITORY, BLOB, start, size) == DATA[start : start + size]
    assert [asked for _, asked in proxy.requests] == [f"bytes={start}-{start + size - 1}"]
    assert proxy.blob_bytes == size


async def test_a_whole_blob_instead_is_cut_off_and_remembered(
    proxy: FaultProxy, registry: HttpRegistry
) -> None:
    """What is needed is taken out of it once; then the registry is not asked for parts again."""
    proxy.faults = [Fault(ignore_range=True)] * 9
    assert await registry.read_range(REPOSITORY, BLOB, 1000, 10) == DATA[1000:1010]
    with pytest.raises(RangesIgnoredError):
        await registry.read_range(REPOSITORY, BLOB, 2000, 10)
    assert len(proxy.requests) == 1
    assert await registry.read_range(REPOSITORY, BLOB, 0, 10) == DATA[:10]


async def test_a_part_too_far_inside_of_a_whole_blob_is_not_fetched(
    scripted: ScriptedServer,
) -> None:
    """Gigabytes are not read to throw them away."""
    size = 4 * SMALL_BLOB
    blob = Descriptor("application/x", BLOB.digest, size)
    scripted.on("GET", ".*", Scripted(body=b"x" * 10, length=size, stall=10))
    registry = HttpRegistry(scripted.host)
    with pytest.raises(RangesIgnoredError):
        await registry.read_range(REPOSITORY, blob, SMALL_BLOB, 10)
    await registry.close()


LIES: list[dict[str, str | None]] = [
    {"Content-Range": f"bytes 1001-1010/{len(DATA)}"},
    {"Content-Range": f"bytes 1000-1010/{len(DATA)}"},
    {"Content-Range": f"bytes 1000-1009/{len(DATA) + 1}"},
    {"Content-Range": f"items 1000-1009/{len(DATA)}"},
    {"Content-Range": None},
    {"status": "416 Range Not Satisfiable"},
]


@pytest.mark.parametrize("headers", LIES)
async def test_a_lie_about_the_part_is_asked_again_then_given_up(
    proxy: FaultProxy, registry: HttpRegistry, headers: dict[str, str | None]
) -> None:
    """No byte of an answer is taken that is not said to be the part."""
    proxy.faults = [Fault(headers=headers)]
    assert await registry.read_range(REPOSITORY, BLOB, 1000, 10) == DATA[1000:1010]
    proxy.faults = [Fault()] * 2 + [Fault(headers=headers)] * 2
    with pytest.raises(RangesIgnoredError):
        await registry.read_range(REPOSITORY, BLOB, 1000, 10)
    assert len(proxy.requests) == 4


async def test_a_part_that_breaks_off_is_asked_for_again(
    proxy: FaultProxy, registry: HttpRegistry
) -> None:
    """As every request that may pass the next time."""
    proxy.faults = [Fault(cut=3)]
    assert await registry.read_range(REPOSITORY, BLOB, 50, 10) == DATA[50:60]
    assert len(proxy.requests) == 2
    proxy.faults = [Fault(cut=3)] * 9
    with pytest.raises(UnavailableError):
        await registry.read_range(REPOSITORY, BLOB, 50, 10)


async def test_a_part_of_another_length_is_wrong(proxy: FaultProxy, registry: HttpRegistry) -> None:
    """A Content-Length that cannot be right is no matter of trying again."""
    proxy.faults = [Fault(headers={"Content-Length": "11"})]
    with pytest.raises(IntegrityError):
        await registry.read_range(REPOSITORY, BLOB, 50, 10)


async def test_a_redirect_takes_the_range_along(
    scripted: ScriptedServer, proxy: FaultProxy
) -> None:
    """Registries keep blobs elsewhere: the part is asked for there."""
    url = f"http://{proxy.host}/v2/{REPOSITORY}/blobs/{BLOB.digest}"
    scripted.on("GET", ".*", Scripted(307, headers={"Location": url}))
    registry = HttpRegistry(scripted.host)
    assert await registry.read_range(REPOSITORY, BLOB, 300, 20) == DATA[300:320]
    await registry.close()
    assert proxy.blob_bytes == 20


async def test_a_layout_reads_parts_too(tmp_path: Path) -> None:
    """And says where its blob is shorter than it should be."""
    made = MadeLayout(tmp_path / "layout")
    found = made.blob("application/x", DATA)
    layout = LayoutRegistry(made.root)
    assert await layout.read_range("", BLOB, 500, 7) == DATA[500:507]
    longer = Descriptor("application/x", Digest(found["digest"]), len(DATA) + 5)
    with pytest.raises(IntegrityError):
        await layout.read_range("", longer, len(DATA), 5)


def test_content_range_of_a_part_is_read_strictly() -> None:
    """RFC 9110, and only what was asked for."""
    assert is_part("bytes 5-9/20", 5, 5, 20)
    assert is_part("bytes 5-9/*", 5, 5, 20)
    for wrong in (
        "bytes 5-9/21",
        "bytes 4-9/20",
        "bytes 5-8/20",
        "bytes 5-19/20",
        "",
        "bytes */20",
    ):
        assert not is_part(wrong, 5, 5, 20)
