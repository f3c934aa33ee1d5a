"""Tokens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest

from rolldeck.errors import DeniedError, UnavailableError
from rolldeck.oci.interrupt import Interrupt
from tests.oci.bench import (
    Bench,
    credential,
    guarded,
    token_reply,
)
from tests.servers.scripted import Asked, Scripted, ScriptedServer


def test_token_without_login_and_reused(scripted: ScriptedServer) -> None:
    guarded(scripted, f"{scripted.url}/token")
    scripted.on("GET", "/token.*", token_reply())
    bench = Bench(scripted)
    assert [bench.get().body for _ in range(3)] == [b"ok"] * 3
    assert "authorization" not in scripted.asked[1].headers
    assert len([path for path in scripted.paths() if path.startswith("/token")]) == 1


def test_expired_token_is_refreshed_once_for_all(scripted: ScriptedServer) -> None:
    valid = ["token-1"]
    together = threading.Barrier(8, timeout=10)

    def answer(asked: Asked) -> Scripted:
        if asked.headers.get("authorization") == f"Bearer {valid[0]}":
            return Scripted(body=b"ok")
        if valid[0] == "token-2":
            together.wait()
        challenge = f'Bearer realm="{scripted.url}/token"'
        return Scripted(401, headers={"WWW-Authenticate": challenge})

    scripted.on("GET", "/v2/x", answer)
    scripted.on("GET", "/token.*", token_reply("token-1"), token_reply("token-2"))
    bench = Bench(scripted)
    bench.get()
    valid[0] = "token-2"
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: bench.get().body, range(8)))
    assert replies == [b"ok"] * 8
    assert len([path for path in scripted.paths() if path.startswith("/token")]) == 2


def test_second_401_is_final(scripted: ScriptedServer) -> None:
    guarded(scripted, f"{scripted.url}/token", tokens=())
    scripted.on("GET", "/token.*", token_reply())
    with pytest.raises(DeniedError) as raised:
        Bench(scripted, credentials=credential()).get()
    assert len(scripted.asked) == 3
    assert "as user" in raised.value.message
    assert "login" in (raised.value.hint or "")


def test_identity_token_goes_by_post(scripted: ScriptedServer) -> None:
    guarded(scripted, f"{scripted.url}/token")
    scripted.on("POST", "/token", Scripted(body=b'{"access_token": "token-1"}'))
    Bench(scripted, credentials=credential(basic=False, identity=True)).get()
    form = parse_qs(scripted.asked[1].body.decode())
    assert form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == ["canary-identity"]
    assert scripted.asked[1].path == "/token"


def test_identity_token_falls_back_to_get(scripted: ScriptedServer) -> None:
    guarded(scripted, f"{scripted.url}/token")
    scripted.on("GET", "/token.*", token_reply())
    Bench(scripted, credentials=credential(identity=True)).get()
    assert [asked.method for asked in scripted.asked] == ["GET", "POST", "GET", "GET"]
    assert "canary-identity" not in str(scripted.paths())


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"token": 1}', b'{"token": "a b"}', b'{"token": "a\\r\\nX: y"}'],
)
def test_answers_that_hold_no_token(scripted: ScriptedServer, body: bytes) -> None:
    guarded(scripted, f"{scripted.url}/token")
    scripted.on("GET", "/token.*", Scripted(body=body))
    with pytest.raises(UnavailableError, match="without a token"):
        Bench(scripted).get()


def test_token_server_that_is_busy_is_asked_again(scripted: ScriptedServer) -> None:
    guarded(scripted, f"{scripted.url}/token")
    scripted.on("GET", "/token.*", Scripted(503), token_reply())
    bench = Bench(scripted)
    assert bench.get().body == b"ok"
    assert bench.slept == [0.5]


def test_token_server_that_redirects_is_not_followed(
    start_scripted: Callable[[], ScriptedServer],
) -> None:
    registry, other = start_scripted(), start_scripted()
    guarded(registry, f"{registry.url}/token")
    registry.on("GET", "/token.*", Scripted(307, headers={"Location": f"{other.url}/t"}))
    with pytest.raises(UnavailableError):
        Bench(registry, credentials=credential()).get()
    assert other.asked == []


def test_basic_without_login_names_the_way_out(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(401, headers={"WWW-Authenticate": 'Basic realm="r"'}))
    with pytest.raises(DeniedError, match="without a login") as raised:
        Bench(scripted).get()
    assert len(scripted.asked) == 1
    assert f"rolldeck login {scripted.host}" in (raised.value.hint or "")


def test_refused_basic_login_is_sent_once(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(401, headers={"WWW-Authenticate": 'Basic realm="r"'}))
    bench = Bench(scripted, credentials=credential())
    with pytest.raises(DeniedError):
        bench.get()
    assert len(scripted.asked) == 2


def test_no_secret_in_an_error(scripted: ScriptedServer) -> None:
    guarded(scripted, f"{scripted.url}/token", tokens=())
    scripted.on("GET", "/token.*", token_reply("canary-token"))
    bench = Bench(scripted, credentials=credential())
    with pytest.raises(DeniedError) as raised:
        bench.transport.request(bench.call(), 10, Interrupt())
    shown = f"{raised.value!r} {raised.value.message} {raised.value.hint}"
    assert "canary" not in shown
