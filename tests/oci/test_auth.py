"""Tokens, and who may be asked for them."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rolldeck.errors import DeniedError, UnavailableError
from rolldeck.oci.address import Origin
from rolldeck.oci.challenge import judge_realm, parse_challenges
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.secret import Credential, Secret
from tests.oci.test_transport import Bench
from tests.servers.scripted import Asked, Scripted, ScriptedServer

CANARY = "canary-password"


def credential(*, basic: bool = True, identity: bool = False) -> Callable[[str], Credential]:
    return lambda host: Credential(
        "user",
        Secret(f"user:{CANARY}") if basic else None,
        Secret("canary-identity") if identity else None,
        "test",
    )


def token_reply(token: str = "token-1", **more: Any) -> Scripted:
    return Scripted(body=json.dumps({"token": token, **more}).encode())


def guarded(server: ScriptedServer, realm: str, tokens: tuple[str, ...] = ("token-1",)) -> None:
    """Answer /v2/x only with one of the tokens."""

    def answer(asked: Asked) -> Scripted:
        if asked.headers.get("authorization") in {f"Bearer {token}" for token in tokens}:
            return Scripted(body=b"ok")
        challenge = f'Bearer realm="{realm}",service="s, 1",scope="repository:x:pull"'
        return Scripted(401, headers={"WWW-Authenticate": challenge})

    server.on("GET", "/v2/x", answer)


# --- parsing


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Bearer realm="https://a/t",service="s"', [("bearer", {"realm": "https://a/t"})]),
        ('bearer realm="a,b=\\"c\\"", service=x', [("bearer", {"realm": 'a,b="c"'})]),
        ('Basic realm="r", Bearer realm="t"', [("basic", {"realm": "r"}), ("bearer", {})]),
        ("Negotiate, Basic realm=r", [("negotiate", {}), ("basic", {"realm": "r"})]),
        ("Negotiate abc==, Basic realm=r", [("negotiate", {}), ("basic", {"realm": "r"})]),
        ("Negotiate", [("negotiate", {})]),
        (', ,Basic realm="r",,', [("basic", {"realm": "r"})]),
        ("", []),
        ('Bearer realm="unclosed', []),
        ('Bearer realm="a" realm="b"', []),
        ('realm="a"', []),
        ("Bearer realm==x,y=", []),
        ("Bearer \x00", []),
        ("Basic " + "a=b, " * 5000, []),
    ],
)
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    found = parse_challenges([header])
    assert [challenge.scheme for challenge in found] == [scheme for scheme, _ in expected]
    for challenge, (_, parameters) in zip(found, expected, strict=True):
        assert parameters.items() <= challenge.parameters.items()


def test_a_malformed_header_does_not_hide_another() -> None:
    found = parse_challenges(['Bearer realm="', 'Basic realm="r"'])
    assert [challenge.scheme for challenge in found] == ["basic"]


# --- C1: realms

REGISTRY = Origin.of("https://registry.example")


@pytest.mark.parametrize(
    ("realm", "trusted", "public_only"),
    [
        ("https://registry.example/token", True, False),
        ("https://registry.example:443/token", True, False),
        ("https://registry.example:8443/token", False, True),
        ("https://auth.registry.example/token", False, True),
        ("https://named.example/token", True, False),
        ("https://named.example:444/token", False, True),
        ("https://127.0.0.1/token", False, True),
    ],
)
def test_which_realms_are_trusted(realm: str, trusted: bool, public_only: bool) -> None:
    judged = judge_realm(REGISTRY, realm, ["Named.example"])
    assert (judged.trusted, judged.public_only) == (trusted, public_only)


def test_docker_hub_has_its_token_server() -> None:
    hub = Origin.of("https://registry-1.docker.io")
    assert judge_realm(hub, "https://auth.docker.io/token", ()).trusted
    assert not judge_realm(hub, "https://auth.docker.io.evil.example/token", ()).trusted
    assert not judge_realm(REGISTRY, "https://auth.docker.io/token", ()).trusted


@pytest.mark.parametrize(
    "realm",
    [
        "",
        "token",
        "//host/t",
        "https:///t",
        "file:///etc/passwd",
        "http://registry.example/t",
        "https://u:p@registry.example/t",
        "https://registry.example/t#f",
        "https://a\\b/t",
    ],
)
def test_realms_that_are_never_asked(realm: str) -> None:
    with pytest.raises(DeniedError):
        judge_realm(REGISTRY, realm, ())


def test_realm_in_the_private_network_gets_no_request(
    start_scripted: Callable[[], ScriptedServer],
) -> None:
    registry, inside = start_scripted(), start_scripted()
    guarded(registry, f"{inside.url}/token")
    inside.on("GET", "/token.*", token_reply())
    with pytest.raises(DeniedError, match="private network") as raised:
        Bench(registry, credentials=credential()).get()
    assert inside.asked == []
    assert inside.host in (raised.value.hint or "")


def test_name_that_leads_into_the_private_network_gets_no_request(
    start_scripted: Callable[[], ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, inside = start_scripted(), start_scripted()
    port = int(inside.host.rpartition(":")[2])
    guarded(registry, f"http://public.example:{port}/token")
    real = socket.getaddrinfo

    def resolve(host: str, *args: Any, **options: Any) -> Any:
        if host != "public.example":
            return real(host, *args, **options)
        return [*real("8.8.8.8", port, type=socket.SOCK_STREAM), *real("127.0.0.1", port)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(DeniedError, match="private network"):
        Bench(registry, credentials=credential()).get()
    assert inside.asked == []


def test_named_token_host_gets_the_login(start_scripted: Callable[[], ScriptedServer]) -> None:
    registry, tokens = start_scripted(), start_scripted()
    guarded(registry, f"{tokens.url}/token?x=1")
    tokens.on("GET", "/token.*", token_reply())
    bench = Bench(registry, credentials=credential(), token_hosts=[tokens.host])
    assert bench.get().body == b"ok"
    asked = tokens.asked[0]
    expected = base64.b64encode(f"user:{CANARY}".encode()).decode()
    assert asked.headers["authorization"] == f"Basic {expected}"
    assert parse_qs(urlsplit(asked.path).query) == {
        "x": ["1"],
        "service": ["s, 1"],
        "scope": ["repository:x:pull"],
        "account": ["user"],
    }


def test_stranger_gets_no_login(
    start_scripted: Callable[[], ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, stranger = start_scripted(), start_scripted()
    guarded(registry, f"{stranger.url}/token")
    stranger.on("GET", "/token.*", token_reply(), Scripted(401))
    monkeypatch.setattr("rolldeck.oci.connections.is_public_address", lambda address: True)
    bench = Bench(registry, credentials=credential())
    assert bench.get().body == b"ok"
    assert "authorization" not in stranger.asked[0].headers
    with pytest.raises(DeniedError) as raised:
        Bench(registry, credentials=credential()).get()
    assert "token_hosts" in (raised.value.hint or "")
    assert CANARY not in repr(raised.value.args)


# --- tokens


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
    assert f"docker login {scripted.host}" in (raised.value.hint or "")


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
