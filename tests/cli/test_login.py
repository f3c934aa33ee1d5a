"""login and logout: tried first, saved where Docker finds it, nothing else touched."""

from __future__ import annotations

import base64
import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rolldeck.oci.credentials import CredentialFiles
from rolldeck.oci.token_hosts import confirm_token_host, confirmed_token_hosts
from tests.cli.conftest import Ran, Run
from tests.servers.registry import PASSWORD, USER, RunningRegistry
from tests.servers.scripted import Scripted, ScriptedServer
from tests.servers.token_server import TokenServer

Login = Callable[..., Ran]


@pytest.fixture
def log_in(rolldeck: Run, monkeypatch: pytest.MonkeyPatch) -> Login:
    """Run ``rolldeck login`` with a password on stdin."""

    def run(registry: object, *words: object, user: str = USER, secret: str = PASSWORD) -> Ran:
        stdin = io.TextIOWrapper(io.BytesIO(f"{secret}\n".encode()))
        monkeypatch.setattr("sys.stdin", stdin)
        return rolldeck("login", registry, "-u", user, "--password-stdin", *words)

    return run


@pytest.fixture
def config() -> Path:
    """Docker's configuration of this test's home."""
    path = Path.home() / ".docker" / "config.json"
    path.parent.mkdir()
    return path


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A credential store docker-credential-jar that keeps its logins in a file."""
    directory = tmp_path / "bin"
    directory.mkdir()
    kept = tmp_path / "kept.json"
    kept.write_text("{}")
    program = directory / "docker-credential-jar"
    program.write_text(f"""#!/usr/bin/env python3
import json, sys
kept = json.load(open({str(kept)!r}))
words = sys.stdin.read()
if sys.argv[1] == "store":
    login = json.loads(words)
    kept[login["ServerURL"]] = login
elif words not in kept:
    print("credentials not found in native keychain")
    sys.exit(1)
elif sys.argv[1] == "erase":
    del kept[words]
else:
    print(json.dumps(kept[words]))
json.dump(kept, open({str(kept)!r}, "w"))
open({str(tmp_path / "argv")!r}, "a").write(" ".join(sys.argv))
""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    return kept


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_login_is_saved_and_used(
    log_in: Login, rolldeck: Run, locked_registry: RunningRegistry, config: Path
) -> None:
    """With what else stands in the file, readable by its owner alone."""
    other = {"auths": {"a.example": {"auth": "eDp5"}}, "psFormat": "x", "credHelpers": {"b": "c"}}
    config.write_text(json.dumps(other))
    config.chmod(0o644)
    assert rolldeck("ls", f"{locked_registry.host}/x").code == 4
    before = os.umask(0)
    try:
        ran = log_in(locked_registry.host)
    finally:
        os.umask(before)
    assert ran.code == 0, ran.err
    assert f"saved in {config}" in ran.out
    assert "base64" in ran.err
    other["auths"][locked_registry.host] = {"auth": basic(f"{USER}:{PASSWORD}")}
    assert json.loads(config.read_text()) == other
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert rolldeck("ls", f"{locked_registry.host}/x").code == 3
    assert PASSWORD not in ran.out + ran.err


def test_a_login_that_is_not_taken_is_not_saved(
    log_in: Login, locked_registry: RunningRegistry, config: Path
) -> None:
    ran = log_in(locked_registry.host, "--json", secret="canary-wrong")
    assert ran.code == 4
    assert f"does not take this login of {USER}" in ran.error["message"]
    assert "canary" not in ran.err
    assert not config.exists()


def test_a_dry_run_saves_nothing(
    log_in: Login, locked_registry: RunningRegistry, config: Path
) -> None:
    document = log_in(locked_registry.host, "--dry-run", "--json").document
    assert document == {
        "registry": locked_registry.host,
        "user": USER,
        "saved_in": str(config),
        "helper": None,
        "checked": True,
        "applied": False,
    }
    assert not config.exists()
    assert log_in(locked_registry.host, "--dry-run", secret="wrong").code == 4


def test_an_open_registry_cannot_check(
    log_in: Login, docker_registry: RunningRegistry, config: Path
) -> None:
    """It is said, in words and in JSON."""
    assert "could not be checked" in log_in(docker_registry.host).err
    assert log_in(docker_registry.host, "--json").document["checked"] is False


def test_what_is_no_registry(log_in: Login, scripted: ScriptedServer, config: Path) -> None:
    scripted.on("GET", "/v2/", Scripted(body=b"<html>", headers={"Content-Type": "text/html"}))
    assert log_in(scripted.host).code == 5
    for name in ("a.example/team", "", "a b", "ftp://a.example", "--x"):
        assert log_in(name).code == 2
    assert log_in("127.0.0.1:1").code == 5
    assert not config.exists()


@pytest.mark.parametrize("user", ["", "a:b", "a\nb"])
def test_a_user_name_that_cannot_be(log_in: Login, user: str) -> None:
    assert log_in("a.example", user=user).code == 2


