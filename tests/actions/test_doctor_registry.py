"""The doctor at registries: real ones, open and locked, and scripted odd ones."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from rolldeck.actions import Diagnosis, Finding, Workspace, diagnose
from rolldeck.errors import RefusedError
from rolldeck.oci import Reference
from rolldeck.oci.digest import digest_of
from rolldeck.settings import RegistrySettings, Settings
from tests.oci.bench import manifest_bytes, tags_page
from tests.servers.registry import PASSWORD, USER, RunningRegistry, run_registry
from tests.servers.scripted import Asked, Scripted, ScriptedServer, scripted_server

MANIFEST = manifest_bytes()
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


async def asked(
    place: str, tmp_path: Path, *, write: bool = False, read_only: bool = False, **settings: Any
) -> tuple[Diagnosis, dict[str, Finding]]:
    """Diagnose a registry; returns the findings by ``area/check``, too."""
    host = place.partition("/")[0]
    registries = {host: RegistrySettings(**settings)}
    workspace = Workspace(
        Settings(library=tmp_path / "library", registries=registries), read_only=read_only
    )
    try:
        diagnosis = await diagnose(workspace, Reference.parse(place), write=write)
    finally:
        await workspace.close()
    return diagnosis, {f"{item.area}/{item.check}": item for item in diagnosis.findings}


def severities(found: dict[str, Finding], *areas: str) -> dict[str, str]:
    """How bad the findings of some areas are."""
    return {key: item.severity for key, item in found.items() if key.split("/")[0] in areas}


def log_in(host: str, password: str = PASSWORD, mode: int = 0o600) -> Path:
    """Write a login as docker does."""
    path = Path(os.environ["HOME"]) / ".docker" / "config.json"
    path.parent.mkdir(exist_ok=True)
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    path.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    path.chmod(mode)
    return path


# Real registries.


async def test_an_open_registry(golden_registry: RunningRegistry, tmp_path: Path) -> None:
    """What docker-registry 2.8.2 can; the first repository of the catalog is looked at."""
    diagnosis, found = await asked(f"{golden_registry.host}/", tmp_path)
    assert diagnosis.code == 0
    assert severities(found, "registry", "login", "clock", "repository") == {
        "registry/connection": "ok",
        "registry/api": "ok",
        "registry/catalog": "ok",
        "clock/skew": "ok",
        "login/source": "ok",
        "repository/tags": "ok",
        "repository/ranges": "ok",
        "repository/referrers": "warn",
        "repository/changes": "unknown",
    }


async def test_a_named_repository(golden_registry: RunningRegistry, tmp_path: Path) -> None:
    """Deletes are asked for with a digest that does not exist; pushes are not tried."""
    _, found = await asked(f"{golden_registry.host}/golden/wdbc", tmp_path)
    assert found["repository/deletes"].severity == "ok"
    assert found["repository/uploads"].severity == "unknown"
    assert "--write" in found["repository/uploads"].hint


async def test_write_changes_nothing(docker_registry: RunningRegistry, tmp_path: Path) -> None:
    """No upload stays, no tag moves, no manifest changes."""
    docker_registry.push(Path(__file__).parents[1] / "golden/layouts/wdbc", "doctor/wdbc", "v1.0.0")

    def held() -> dict[str, bytes]:
        root = docker_registry.storage / "docker/registry/v2/repositories/doctor"
        files = (path for path in root.rglob("*") if path.is_file())
        # The registry itself keeps the state of its hash of a cancelled upload.
        return {str(path): path.read_bytes() for path in files if "hashstates" not in path.parts}

    before = held()
    _, found = await asked(f"{docker_registry.host}/doctor/wdbc", tmp_path, write=True)
    assert severities(found, "repository") == {
        "repository/tags": "ok",
        "repository/ranges": "ok",
        "repository/referrers": "warn",
        "repository/deletes": "ok",
        "repository/uploads": "ok",
        "repository/chunks": "ok",
        "repository/conditional": "warn",
        "repository/several tags": "unknown",
    }
    assert found["repository/uploads"].detail == "an upload can be begun"
    assert held() == before


@pytest.fixture(scope="module")
def tls_registry(
    tmp_path_factory: pytest.TempPathFactory, golden_registry: RunningRegistry, certificate: Path
) -> Iterator[RunningRegistry]:
    """The golden registry over TLS, for those with a login."""
    directory = tmp_path_factory.mktemp("tls-registry")
    with run_registry(
        directory, htpasswd=True, tls=certificate, storage=golden_registry.storage
    ) as registry:
        yield registry


async def test_a_login_over_tls(
    tls_registry: RunningRegistry, certificate: Path, tmp_path: Path
) -> None:
    """Encrypted, trusted through our own file, let in; the certificate ends in two days."""
    path = log_in(tls_registry.host)
    diagnosis, found = await asked(
        f"{tls_registry.host}/golden/wdbc", tmp_path, plain_http=False, ca_file=certificate
    )
    assert diagnosis.code == 0
    assert str(certificate) in found["registry/connection"].detail
    assert found["registry/certificate"].severity == "warn"
    assert "valid for 1 days" in found["registry/certificate"].detail
    assert found["login/source"].detail == f"{USER}, from {path}"
    assert found["login/accepted"].severity == "ok"
    assert found["repository/ranges"].severity == "ok"
    assert PASSWORD not in repr(diagnosis)


async def test_no_login_is_a_failure_where_one_is_wanted(
    locked_registry: RunningRegistry, tmp_path: Path
) -> None:
    """Exit code 4, and how to log in."""
    diagnosis, found = await asked(f"{locked_registry.host}/", tmp_path)
    assert diagnosis.code == 4
    assert found["login/source"].severity == "fail"
    assert f"docker login {locked_registry.host}" in found["login/source"].hint
    assert found["registry/support"].severity == "unknown"


async def test_a_wrong_login_is_told_from_none(
    locked_registry: RunningRegistry, tmp_path: Path
) -> None:
    """It was found, and not accepted; the secret is nowhere."""
    log_in(locked_registry.host, "wrong-canary", 0o644)
    diagnosis, found = await asked(f"{locked_registry.host}/", tmp_path)
    assert diagnosis.code == 4
    assert found["login/source"].severity == "ok"
    assert found["login/accepted"].severity == "fail"
    assert found["login/files"].severity == "warn"
    assert "chmod 600" in found["login/files"].hint
    assert "wrong-canary" not in repr(diagnosis)


async def test_a_helper_that_fails(
    locked_registry: RunningRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, or it ends with an error: named with the file that names it."""
    path = Path(os.environ["HOME"]) / ".docker" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"credsStore": "rolldeck-test"}))
    _, found = await asked(f"{locked_registry.host}/", tmp_path)
    assert found["login/source"].severity == "fail"
    assert "docker-credential-rolldeck-test" in found["login/source"].detail
    programs = tmp_path / "programs"
    programs.mkdir()
    helper = programs / "docker-credential-rolldeck-test"
    helper.write_text(f'#!/bin/sh\necho \'{{"Username": "{USER}", "Secret": "{PASSWORD}"}}\'\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    diagnosis, found = await asked(f"{locked_registry.host}/", tmp_path)
    assert diagnosis.code == 0
    assert found["login/source"].detail == f"{USER}, from docker-credential-rolldeck-test"


async def test_nobody_answers(tmp_path: Path) -> None:
    """Exit code 5, and no further questions."""
    diagnosis, found = await asked("127.0.0.1:1/", tmp_path)
    assert diagnosis.code == 5
    assert severities(found, "registry") == {"registry/connection": "fail"}
    assert found["login/source"].severity == "unknown"


# Certificates.


async def test_a_certificate_that_nobody_vouches_for(
    secure: ScriptedServer, tmp_path: Path
) -> None:
    """The hint names the setting."""
    diagnosis, found = await asked(f"{secure.host}/", tmp_path, plain_http=False)
    assert diagnosis.code == 5
    assert "certificate" in found["registry/connection"].detail
    assert "ca_file" in found["registry/connection"].hint


@pytest.fixture
def expired(tmp_path: Path) -> Path:
    """A certificate that ended long ago, with its key in ``key.pem`` beside."""
    directory = tmp_path / "expired"
    directory.mkdir()
    (directory / "ca.cnf").write_text(
        "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\nserial = serial\nnew_certs_dir = .\n"
        "default_md = sha256\npolicy = p\nx509_extensions = e\n"
        "[p]\ncommonName = supplied\n[e]\nsubjectAltName = IP:127.0.0.1\n"
    )
    (directory / "index.txt").touch()
    (directory / "serial").write_text("01\n")
    request = "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    sign = "ca -selfsign -batch -notext -config ca.cnf -keyfile key.pem -in request.pem"
    for line in (
        f"{request} -keyout key.pem -out request.pem -subj /CN=test",
        f"{sign} -startdate 20200101000000Z -enddate 20200201000000Z -out certificate.pem",
    ):
        try:
            subprocess.run(["openssl", *line.split()], cwd=directory, check=True)
        except FileNotFoundError:
            pytest.skip("makes certificates with openssl")
    return directory / "certificate.pem"


async def test_an_expired_certificate(expired: Path, tmp_path: Path) -> None:
    """Not helped by trusting it; the clock may be why."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(expired, expired.with_name("key.pem"))
    with scripted_server(context) as server:
        diagnosis, found = await asked(
            f"{server.host}/", tmp_path, plain_http=False, ca_file=expired
        )
    assert diagnosis.code == 5
    assert "expired" in found["registry/connection"].detail
    assert "clock" in found["registry/connection"].hint


# Odd registries.


def registry(server: ScriptedServer, **headers: str) -> None:
    """Script a small registry with one repository ``x``."""
    named = {"Docker-Content-Digest": digest_of(MANIFEST), "Content-Type": MANIFEST_TYPE}
    server.on("GET", "/v2/", Scripted(body=b"{}", headers=headers))
    server.on("GET", "/v2/_catalog.*", Scripted(body=b'{"repositories": ["x"]}'))
    server.on("GET", "/v2/x/tags/list.*", tags_page("v1"))
    server.on("HEAD", "/v2/x/manifests/.*", Scripted(body=MANIFEST, headers=named))
    server.on("GET", "/v2/x/manifests/.*", Scripted(body=MANIFEST, headers=named))


@pytest.mark.parametrize(("minutes", "word"), [(10, "behind"), (-10, "ahead of")])
async def test_a_wrong_clock(
    scripted: ScriptedServer, tmp_path: Path, minutes: int, word: str
) -> None:
    """Which way, and by how much."""
    now = datetime.now(UTC) + timedelta(minutes=minutes)

    def answer(request: Asked) -> Scripted:
        return Scripted(body=b"{}", headers={"Date": format_datetime(now, True)})

    scripted.on("GET", "/v2/", answer)
    diagnosis, found = await asked(f"{scripted.host}/", tmp_path)
    assert diagnosis.code == 0
    assert found["clock/skew"].severity == "warn"
    assert found["clock/skew"].detail == f"10 min {word} the registry's"


@pytest.mark.parametrize(
    "answer",
    [Scripted(body=b"<html>", headers={"Content-Type": "text/html"}), Scripted(404)],
)
async def test_no_registry(scripted: ScriptedServer, tmp_path: Path, answer: Scripted) -> None:
    """A login page of a network, or a host that is something else."""
    scripted.on("GET", "/v2/", answer)
    diagnosis, found = await asked(f"{scripted.host}/", tmp_path)
    assert diagnosis.code == 5
    assert found["registry/api"].severity == "fail"
    assert "repository/tags" not in found


async def test_neither_catalog_nor_ranges(scripted: ScriptedServer, tmp_path: Path) -> None:
    """A repository of the settings is looked at; the whole blob in place of a part is not read."""
    scripted.on("GET", "/v2/_catalog.*", Scripted(404))
    registry(scripted)
    scripted.on("GET", "/v2/x/blobs/.*", Scripted(body=b"{}"))
    _, found = await asked(f"{scripted.host}/", tmp_path, repositories=("x",))
    assert found["registry/catalog"].severity == "warn"
    assert found["repository/ranges"].severity == "warn"
    assert "answers 200" in found["repository/ranges"].detail
    assert "/v2/x/blobs/" + digest_of(b"{}") in scripted.paths("GET")


async def test_what_a_registry_of_the_newest_kind_can(
    scripted: ScriptedServer, tmp_path: Path
) -> None:
    """Referrers, conditional writes, chunks of a least size; a session that cannot be cancelled."""
    index = b'{"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}'
    place = {"Location": "/v2/x/blobs/uploads/1?state=s", "OCI-Chunk-Min-Length": "5242880"}
    part = {"Content-Range": "bytes 1-1/2"}
    registry(scripted)
    scripted.on("GET", "/v2/x/referrers/.*", Scripted(body=index))
    scripted.on("GET", "/v2/x/blobs/.*", Scripted(206, b"}", part))
    scripted.on("DELETE", "/v2/x/manifests/.*", Scripted(405))
    scripted.on("POST", "/v2/x/blobs/uploads/", Scripted(202, headers=place))
    scripted.on("PUT", "/v2/x/manifests/.*", Scripted(412))
    diagnosis, found = await asked(f"{scripted.host}/x", tmp_path, write=True)
    assert diagnosis.code == 0
    assert found["repository/referrers"].severity == "ok"
    assert found["repository/ranges"].severity == "ok"
    assert found["repository/deletes"].severity == "warn"
    assert found["repository/conditional"].severity == "ok"
    assert found["repository/chunks"].detail == "of at least 5.0 MiB"
    assert "not cancelled" in found["repository/uploads"].detail
    assert "/v2/x/blobs/uploads/1?state=s" in scripted.paths("DELETE")
    (put,) = [request for request in scripted.asked if request.method == "PUT"]
    assert put.path == f"/v2/x/manifests/{digest_of(MANIFEST)}"
    assert put.headers["if-none-match"] == "*"
    assert put.body == MANIFEST


@pytest.mark.parametrize("place", ["{other}/session", "http://[", ""])
async def test_an_upload_at_another_host_gets_no_login(
    scripted: ScriptedServer, start_scripted: Any, tmp_path: Path, place: str
) -> None:
    """It is not cancelled there, and ends by itself; an address that is none is no bug."""
    other = start_scripted()
    registry(scripted)
    location = {"Location": place.format(other=other.url)}
    scripted.on("POST", "/v2/x/blobs/uploads/", Scripted(202, headers=location))
    _, found = await asked(f"{scripted.host}/x", tmp_path, write=True)
    assert "not cancelled" in found["repository/uploads"].detail
    assert other.asked == []


async def test_what_changes_something_follows_no_redirect(
    scripted: ScriptedServer, start_scripted: Any, tmp_path: Path
) -> None:
    """A registry cannot make us delete or push elsewhere."""
    other = start_scripted()
    registry(scripted)
    for method in ("POST", "DELETE", "PUT"):
        scripted.on(method, ".*", Scripted(307, headers={"Location": f"{other.url}/elsewhere"}))
    _, found = await asked(f"{scripted.host}/x", tmp_path, write=True)
    assert found["repository/deletes"].severity == "unknown"
    assert found["repository/uploads"].severity == "fail"
    assert other.asked == []


async def test_who_may_not_push(scripted: ScriptedServer, tmp_path: Path) -> None:
    """Said with what it means; exit code 4."""
    registry(scripted)
    for method in ("POST", "DELETE"):
        scripted.on(method, ".*", Scripted(403))
    diagnosis, found = await asked(f"{scripted.host}/x", tmp_path, write=True)
    assert diagnosis.code == 4
    assert found["repository/deletes"].severity == "unknown"
    assert found["repository/uploads"].severity == "fail"


async def test_a_strange_token_server_is_told_of(
    scripted: ScriptedServer, start_scripted: Any, tmp_path: Path
) -> None:
    """With the line for the settings that would trust it."""
    other = start_scripted()
    challenge = {"WWW-Authenticate": f'Bearer realm="{other.url}/token",service="s"'}
    scripted.on("GET", "/v2/.*", Scripted(401, headers=challenge))
    log_in(scripted.host)
    diagnosis, found = await asked(f"{scripted.host}/", tmp_path)
    assert diagnosis.code == 4
    assert found["login/token server"].severity == "warn"
    assert f'token_hosts = ["{other.host}"]' in found["login/token server"].hint
    assert all("authorization" not in request.headers for request in other.asked)


async def test_reading_never_writes(scripted: ScriptedServer, tmp_path: Path) -> None:
    """Without --write only GET and HEAD, and one DELETE of nothing in a named repository."""
    registry(scripted)
    await asked(f"{scripted.host}/", tmp_path)
    assert {request.method for request in scripted.asked} == {"GET", "HEAD"}
    await asked(f"{scripted.host}/x", tmp_path)
    (delete,) = scripted.paths("DELETE")
    assert delete.removeprefix("/v2/x/manifests/") != digest_of(MANIFEST)
    scripted.asked.clear()
    await asked(f"{scripted.host}/x", tmp_path, read_only=True)
    assert {request.method for request in scripted.asked} == {"GET", "HEAD"}
    with pytest.raises(RefusedError):
        await asked(f"{scripted.host}/x", tmp_path, read_only=True, write=True)


async def test_each_finding_says_what_it_means(
    golden_registry: RunningRegistry, locked_registry: RunningRegistry, tmp_path: Path
) -> None:
    """Whatever is not as it should be."""
    for place in (f"{golden_registry.host}/golden/wdbc", f"{locked_registry.host}/"):
        diagnosis, _ = await asked(place, tmp_path)
        for item in diagnosis.findings:
            assert item.severity == "ok" or item.meaning, item
            assert (item.code != 0) == (item.severity == "fail"), item
