"""Registries that refuse, that are busy or that break: what a pull does, and what stays."""

from __future__ import annotations

import math
from email.utils import formatdate

import pytest

from rolldeck.errors import DeniedError, NotFoundError, UnavailableError
from tests.faults.conftest import KitVersion, Puller, part, parts, whole
from tests.servers.fault_proxy import Fault, FaultProxy

BUSY = ["429 Too Many Requests", "503 Service Unavailable"]
NOW = 1_800_000_000


def dated(seconds: float) -> str:
    """A Retry-After that is a date, so many seconds after the answer's own."""
    return f"Date: {formatdate(NOW, usegmt=True)}\nRetry-After: {formatdate(NOW + seconds)}"


@pytest.mark.parametrize("status", BUSY)
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("Retry-After: 2", 2),
        ("Retry-After: 600", 600),
        (dated(30), 30),
        (dated(-30), 0.5),
        ("Retry-After: soon", 0.5),
        ("Retry-After: -5", 0.5),
        ("Retry-After: 1e9", 0.5),
        ("Retry-After: 0", 0.5),
        ("", 0.5),
    ],
)
async def test_a_pull_waits_as_long_as_it_is_asked(
    proxy: FaultProxy,
    puller: Puller,
    kit: KitVersion,
    status: str,
    headers: str,
    seconds: float,
) -> None:
    """Never earlier, and the user sees for how long; what cannot be read asks for nothing."""
    proxy.faults = [Fault.status(status, headers)]
    await puller(kit.reference)
    assert puller.slept == [seconds]
    shown = "10 min" if seconds == 600 else f"{math.ceil(seconds)} s"
    why = "for try 2 of 6: " if seconds < 1 else "as the registry asked"
    assert puller.notes[0].startswith(f"waiting {shown} {why}")
    assert whole(puller.library, kit)


@pytest.mark.parametrize("status", BUSY)
@pytest.mark.parametrize(
    ("headers", "when"), [("Retry-After: 1000000000", "11574 days"), (dated(3600), "60 min")]
)
async def test_a_wait_beyond_a_quarter_of_an_hour_is_the_users(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, status: str, headers: str, when: str
) -> None:
    """Exit code 5 with the time; not one request more."""
    proxy.faults = [Fault.status(status, headers)]
    proxy.for_ever = True
    with pytest.raises(UnavailableError) as raised:
        await puller(kit.reference)
    assert raised.value.code == 5
    assert f"Try again in {when}" in (raised.value.hint or "")
    assert puller.slept == []
    assert len(proxy.requests) == 1


async def test_waits_add_up_to_a_quarter_of_an_hour(
    proxy: FaultProxy, puller: Puller, kit: KitVersion
) -> None:
    """Each of them is short enough; together they are not."""
    proxy.faults = [Fault.status(BUSY[0], "Retry-After: 400")]
    proxy.for_ever = True
    with pytest.raises(UnavailableError):
        await puller(kit.reference)
    assert puller.slept == [400, 400]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_burst_of_errors_passes(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, status: int
) -> None:
    """Five in a row are not the end, and the pauses grow."""
    proxy.faults = [Fault.status(f"{status} X")] * 5
    await puller(kit.reference)
    assert puller.slept == [0.5, 1, 2, 4, 8]
    assert whole(puller.library, kit)


async def test_errors_without_end_end_the_pull(
    proxy: FaultProxy, puller: Puller, kit: KitVersion
) -> None:
    """Exit code 5 after six tries; what came stays, so the next pull fetches only the rest."""
    proxy.faults = [Fault(cut=1000), Fault.status("502 Bad Gateway", "", b"<html>bad gateway")]
    proxy.for_ever = True
    with pytest.raises(UnavailableError, match=r"answered 502 \(6 tries\)") as raised:
        await puller(kit.reference)
    assert raised.value.code == 5
    assert "try again later" in (raised.value.hint or "")
    assert len(proxy.requests) == 6
    assert part(kit.layer) in parts(puller.library)
    proxy.faults = []
    await puller(kit.reference)
    assert proxy.requests[-1][1] == "bytes=1000-"
    assert whole(puller.library, kit)


@pytest.mark.parametrize(("status", "code"), [("401 X", 4), ("403 X", 4), ("404 X", 3)])
async def test_a_refused_blob_ends_the_pull(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, status: str, code: int
) -> None:
    """Asked for once; nothing is named, and what came stays for a later pull."""
    proxy.faults = [Fault.status(status, "", b'{"errors": [{"code": "WHY"}]}')]
    with pytest.raises((DeniedError, NotFoundError), match=r"denied|Not found") as raised:
        await puller(kit.reference)
    assert raised.value.code == code
    assert "login" in (raised.value.hint or "")
    assert len(proxy.requests) == 1
    assert puller.slept == []
    assert not whole(puller.library, kit)
    await puller(kit.reference)
    assert whole(puller.library, kit)


@pytest.mark.parametrize(("status", "code"), [("401 X", 4), ("403 X", 4), ("404 X", 3)])
async def test_a_refused_manifest_leaves_nothing(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, status: str, code: int
) -> None:
    """For a private version many registries say that there is none: both readings are named."""
    proxy.only, proxy.methods, proxy.for_ever = "/v2/", ("GET", "HEAD"), True
    proxy.faults = [Fault.status(status, "", b"{}")]
    with pytest.raises((DeniedError, NotFoundError)) as raised:
        await puller(kit.reference)
    assert raised.value.code == code
    assert "login" in (raised.value.hint or "")
    assert kit.reference.rpartition(":")[0] in raised.value.message
    assert not puller.library.exists()


@pytest.mark.parametrize("only", ["/manifests/", "/blobs/"])
async def test_a_page_of_the_network_is_no_registry(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, only: str
) -> None:
    """A hotel's login page, with status 200, for a manifest or in the middle of a pull."""
    page = b"<!doctype html><title>Welcome</title>"
    proxy.only, proxy.methods, proxy.for_ever = only, ("GET", "HEAD"), True
    proxy.faults = [Fault.status("200 OK", "Content-Type: text/html; charset=utf-8", page)]
    with pytest.raises(UnavailableError, match="not a registry") as raised:
        await puller(kit.reference)
    assert raised.value.code == 5
    assert not whole(puller.library, kit)


async def test_a_proxy_that_wants_a_login(
    proxy: FaultProxy, puller: Puller, kit: KitVersion
) -> None:
    """407 is final and says so."""
    proxy.faults = [Fault.status("407 Proxy Authentication Required")]
    with pytest.raises(UnavailableError, match="407") as raised:
        await puller(kit.reference)
    assert raised.value.code == 5
    assert len(proxy.requests) == 1