def test_a_store_keeps_the_login(
    log_in: Login,
    rolldeck: Run,
    locked_registry: RunningRegistry,
    config: Path,
    store: Path,
    tmp_path: Path,
) -> None:
    """The file then only says that there is one, as Docker writes it."""
    config.write_text('{"credsStore": "jar"}')
    host = locked_registry.host
    document = log_in(host, "--json").document
    assert (document["helper"], document["saved_in"]) == ("jar", "docker-credential-jar")
    kept = {"ServerURL": host, "Username": USER, "Secret": PASSWORD}
    assert json.loads(store.read_text()) == {host: kept}
    assert json.loads(config.read_text()) == {"credsStore": "jar", "auths": {host: {}}}
    assert rolldeck("ls", f"{host}/x").code == 3
    assert PASSWORD not in (tmp_path / "argv").read_text()
    assert rolldeck("logout", host, "--json").document["removed"] == ["docker-credential-jar"]
    assert json.loads(store.read_text()) == {}
    assert json.loads(config.read_text())["auths"] == {}


def test_a_helper_of_the_host_comes_before_the_store(
    log_in: Login, docker_registry: RunningRegistry, config: Path, store: Path
) -> None:
    helpers = {docker_registry.host: "jar"}
    config.write_text(json.dumps({"credHelpers": helpers, "credsStore": "missing-program"}))
    assert log_in(docker_registry.host, "--json").document["helper"] == "jar"
    assert list(json.loads(store.read_text())) == [docker_registry.host]


def test_a_store_that_fails_is_no_reason_to_write_it_down(
    log_in: Login, docker_registry: RunningRegistry, config: Path
) -> None:
    config.write_text('{"credsStore": "missing-program"}')
    ran = log_in(docker_registry.host)
    assert ran.code == 7
    assert "not installed" in ran.err
    assert config.read_text() == '{"credsStore": "missing-program"}'


