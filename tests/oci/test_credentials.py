"""Logins as Docker and kit keep them."""

from __future__ import annotations

import base64
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from rolldeck.errors import UsageError
from rolldeck.oci.credential_files import credential_files, login_file
from rolldeck.oci.credential_helper import HelperFailed, ask_helper
from rolldeck.oci.credentials import CredentialFiles, exposed_files, known_hosts
from rolldeck.oci.secret import Credential, Secret, UnusableLogin


def auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def find(path: Path, document: dict[str, Any], host: str) -> Credential | None:
    path.write_text(json.dumps(document))
    return CredentialFiles((path,))(host)


def basic(credential: Credential | None) -> str | None:
    return credential.basic.reveal() if credential and credential.basic else None


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program docker-credential-test on PATH; it notes what it is asked."""
    directory = tmp_path / "bin"
    directory.mkdir()
    program = directory / "docker-credential-test"
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")

    def write(script: str) -> None:
        program.write_text(f"#!/bin/sh\ncat > {tmp_path}/asked\necho >> {tmp_path}/asked\n{script}")
        program.chmod(0o755)

    write("""echo '{"Username": "u", "Secret": "from-helper"}'""")
    return program


@pytest.mark.parametrize(
    "key",
    [
        "reg.example:5000",
        "https://reg.example:5000",
        "http://REG.example:5000/",
        "https://reg.example:5000/v1/",
        "https://reg.example:5000/v2/",
    ],
)
def test_spellings_of_a_host(config: Path, key: str) -> None:
    assert basic(find(config, {"auths": {key: auth("u:p:q")}}, "reg.example:5000")) == "u:p:q"
    assert find(config, {"auths": {key: auth("u:p")}}, "reg.example") is None


def test_docker_hub(config: Path) -> None:
    document = {"auths": {"https://index.docker.io/v1/": auth("u:p")}}
    for host in ("docker.io", "registry-1.docker.io", "index.docker.io"):
        assert basic(find(config, document, host)) == "u:p"


def test_a_login_for_one_repository_is_not_one_for_its_host(config: Path) -> None:
    assert find(config, {"auths": {"reg.example/team": auth("u:p")}}, "reg.example") is None


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("reg.example/team/app", "u:app"),
        ("reg.example/team/app/deep", "u:app"),
        ("reg.example/team/application", "u:team"),
        ("reg.example/other", "u:host"),
        ("reg.example", "u:host"),
        ("docker.io/library/x", "u:hub"),
    ],
)
def test_the_closest_login_counts(config: Path, place: str, expected: str) -> None:
    """containers-auth.json(5): a key may name a repository and everything below."""
    document = {
        "auths": {
            "reg.example": auth("u:host"),
            "reg.example/team": auth("u:team"),
            "reg.example/team/app": auth("u:app"),
            "docker.io/library": auth("u:hub"),
        }
    }
    assert basic(find(config, document, place)) == expected


@pytest.mark.parametrize(
    "entry",
    [{}, {"auth": ""}, {"auth": "Og=="}, {"username": "u"}, {"auth": "dTo="}, {"email": "a@b"}],
)
def test_entries_without_a_secret_are_skipped(config: Path, entry: dict[str, str]) -> None:
    """Docker leaves them where a helper or store has the login."""
    assert find(config, {"auths": {"h.io": entry}}, "h.io") is None
    document = {"auths": {"h.io": entry, "https://h.io/v1/": auth("u:p")}}
    assert basic(find(config, document, "h.io")) == "u:p"


def test_an_empty_file_has_no_login(config: Path) -> None:
    config.write_text("")
    assert CredentialFiles((config,))("h.io") is None


def test_files_that_others_can_read_are_found(config: Path) -> None:
    config.write_text(json.dumps({"auths": {"h.io": auth("u:p")}}))
    config.chmod(0o600)
    assert exposed_files((config,)) == ()
    config.chmod(0o640)
    assert exposed_files((config,)) == (config,)


def test_identity_tokens(config: Path) -> None:
    with_token = find(config, {"auths": {"h.io": {**auth("u:"), "identitytoken": "i"}}}, "h.io")
    assert with_token is not None
    assert with_token.basic is None
    assert with_token.identity is not None
    assert with_token.identity.reveal() == "i"
    kit = find(config, {"auths": {"h.io": auth(":refresh")}}, "h.io")
    assert kit is not None
    assert kit.identity is not None
    assert kit.identity.reveal() == "refresh"


def test_helper_comes_first(config: Path, helper: Path, tmp_path: Path) -> None:
    document = {"credHelpers": {"h.io": "test"}, "auths": {"h.io": auth("u:file")}}
    assert basic(find(config, document, "h.io")) == "u:from-helper"
    assert (tmp_path / "asked").read_text() == "h.io\n"
    assert basic(find(config, {"credsStore": "test"}, "docker.io")) == "u:from-helper"
    assert (tmp_path / "asked").read_text() == "https://index.docker.io/v1/\n"


def test_helper_with_an_identity_token(config: Path, helper: Path) -> None:
    helper.write_text("""#!/bin/sh\necho '{"Username": "<token>", "Secret": "i"}'""")
    found = find(config, {"credsStore": "test"}, "h.io")
    assert found is not None
    assert found.basic is None
    assert found.identity is not None


