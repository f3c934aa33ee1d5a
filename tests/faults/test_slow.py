"""Registries that hardly answer: left after a while, asked again, and nothing is fetched twice.

The timeouts are a small part of the real ones.
"""

from __future__ import annotations

import pytest

from rolldeck.errors import UnavailableError
from rolldeck.oci.call import Timeouts
from tests.faults.conftest import KitVersion, Puller, whole
from tests.servers.fault_proxy import Fault, FaultProxy

DRIP = 0.02
SHORT = {"timeouts": Timeouts(read=1, stall=1)}


@pytest.mark.parametrize("only", ["/manifests/", "/blobs/"])
async def test_headers_that_never_end(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, only: str
) -> None:
    """One byte at a time keeps every socket alive; the whole of the headers has a limit, too."""
    proxy.only, puller.settings = only, SHORT
    proxy.faults = [Fault(raw=b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000, drip=DRIP)]
    await puller(kit.reference)
    assert len(proxy.requests) >= 2
    assert puller.slept
    assert whole(puller.library, kit)


async def test_a_stalled_body(proxy: FaultProxy, puller: Puller, kit: KitVersion) -> None:
    """What came stays; the rest is asked for over another connection."""
    puller.settings = SHORT
    proxy.faults = [Fault(stall=5000)]
    await puller(kit.reference)
    assert any("stopped answering" in note for note in puller.notes)
    assert proxy.requests[1][1] == "bytes=5000-"
    assert whole(puller.library, kit)


async def test_a_trickle(proxy: FaultProxy, puller: Puller, kit: KitVersion) -> None:
    """A byte now and then is a stall as well; those that came stay."""
    puller.settings = SHORT
    proxy.faults = [Fault(drip=DRIP)]
    await puller(kit.reference)
    came = int((proxy.requests[1][1] or "bytes=0-")[6:-1])
    assert 0 < came < 1000
    assert whole(puller.library, kit)


async def test_stalls_without_end(proxy: FaultProxy, puller: Puller, kit: KitVersion) -> None:
    """Exit code 5 after six tries."""
    puller.settings = {"timeouts": Timeouts(read=0.5)}
    proxy.faults, proxy.for_ever = [Fault(stall=0)], True
    with pytest.raises(UnavailableError, match=r"stopped answering \(6 tries\)") as raised:
        await puller(kit.reference)
    assert raised.value.code == 5
    assert len(proxy.requests) == 6


async def test_a_connection_cut_within_the_headers(
    proxy: FaultProxy, puller: Puller, kit: KitVersion
) -> None:
    """What looks like an answer without headers is no answer."""
    proxy.only = "/manifests/"
    proxy.faults = [Fault(raw=b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Le")]
    await puller(kit.reference)
    assert len(puller.slept) == 1
    assert whole(puller.library, kit)