def test_docker_hub_is_spelt_as_docker_does(
    log_in: Login, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every older spelling is replaced, or it would go on to be found."""
    monkeypatch.setattr("rolldeck.oci.http.HttpRegistry.check_login", _accepted)
    old = {"index.docker.io": {"auth": "eDp5"}, "docker.io": {"auth": "eDp5"}}
    config.write_text(json.dumps({"auths": old}))
    assert log_in("registry-1.docker.io").code == 0
    assert list(json.loads(config.read_text())["auths"]) == ["https://index.docker.io/v1/"]
    found = CredentialFiles()("docker.io")
    assert found is not None
    assert found.user == USER


async def _accepted(registry: Any) -> bool:
    return True


def test_an_identity_token(
    log_in: Login,
    rolldeck: Run,
    token_registry: RunningRegistry,
    tokens: TokenServer,
    certificate: Path,
    config: Path,
    tmp_path: Path,
) -> None:
    settings = settings_file(tmp_path, token_registry, certificate, token_hosts=[tokens.host])
    ran = log_in(
        token_registry.host, "--settings", settings, user="<token>", secret=tokens.identity
    )
    assert ran.code == 0, ran.err
    entry = {"identitytoken": tokens.identity}
    assert json.loads(config.read_text())["auths"] == {token_registry.host: entry}
    assert rolldeck("ls", f"{token_registry.host}/golden/wdbc", "--settings", settings).code == 0
    assert {one.method for one in tokens.asked} == {"POST"}
    wrong = log_in(token_registry.host, "--settings", settings, user="<token>", secret="canary-no")
    assert wrong.code == 4


def settings_file(
    directory: Path, registry: RunningRegistry, certificate: Path, **more: Any
) -> Path:
    keys = {"plain_http": False, "ca_file": str(certificate), **more}
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    path = directory / "settings.toml"
    path.write_text("\n".join([f'[registries."{registry.host}"]', *lines]))
    return path


def test_a_token_server_must_be_confirmed(
    log_in: Login,
    rolldeck: Run,
    token_registry: RunningRegistry,
    tokens: TokenServer,
    certificate: Path,
    config: Path,
    tmp_path: Path,
) -> None:
    """Refused without a request that carries the login; named once it counts for every verb."""
    settings = settings_file(tmp_path, token_registry, certificate)
    refused = log_in(token_registry.host, "--settings", settings)
    assert refused.code == 4
    assert f"--trust-token-host {tokens.host}" in refused.err
    assert not config.exists()
    assert tokens.asked == []
    trust = ("--trust-token-host", f"https://{tokens.host}")
    dry = log_in(token_registry.host, "--settings", settings, *trust, "--dry-run")
    assert dry.code == 0, dry.err
    assert confirmed_token_hosts(token_registry.host) == ()
    assert log_in(token_registry.host, "--settings", settings, *trust).code == 0
    assert confirmed_token_hosts(token_registry.host) == (tokens.host,)
    ran = rolldeck("ls", f"{token_registry.host}/golden/wdbc", "--settings", settings)
    assert ran.code == 0, ran.err
    file = Path.home() / "state" / "rolldeck" / "token-servers.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 4), ("", 4)])
def test_on_a_terminal_a_token_server_is_asked_about_once(
    rolldeck: Run,
    token_registry: RunningRegistry,
    tokens: TokenServer,
    certificate: Path,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
) -> None:
    settings = settings_file(tmp_path, token_registry, certificate)
    config.write_text(
        json.dumps({"auths": {token_registry.host: {"auth": basic(f"{USER}:{PASSWORD}")}}})
    )
    monkeypatch.setattr("rolldeck.cli.login.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    words = ("ls", f"{token_registry.host}/golden/wdbc", "--settings", settings)
    ran = rolldeck(*words)
    assert ran.code == code
    assert f"asks to send your login to {tokens.host}: trust it, from now on? [y/N]" in ran.err
    assert tokens.credentials_seen == (code == 0)
    if code == 0:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        assert rolldeck(*words).code == 0
        return
    as_json = rolldeck(*words, "--json")
    assert as_json.code == 4
    assert as_json.error["kind"] == "denied"


def test_confirmations_are_kept_side_by_side() -> None:
    """Docker Hub by any name; a damaged file counts as none."""
    for host in ("a.example", "b.example"):
        confirm_token_host("r.example:5000", host)
        confirm_token_host("r.example:5000", host)
    confirm_token_host("index.docker.io", "c.example")
    assert confirmed_token_hosts("R.example:5000") == ("a.example", "b.example")
    assert confirmed_token_hosts("docker.io") == ("c.example",)
    (Path.home() / "state" / "rolldeck" / "token-servers.json").write_text("[1")
    assert confirmed_token_hosts("docker.io") == ()


def test_a_link_stays_a_link(
    log_in: Login, docker_registry: RunningRegistry, config: Path, tmp_path: Path
) -> None:
    """Many keep their configuration elsewhere."""
    real = tmp_path / "dotfiles.json"
    real.write_text('{"a": 1}')
    config.symlink_to(real)
    assert log_in(docker_registry.host).code == 0
    assert config.is_symlink()
    assert list(json.loads(real.read_text())) == ["a", "auths"]
    assert [path.name for path in tmp_path.glob(".rolldeck-tmp-*")] == []


def test_a_damaged_file_is_left_alone(
    log_in: Login, rolldeck: Run, docker_registry: RunningRegistry, config: Path
) -> None:
    config.write_text("{nonsense")
    assert log_in(docker_registry.host).code == 2
    assert rolldeck("logout", docker_registry.host).code == 2
    assert config.read_text() == "{nonsense"


def test_an_auth_file_that_is_named_gets_the_login(
    log_in: Login,
    rolldeck: Run,
    docker_registry: RunningRegistry,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = tmp_path / "deep" / "auth.json"
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(named))
    assert log_in(docker_registry.host).code == 0
    assert docker_registry.host in json.loads(named.read_text())["auths"]
    assert stat.S_IMODE(named.parent.stat().st_mode) == 0o700
    assert not config.exists()


def test_logout_tells_what_is_left(rolldeck: Run, config: Path, monkeypatch: Any) -> None:
    """kit's file is kit's own; it is read, never written."""
    kit = Path.home() / "kit"
    kit.mkdir()
    monkeypatch.setenv("KITOPS_HOME", str(kit))
    login = {"auth": basic("u:p")}
    mine = {"h.example": login, "https://h.example/v1/": login, "other.example": login}
    config.write_text(json.dumps({"auths": mine}))
    theirs = json.dumps({"auths": {"h.example": login}})
    (kit / "credentials.json").write_text(theirs)
    dry = rolldeck("logout", "h.example", "--dry-run", "--json").document
    assert (dry["removed"], dry["applied"]) == ([str(config)], False)
    assert json.loads(config.read_text())["auths"] == mine
    done = rolldeck("logout", "https://h.example/", "--json").document
    assert done["removed"] == [str(config)]
    assert done["remaining"] == str(kit / "credentials.json")
    assert json.loads(config.read_text())["auths"] == {"other.example": login}
    again = rolldeck("logout", "h.example")
    assert again.code == 0
    assert "still in" in again.err
    assert (kit / "credentials.json").read_text() == theirs


def test_a_password_is_never_an_argument(rolldeck: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert rolldeck("login", "h.example", "-u", "u", "--password", "canary").code == 2
    assert rolldeck("login", "h.example", "-u", "u", "-p", "canary").code == 2
    ran = rolldeck("login", "h.example", "-u", "u")
    assert ran.code == 2
    assert "--password-stdin" in ran.err
    assert rolldeck("login", "h.example", "--password-stdin").code == 2
    assert rolldeck("login", "h.example", "--read-only").code in (2, 8)


def test_read_only_takes_it_away(log_in: Login, rolldeck: Run, config: Path) -> None:
    assert log_in("h.example", "--read-only").code == 8
    assert rolldeck("logout", "h.example", "--read-only").code == 8