@pytest.mark.parametrize(
    "script",
    [
        "echo 'credentials not found in native keychain'; exit 1",
        "exit 3",
        "echo nonsense",
        "echo '[]'",
        "head -c 2000000 /dev/zero",
    ],
)
def test_helper_without_a_login_leaves_the_file(config: Path, helper: Path, script: str) -> None:
    helper.write_text(f"#!/bin/sh\n{script}\n")
    document: dict[str, Any] = {"credsStore": "test", "auths": {"h.io": auth("u:file")}}
    assert basic(find(config, document, "h.io")) == "u:file"
    del document["auths"]
    if "not found" in script:
        assert find(config, document, "h.io") is None
    else:
        with pytest.raises(UnusableLogin, match="docker-credential-test gave no login"):
            find(config, document, "h.io")


def test_helper_that_is_not_installed_is_named(config: Path) -> None:
    with pytest.raises(UnusableLogin, match=r"docker-credential-missing-program.*not installed"):
        find(config, {"credsStore": "missing-program"}, "h.io")


def test_slow_helper_is_ended(helper: Path) -> None:
    helper.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(HelperFailed, match=r"no answer in 0\.2 s"):
        ask_helper("test", "h.io", time_limit=0.2)


@pytest.mark.parametrize("name", ["../../x", "a b", "A", "x;y", "x\n", "/bin/sh", 7, ["test"]])
def test_unsafe_helper_names_run_nothing(
    config: Path, name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    monkeypatch.setattr("subprocess.Popen", lambda *args, **options: started.append(args))
    with pytest.raises(UsageError) as raised:
        find(config, {"credsStore": name}, "h.io")
    assert raised.value.code == 2
    assert started == []


@pytest.mark.parametrize("server", ["h.io\nother", "h io", "$(x)", ""])
def test_unsafe_servers_are_not_asked_about(server: str, helper: Path, tmp_path: Path) -> None:
    with pytest.raises(HelperFailed):
        ask_helper("test", server)
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("text", ["nonsense", "[]", "[" * 100_000])
def test_damaged_file_is_named(config: Path, text: str) -> None:
    config.write_text(text)
    with pytest.raises(UsageError, match=r"config\.json"):
        CredentialFiles((config,))("h.io")
    assert known_hosts((config,)) == []


def test_login_that_is_not_base64_is_not_shown(config: Path) -> None:
    with pytest.raises(UsageError) as raised:
        find(config, {"auths": {"h.io": {"auth": "canary!"}}}, "h.io")
    assert "canary" not in raised.value.message


def test_odd_tables_count_as_empty(config: Path) -> None:
    document = {"auths": {"h.io": [], "i.io": None}, "credHelpers": [], "credsStore": ""}
    assert find(config, document, "h.io") is None


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path.home()
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name)
    assert credential_files() == (
        home / ".docker" / "config.json",
        Path(f"/run/containers/{os.geteuid()}/auth.json"),
        home / ".config" / "containers" / "auth.json",
        home / ".local" / "share" / "kitops" / "credentials.json",
    )
    assert login_file() == home / ".docker" / "config.json"
    for name in ("DOCKER_CONFIG", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    assert credential_files() == (
        tmp_path / "auth.json",
        tmp_path / "DOCKER_CONFIG" / "config.json",
        tmp_path / "XDG_RUNTIME_DIR" / "containers" / "auth.json",
        tmp_path / "XDG_CONFIG_HOME" / "containers" / "auth.json",
        tmp_path / "XDG_DATA_HOME" / "kitops" / "credentials.json",
    )
    assert login_file() == tmp_path / "auth.json"
    monkeypatch.setenv("KITOPS_HOME", str(tmp_path / "k"))
    assert credential_files()[-1] == tmp_path / "k" / "credentials.json"


def test_docker_comes_before_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("KITOPS_HOME", str(tmp_path))
    kit = {"auths": {"h.io": auth("u:kit"), "only.kit": auth("u:kit")}}
    (tmp_path / "credentials.json").write_text(json.dumps(kit))
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"h.io": auth("u:docker")}}))
    assert basic(CredentialFiles()("h.io")) == "u:docker"
    assert basic(CredentialFiles()("only.kit")) == "u:kit"
    assert CredentialFiles()("other.io") is None


def test_known_hosts_run_no_program(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("subprocess.Popen")
    document = {
        "auths": {"https://index.docker.io/v1/": {}, "ghcr.io": {}, "h.io/team": {}, "b\x1b": {}},
        "credHelpers": {"localhost:5000": "../../x"},
        "credsStore": "test",
    }
    config.write_text(json.dumps(document))
    missing = config.parent / "missing.json"
    assert known_hosts((config, missing)) == [
        "docker.io",
        "ghcr.io",
        "h.io",
        "localhost:5000",
    ]


def test_secrets_do_not_show() -> None:
    secret = Secret("canary")
    login = Credential("user", secret, secret, "file")
    for shown in (repr(secret), str(secret), f"{secret}", f"{login}", f"{[login]}", f"{secret:>9}"):
        assert "canary" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(login)
