"""Tokens."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from rolldeck.errors import DeniedError, UnavailableError, UntrustedRealmError
from rolldeck.oci.call import Call
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.scope import covers, merge_scopes
from rolldeck.oci.secret import Credential, Secret, UnusableLogin
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


def wants(server: ScriptedServer, status: int, *scopes: str) -> None:
    """Refuse every token but the last: each refusal names one of the scopes as missing."""
    refusals = iter(scopes)

    def answer(asked: Asked) -> Scripted:
        given = asked.headers.get("authorization")
        if given == f"Bearer token-{len(scopes) + 1}":
            return Scripted(body=b"ok")
        challenge = f'Bearer realm="{server.url}/token",service="s"'
        if given is None:
            return Scripted(401, headers={"WWW-Authenticate": challenge})
        challenge += f',error="insufficient_scope",scope="{next(refusals, scopes[-1])}"'
        return Scripted(status, headers={"WWW-Authenticate": challenge})

    server.on("GET", "/v2/x", answer)
    server.on("GET", "/token.*", *(token_reply(f"token-{n}") for n in range(1, 9)))


def scopes_asked(server: ScriptedServer) -> list[list[str]]:
    paths = (path for path in server.paths() if path.startswith("/token"))
    return [parse_qs(urlsplit(path).query).get("scope", []) for path in paths]


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_scope_is_asked_for_once(scripted: ScriptedServer, status: int) -> None:
    wants(scripted, status, "repository:x:push")
    bench = Bench(scripted, credentials=credential())
    assert bench.get().body == b"ok"
    assert scopes_asked(scripted) == [["repository:x:pull"], ["repository:x:pull,push"]]
    assert bench.get().body == b"ok"
    assert len(scopes_asked(scripted)) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_second_missing_scope_is_final(scripted: ScriptedServer, status: int) -> None:
    wants(scripted, status, "repository:x:push", "repository:x:delete")
    with pytest.raises(DeniedError):
        Bench(scripted, credentials=credential()).get()
    assert len(scopes_asked(scripted)) == 2


def test_a_scope_that_was_asked_for_is_not_asked_for_again(scripted: ScriptedServer) -> None:
    """How docker-registry refuses an account that may not: the same scope, still missing."""
    wants(scripted, 401, "repository:x:pull")
    with pytest.raises(DeniedError, match=r"\(scope pull\)"):
        Bench(scripted, credentials=credential()).get()
    assert len(scopes_asked(scripted)) == 1


def test_several_scopes_are_asked_for_together(scripted: ScriptedServer) -> None:
    """As for a mount: the registry names one of the two repositories."""
    guarded(scripted, f"{scripted.url}/token")
    scripted.on("GET", "/token.*", token_reply())
    bench = Bench(scripted)
    scope = "repository:x:pull,push repository:y:pull"
    call = Call("GET", "/v2/x", "ref", scope, {})
    assert bench.transport.request(call, 100, Interrupt()).body == b"ok"
    assert scopes_asked(scripted) == [["repository:x:pull,push", "repository:y:pull"]]


def test_scopes_by_post_stand_in_one_field(scripted: ScriptedServer) -> None:
    guarded(scripted, f"{scripted.url}/token")
    scripted.on("POST", "/token", token_reply())
    bench = Bench(scripted, credentials=credential(basic=False, identity=True))
    call = Call("GET", "/v2/x", "ref", "repository:y:pull repository:x:push", {})
    bench.transport.request(call, 100, Interrupt())
    form = parse_qs(scripted.asked[1].body.decode())
    assert form["scope"] == ["repository:x:pull,push repository:y:pull"]
    assert form["service"] == ["s, 1"]


def test_scopes() -> None:
    assert merge_scopes("repository:b:pull", "repository:a:push repository:b:push,pull") == (
        "repository:a:push repository:b:pull,push"
    )
    assert merge_scopes("", "repository:host:5000/x:pull") == "repository:host:5000/x:pull"
    assert covers("repository:x:pull,push", "repository:x:pull")
    assert not covers("repository:x:pull", "repository:x:pull,push")
    assert not covers("repository:x:pull", "repository:y:pull")
    assert covers("repository:x:pull", "")


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("AWS", "eyJ" + "x" * 2000),
        ("oauth2accesstoken", "ya29.canary"),
        ("_json_key", '{"type": "service_account",\n "private_key": "a:b"}'),
        ("_json_key_base64", "eyJ0eXBl=="),
        ("00000000-0000-0000-0000-000000000000", "canary-acr"),
        ("robot$team+bot", "canary:with:colons"),
        ("org+robot", "p\u00e4ssw\u00f6rt"),
    ],
)
@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
def test_user_names_of_the_clouds(
    scripted: ScriptedServer, user: str, password: str, scheme: str
) -> None:
    """They are sent as they are, to the registry or to its token server."""
    if scheme == "Bearer":
        guarded(scripted, f"{scripted.url}/token")
        scripted.on("GET", "/token.*", token_reply())
    else:
        challenge = {"WWW-Authenticate": 'Basic realm="r"'}
        scripted.on("GET", "/v2/x", Scripted(401, headers=challenge), Scripted(body=b"ok"))
    secret = Secret(f"{user}:{password}")
    bench = Bench(scripted, credentials=lambda place: Credential(user, secret, None, "test"))
    assert bench.get().body == b"ok"
    sent = scripted.asked[1].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == f"{user}:{password}"


def test_each_repository_has_its_login(scripted: ScriptedServer) -> None:
    """A login for one repository is never sent for another one."""
    places: list[str] = []

    def source(place: str) -> Credential:
        places.append(place)
        return Credential("u", Secret(f"u:of {place}"), None, "test")

    def basic(asked: Asked) -> Scripted:
        if "authorization" in asked.headers:
            return Scripted(body=base64.b64decode(asked.headers["authorization"].split()[1]))
        return Scripted(401, headers={"WWW-Authenticate": 'Basic realm="r"'})

    scripted.on("GET", "/v2/x", basic)
    bench = Bench(scripted, credentials=source)
    for name in ("team/a", "team/b", "team/a"):
        call = Call("GET", "/v2/x", "ref", f"repository:{name}:pull", {})
        body = bench.transport.request(call, 100, Interrupt()).body
        assert body.decode() == f"u:of {scripted.host}/{name}"
    assert places == [f"{scripted.host}/team/a", f"{scripted.host}/team/b"]


def test_a_helper_that_failed_is_named_where_a_login_was_needed(scripted: ScriptedServer) -> None:
    """What is public is still read; what is not says why there is no login."""
    guarded(scripted, f"{scripted.url}/token")
    scripted.on("GET", "/token.*", token_reply(), Scripted(401))

    def broken(place: str) -> Credential | None:
        raise UnusableLogin("docker-credential-x gave no login: it is not installed")

    assert Bench(scripted, credentials=broken).get().body == b"ok"
    with pytest.raises(DeniedError) as raised:
        Bench(scripted, credentials=broken).get()
    assert (raised.value.hint or "").startswith("docker-credential-x gave no login")


def test_a_login_is_kept_from_a_realm_that_nobody_confirmed(
    start_scripted: Callable[[], ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked without the login; what that opens is read, for the rest the user decides."""
    monkeypatch.setattr("rolldeck.oci.connections.is_public_address", lambda address: True)
    registry, tokens = start_scripted(), start_scripted()
    guarded(registry, f"{tokens.url}/token", tokens=("token-1",))
    tokens.on("GET", "/token.*", token_reply("token-1"), token_reply("token-2"))
    login = credential(identity=True)
    assert Bench(registry, credentials=login).get().body == b"ok"
    with pytest.raises(UntrustedRealmError) as raised:
        Bench(registry, credentials=login).get()
    assert raised.value.token_host == tokens.host
    assert f"--trust-token-host {tokens.host}" in (raised.value.hint or "")
    assert {asked.method for asked in tokens.asked} == {"GET"}
    assert not any("authorization" in asked.headers for asked in tokens.asked)
    tokens.on("POST", "/token", token_reply("token-1"))
    confirmed = Bench(registry, credentials=login, token_hosts=[tokens.host])
    assert confirmed.get().body == b"ok"
    assert "canary-identity" in tokens.asked[-1].body.decode()


def test_what_a_server_repeats_is_not_shown(scripted: ScriptedServer) -> None:
    """Neither the password nor the token, as they are or encoded, however long the answer."""

    def repeat(asked: Asked) -> Scripted:
        given = asked.headers.get("authorization", "")
        challenge = {"WWW-Authenticate": f'Bearer realm="{scripted.url}/token"'}
        return Scripted(401, given.encode() + b" " * 280 + given.encode(), challenge)

    token = "canary-" + "x" * 500
    scripted.on("GET", "/v2/x", repeat)
    scripted.on("GET", "/token.*", token_reply(token))
    with pytest.raises(DeniedError) as raised:
        Bench(scripted, credentials=credential()).get()
    assert "canary" not in raised.value.message
    assert "***" in raised.value.message
