"""Registries that handle ranges wrongly: no wrong byte is taken, and the pull ends well."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rolldeck.errors import IntegrityError
from rolldeck.oci import Descriptor
from rolldeck.oci.ranges import is_rest
from rolldeck.progress import Progress
from rolldeck.store import Library
from tests.faults.conftest import Fetch, held, leftovers
from tests.servers.fault_proxy import Fault, FaultProxy

Push = Callable[[int], tuple[Descriptor, bytes]]

SIZE = 2 * 1024 * 1024 + 11
HALF = SIZE // 2


async def test_an_ignored_range_restarts(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """A whole blob instead of its rest is taken as the whole blob."""
    blob, data = push(SIZE)
    proxy.faults = [Fault(cut=HALF), Fault(ignore_range=True)]
    progress = Progress()
    await fetch_blob(blob, progress)
    assert held(library, blob) == data
    assert progress.done == SIZE
    assert proxy.blob_bytes == HALF + SIZE


WRONG = [
    {"Content-Range": f"bytes {HALF + 1}-{SIZE - 1}/{SIZE}"},
    {"Content-Range": f"bytes {HALF}-{SIZE - 1}/{SIZE + 1}"},
    {"Content-Range": f"bytes {HALF}-{SIZE - 2}/{SIZE}"},
    {"Content-Range": f"bytes {HALF}-/{SIZE}"},
    {"Content-Range": f"items {HALF}-{SIZE - 1}/{SIZE}"},
    {"Content-Range": "bytes */*"},
    {"Content-Range": None},
    {"Content-Range": None, "Content-Type": "multipart/byteranges; boundary=x"},
    {"status": "416 Range Not Satisfiable", "Content-Range": f"bytes */{SIZE}"},
]


@pytest.mark.parametrize("headers", WRONG)
async def test_a_wrong_range_is_asked_for_again(
    proxy: FaultProxy,
    library: Library,
    push: Push,
    fetch_blob: Fetch,
    headers: dict[str, str | None],
) -> None:
    """What came before stays while the registry has another chance."""
    blob, data = push(SIZE)
    proxy.faults = [Fault(cut=HALF), Fault(headers=headers)]
    await fetch_blob(blob)
    assert held(library, blob) == data
    assert [asked for _, asked in proxy.requests] == [None, f"bytes={HALF}-", f"bytes={HALF}-"]


@pytest.mark.parametrize("headers", WRONG[:1])
async def test_a_registry_that_never_learns_gets_asked_for_the_whole(
    proxy: FaultProxy,
    library: Library,
    push: Push,
    fetch_blob: Fetch,
    headers: dict[str, str | None],
) -> None:
    """After two wrong answers nothing is asked for but the whole."""
    blob, data = push(SIZE)
    proxy.faults = [Fault(cut=HALF), Fault(headers=headers), Fault(headers=headers)]
    await fetch_blob(blob)
    assert held(library, blob) == data
    assert proxy.requests[-1][1] is None


async def test_a_rest_of_the_wrong_length_is_no_rest(
    proxy: FaultProxy, library: Library, push: Push, fetch_blob: Fetch
) -> None:
    """A Content-Length that cannot be right is wrong bytes: exit code 6 in the end."""
    blob, _ = push(SIZE)
    proxy.faults = [Fault(headers={"Content-Length": str(SIZE + 1)})] * 2
    with pytest.raises(IntegrityError):
        await fetch_blob(blob)
    assert held(library, blob) is None
    assert leftovers(library) == []


def test_content_range_is_read_strictly() -> None:
    """RFC 9110, and only what was asked for."""
    assert is_rest("bytes 5-9/10", 5, 10)
    assert is_rest("bytes 5-9/*", 5, 10)
    for wrong in ("bytes 5-9/11", "bytes 4-9/10", "bytes 5-8/10", "bytes=5-9/10", "", "bytes */10"):
        assert not is_rest(wrong, 5, 10)
    assert not is_rest(None, 5, 10)
    assert not is_rest("bytes ٥-9/10", 5, 10)
