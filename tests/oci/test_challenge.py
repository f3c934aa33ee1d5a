"""What a 401 may say, and whom it may name."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rolldeck.errors import DeniedError
from rolldeck.oci.address import Origin
from rolldeck.oci.challenge import judge_realm, parse_challenges
from tests.oci.bench import (
    CANARY,
    Bench,
    credential,
    guarded,
    token_reply,
)
from tests.servers.scripted import Scripted, ScriptedServer


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

    def resolve(host: str | bytes, *args: Any, **options: Any) -> Any:
        if host not in ("public.example", b"public.example"):
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
