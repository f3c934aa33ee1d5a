"""Redirects: a login never leaves the registry."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rolldeck.errors import (
    DeniedError,
    UnavailableError,
)
from rolldeck.oci.address import Origin
from rolldeck.oci.call import redirect_target
from tests.oci.bench import (
    Bench,
    login,
)
from tests.servers.scripted import Asked, Scripted, ScriptedServer

REDIRECT_STATUSES = (301, 302, 303, 307, 308)


@pytest.mark.parametrize("status", REDIRECT_STATUSES)
def test_login_stays_with_the_registry(
    start_scripted: Callable[[], ScriptedServer], status: int
) -> None:
    registry, storage = start_scripted(), start_scripted()

    def guarded(asked: Asked) -> Scripted:
        if "authorization" not in asked.headers:
            return Scripted(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
        return Scripted(status, headers={"Location": f"{storage.url}/data", "Set-Cookie": "a=b"})

    registry.on("GET", "/v2/x", guarded)
    storage.on("GET", "/data", Scripted(status, headers={"Location": f"{registry.url}/back"}))
    registry.on("GET", "/back", Scripted(body=b"data"))
    assert Bench(registry, credentials=login).get().body == b"data"
    assert "authorization" in registry.asked[1].headers
    assert "authorization" not in storage.asked[0].headers
    assert "authorization" not in registry.asked[2].headers
    assert not any("cookie" in asked.headers for asked in registry.asked + storage.asked)


def test_back_at_the_registry_the_login_stays_away(
    start_scripted: Callable[[], ScriptedServer],
) -> None:
    """Port, host name and back again: the header is dropped once and for all."""
    registry, storage = start_scripted(), start_scripted()
    name = storage.host.replace("127.0.0.1", "localhost")
    challenge = {"WWW-Authenticate": 'Basic realm="r"'}
    leave = Scripted(307, headers={"Location": f"{storage.url}/a"})
    registry.on("GET", "/v2/x", Scripted(401, headers=challenge), leave)
    storage.on("GET", "/a", Scripted(307, headers={"Location": f"http://{name}/b"}))
    storage.on("GET", "/b", Scripted(307, headers={"Location": f"{registry.url}/back"}))
    registry.on("GET", "/back", Scripted(body=b"data"))
    assert Bench(registry, credentials=login).get().body == b"data"
    sent = ["authorization" in asked.headers for asked in (*registry.asked, *storage.asked)]
    assert sent == [False, True, False, False, False]


@pytest.mark.parametrize(
    "challenge",
    ['Bearer realm="STORAGE/token"', 'Bearer realm="REGISTRY/token"', 'Basic realm="r"'],
)
def test_login_asked_for_by_a_redirect_target_is_not_given(
    start_scripted: Callable[[], ScriptedServer], challenge: str
) -> None:
    registry, storage = start_scripted(), start_scripted()
    registry.on("GET", "/v2/x", Scripted(307, headers={"Location": f"{storage.url}/data"}))
    asks = challenge.replace("REGISTRY", registry.url).replace("STORAGE", storage.url)
    storage.on("GET", "/data", Scripted(401, headers={"WWW-Authenticate": asks}))
    with pytest.raises(DeniedError):
        Bench(registry, credentials=login).get()
    assert storage.paths() == ["/data"]
    assert registry.paths() == ["/v2/x"]


def test_redirects_end(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(307, headers={"Location": "/v2/x"}))
    with pytest.raises(UnavailableError, match="circles"):
        Bench(scripted).get()
    assert len(scripted.asked) == 6


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://host/x", "gopher://x", "https:///x"]
)
def test_redirect_to_other_schemes_is_refused(scripted: ScriptedServer, target: str) -> None:
    scripted.on("GET", "/v2/x", Scripted(307, headers={"Location": target}))
    with pytest.raises(UnavailableError, match="redirects"):
        Bench(scripted).get()
    assert len(scripted.asked) == 1


def test_a_signed_address_is_not_shown(scripted: ScriptedServer) -> None:
    """The query of a redirect opens what it names."""
    target = "ftp://user:canary@store.example/blob?X-Amz-Signature=canary#token=canary"
    scripted.on("GET", "/v2/x", Scripted(307, headers={"Location": target}))
    with pytest.raises(UnavailableError, match=r"store\.example/blob") as raised:
        Bench(scripted).get()
    assert "canary" not in raised.value.message


def test_redirect_never_drops_encryption() -> None:
    start = "https://registry.example/v2/x"
    with pytest.raises(UnavailableError, match="unencrypted"):
        redirect_target(start, Origin.of(start), "http://registry.example/x", "ref")
