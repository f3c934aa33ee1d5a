"""A secret never leaves: every way to log in meets every fault, then the canary is looked for.

The servers are as hostile as can be: they repeat whatever they are sent, in every encoding, in
bodies, headers and redirects. Looked through are stdout, stderr, logs, all files that were written
(crash reports among them), and what a third server got to see.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

import pytest

from rolldeck.oci.retry import Clocks
from tests.cli.conftest import Run
from tests.oci.bench import manifest_bytes
from tests.servers.forward_proxy import ForwardProxy
from tests.servers.scripted import Asked, Scripted, ScriptedServer

CANARY = "canary"
PASSWORD = f"{CANARY}-pass:word/ä"
IDENTITY = f"{CANARY}-identity+/="
TOKEN = f"{CANARY}-token-0123456789"
PROXY_PASSWORD = f"{CANARY}-proxy"
PAIR = base64.b64encode(f"u:{PASSWORD}".encode()).decode()


@dataclass
class World:
    """The servers of one case."""

    registry: ScriptedServer
    foreign: ScriptedServer
    scheme: str
    proxy: ForwardProxy
    fault: str = "good"
    last: bytes = b""

    def challenge(self, **more: str) -> dict[str, str]:
        fields = {"realm": f"{self.registry.url}/token", "service": "s", **more}
        if self.scheme == "basic":
            return {"WWW-Authenticate": 'Basic realm="r"'}
        shown = ",".join(f'{key}="{value}"' for key, value in fields.items())
        return {"WWW-Authenticate": f"Bearer {shown}"}


def repeated(asked: Asked) -> str:
    """All that a server learnt from a request, as it came and decoded."""
    given = asked.headers.get("authorization", "")
    texts = [given, given.partition(" ")[2], asked.body.decode(), unquote_plus(asked.body.decode())]
    if given.startswith("Basic "):
        pair = base64.b64decode(given.split()[1]).decode()
        texts += [pair, pair.partition(":")[2]]
    return " ".join(texts)


def error_body(asked: Asked) -> bytes:
    return json.dumps({"errors": [{"code": "E", "message": repeated(asked)}]}).encode()


Answer = Callable[[World, Asked], Scripted]


def status(number: int, **headers: str) -> Answer:
    """Answer with a status, repeating the request."""
    return lambda world, asked: Scripted(number, error_body(asked), headers)


def redirect(target: str) -> Answer:
    """Lead elsewhere; OTHER is the third server, SAID what was sent."""

    def answer(world: World, asked: Asked) -> Scripted:
        said = quote(repeated(asked), safe="")
        goal = target.replace("OTHER", world.foreign.url).replace("SAID", said)
        return Scripted(307, error_body(asked), {"Location": goal})

    return answer


def again(world: World, asked: Asked) -> Scripted:
    return Scripted(401, error_body(asked), world.challenge(scope=f"repository:{TOKEN}:pull"))


def elsewhere(world: World, asked: Asked) -> Scripted:
    """Name a token server that nobody confirmed."""
    challenge = f'Bearer realm="{world.foreign.url}/token?{TOKEN}",error="invalid_token"'
    return Scripted(401, error_body(asked), {"WWW-Authenticate": challenge})


def text(make: Callable[[str], str], **more: Any) -> Answer:
    def answer(world: World, asked: Asked) -> Scripted:
        world.last = make(repeated(asked)).encode()
        return Scripted(body=world.last, **more)

    return answer


def header(name: str) -> Answer:
    def answer(world: World, asked: Asked) -> Scripted:
        said = repeated(asked).encode().decode("latin-1").replace("\n", " ")
        return Scripted(200, manifest_bytes(), {name: said})

    return answer


AT_THE_REGISTRY: dict[str, Answer] = {
    "good": lambda world, asked: Scripted(200, manifest_bytes()),
    "401 again": again,
    "another realm": elsewhere,
    **{f"{number}": status(number) for number in (400, 403, 404, 410, 416, 418, 500, 503)},
    "429": status(429, **{"Retry-After": "100000"}),
    "redirect": redirect("OTHER/data"),
    "signed redirect": redirect("OTHER/data?X-Amz-Signature=SAID&token=SAID"),
    "redirect to what is no address": redirect("ftp://u:SAID@x/SAID?SAID#SAID"),
    "redirect in circles": redirect("/v2/SAID"),
    "a page": text(lambda said: f"<html>{said}", headers={"Content-Type": "text/html"}),
    "not JSON": text(lambda said: said),
    "another manifest": text(lambda said: json.dumps({"schemaVersion": 2, "said": said})),
    "cut": text(lambda said: said * 50, cut=20),
    "too long": text(lambda said: said, length=5_000_000, cut=10),
    "a digest": header("Docker-Content-Digest"),
    "a type": header("Content-Type"),
    "a warning": header("Warning"),
}

AT_THE_TOKEN_SERVER: dict[str, Answer] = {
    **{f"token {number}": status(number) for number in (400, 401, 403, 404, 405, 429, 500)},
    "token redirect": redirect("OTHER/token?SAID"),
    "no token": text(lambda said: json.dumps({"error": said})),
    "token with spaces": text(lambda said: json.dumps({"token": f"{said} {said}"})),
    "token page": text(lambda said: f"<html>{said}"),
    "token cut": text(lambda said: said * 50, cut=20),
}

LOGINS = ("docker", "podman", "kit", "helper", "identity", "both", "none", "proxy", "typed")
"""Where the login comes from; ``none`` has only the token that everybody gets."""

CASES = [
    *(("bearer", login) for login in LOGINS),
    *(("basic", login) for login in LOGINS if login not in ("identity", "none")),
]


def faults_of(scheme: str) -> dict[str, Answer]:
    """The faults that can be met with a scheme."""
    return AT_THE_REGISTRY if scheme == "basic" else {**AT_THE_REGISTRY, **AT_THE_TOKEN_SERVER}


def put_login(kind: str, host: str, home: Path) -> Path | None:
    """Write a login as one of the tools keeps it; returns the file."""
    document: dict[str, Any] = {"auths": {host: {"auth": PAIR}}}
    path = home / ".docker" / "config.json"
    match kind:
        case "none" | "typed":
            return None
        case "podman":
            path = home / "run" / "containers" / "auth.json"
            document = {"auths": {f"{host}/x": {"auth": PAIR}}}
        case "kit":
            path = home / "data" / "kitops" / "credentials.json"
        case "helper":
            document = {"credsStore": "test"}
        case "identity":
            document = {"auths": {host: {"identitytoken": IDENTITY}}}
        case "both":
            document = {"auths": {host: {"auth": PAIR, "identitytoken": IDENTITY}}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a credential helper on PATH that also talks too much; no try waits."""
    program = tmp_path / "bin" / "docker-credential-test"
    program.parent.mkdir()
    answer = json.dumps({"Username": "u", "Secret": PASSWORD})
    program.write_text(f"#!/bin/sh\necho '{answer}'\necho '{answer}' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("rolldeck.oci.transport.Clocks", lambda: Clocks(sleep=lambda seconds: None))
    # So that a realm in another place is asked at all.
    monkeypatch.setattr("rolldeck.oci.connections.is_public_address", lambda address: True)
    return Path.home()


@pytest.fixture
def world(start_scripted: Callable[[], ScriptedServer], proxy_server: ForwardProxy) -> World:
    """A registry that wants a login and then does what the fault says; a third server."""
    made = World(start_scripted(), start_scripted(), "bearer", proxy_server)

    def registry(asked: Asked) -> Scripted:
        fault = made.fault
        if asked.path.startswith("/token"):
            if fault in AT_THE_TOKEN_SERVER:
                return AT_THE_TOKEN_SERVER[fault](made, asked)
            return Scripted(body=json.dumps({"token": TOKEN, "refresh_token": IDENTITY}).encode())
        if "authorization" not in asked.headers:
            return Scripted(401, error_body(asked), made.challenge())
        if asked.method == "HEAD":
            return Scripted(405)
        return AT_THE_REGISTRY.get(fault, AT_THE_REGISTRY["good"])(made, asked)

    def foreign(asked: Asked) -> Scripted:
        return Scripted(401, error_body(asked), {"WWW-Authenticate": 'Basic realm="r"'})

    for method in ("GET", "HEAD", "POST"):
        made.registry.on(method, ".*", registry)
        made.foreign.on(method, ".*", foreign)
    return made


def words_of(world: World, login: str, home: Path) -> list[str]:
    """The command line of one case."""
    host = world.registry.host
    settings = home / "settings.toml"
    settings.write_text(
        f'[registries."{host}"]\nproxy = "http://u:{PROXY_PASSWORD}@{world.proxy.host}"\n'
        if login == "proxy"
        else ""
    )
    if login == "typed":
        words = ["login", host, "-u", "u", "--password-stdin"]
    else:
        words = ["show", f"{host}/x:v1"]
    return [*words, "--settings", str(settings)]


def leaks(text: str) -> list[str]:
    """Return what of a text gives a secret away."""
    return [word for word in (CANARY, PAIR, PAIR[:20]) if word in text]


def written(root: Path, known: set[Path]) -> str:
    """Everything in files that the program wrote, with their names."""
    files = (path for path in root.rglob("*") if path.is_file() and path not in known)
    return "\n".join(f"{path}: {path.read_text(errors='replace')}" for path in files)


@pytest.mark.parametrize(("scheme", "login"), CASES)
def test_no_fault_brings_a_secret_out(
    rolldeck: Run,
    world: World,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    scheme: str,
    login: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    world.scheme = scheme
    put_login(login, world.registry.host, home)
    words = words_of(world, login, home)
    docker = home / ".docker" / "config.json"
    known = {path for path in tmp_path.rglob("*") if path.is_file()} | {docker}
    sent_secrets = 0
    for number, fault in enumerate(faults_of(scheme)):
        world.fault = fault
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PASSWORD.encode())))
        ran = rolldeck(*words, *(["--json"] if number % 2 else []))
        assert ran.code != 70, (fault, ran.err)
        assert not leaks(ran.out + ran.err), fault
        assert "Traceback" not in ran.err
        sent_secrets += sum("authorization" in one.headers for one in world.registry.asked)
        world.registry.asked.clear()
    assert sent_secrets > 5
    assert not leaks(caplog.text)
    assert not leaks(written(tmp_path, known))
    for asked in world.foreign.asked:
        assert not leaks(f"{asked.headers} {asked.body!r}")
        assert "authorization" not in asked.headers


@pytest.mark.parametrize(("scheme", "login"), CASES)
def test_a_crash_report_holds_no_secret(
    rolldeck: Run,
    world: World,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    login: str,
) -> None:
    """A bug whose exception repeats what the server said, and that is what we said."""
    world.scheme, world.fault = scheme, "not JSON"
    put_login(login, world.registry.host, home)
    words = words_of(world, login, home)
    known = {path for path in tmp_path.rglob("*") if path.is_file()}

    def broken(self: object, media_type: str, start: bytes, reference: str) -> None:
        if world.last:
            raise RuntimeError(world.last.decode())

    monkeypatch.setattr("rolldeck.oci.transport.HttpTransport.refuse_web_page", broken)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PASSWORD.encode())))
    ran = rolldeck(*words)
    assert ran.code == 70
    assert CANARY in world.last.decode()
    reports = written(home / "state", known)
    assert "RuntimeError: " in reports
    assert "***" in reports
    assert not leaks(reports + ran.out + ran.err)


def test_there_are_enough_cases() -> None:
    assert sum(len(faults_of(scheme)) for scheme, _ in CASES) >= 200
