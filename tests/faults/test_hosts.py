"""Names without addresses, certificates without authority, redirects, a registry that dies."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rolldeck.errors import RolldeckError, UnavailableError
from tests.faults.conftest import KitVersion, Puller, whole
from tests.faults.operations import REPOSITORY, push_versions
from tests.servers.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.servers.registry import RunningRegistry, run_registry
from tests.servers.scripted import Scripted, ScriptedServer, scripted_server

Resolve = Callable[..., Any]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """What the next look-ups of names end with: an error of getaddrinfo, or None for success."""
    results: list[int | None] = []
    real = socket.getaddrinfo

    def resolve(*words: Any, **options: Any) -> Any:
        number = results.pop(0) if results else None
        if number is not None:
            raise socket.gaierror(number, "resolver")
        return real(*words, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return results


async def test_a_name_server_that_recovers(
    names: list[int | None], puller: Puller, kit: KitVersion
) -> None:
    """A resolver that has no answer now is asked again."""
    names += [socket.EAI_AGAIN, socket.EAI_AGAIN]
    await puller(kit.reference)
    assert len(puller.slept) == 2
    assert whole(puller.library, kit)


async def test_a_name_that_does_not_exist(
    names: list[int | None], puller: Puller, kit: KitVersion
) -> None:
    """Told at once: asking again would not help."""
    names += [socket.EAI_NONAME]
    with pytest.raises(UnavailableError, match="host not found") as raised:
        await puller(kit.reference)
    assert raised.value.code == 5
    assert puller.slept == []
    assert names == []


def openssl(directory: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


def make_certificate(directory: Path, name: str, *, days: int, days_ago: int = 0) -> Path:
    """Make a self-signed certificate for an address, with its key beside it."""
    start = datetime.now(UTC) - timedelta(days=days_ago)
    openssl(
        directory,
        *["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
        *["-keyout", "key.pem", "-out", "request.pem", "-subj", f"/CN={name}"],
    )
    (directory / "names").write_text(f"subjectAltName=IP:{name}\n")
    (directory / "index").touch()
    (directory / "ca.conf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\n"
        "default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n"
        f"[e]\nsubjectAltName=IP:{name}\nbasicConstraints=critical,CA:TRUE\n"
    )
    openssl(
        directory,
        *["ca", "-batch", "-selfsign", "-config", "ca.conf", "-keyfile", "key.pem"],
        *["-in", "request.pem", "-out", "certificate.pem", "-notext"],
        *["-startdate", f"{start:%Y%m%d%H%M%SZ}"],
        *["-enddate", f"{start + timedelta(days=days):%Y%m%d%H%M%SZ}"],
    )
    return directory / "certificate.pem"


@contextmanager
def secure_server(certificate: Path) -> Iterator[ScriptedServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with scripted_server(context) as server:
        yield server


@pytest.mark.parametrize(
    ("name", "age", "trusted", "reason"),
    [
        ("127.0.0.1", 10, True, "expired"),
        ("127.0.0.1", -2, True, "not yet valid"),
        ("127.0.0.2", 0, True, "mismatch"),
        ("127.0.0.1", 0, False, "self.signed"),
    ],
)
async def test_a_certificate_that_is_not_valid(
    tmp_path: Path, puller: Puller, name: str, age: int, trusted: bool, reason: str
) -> None:
    """The reason, the host and what can be done; no request is sent, nothing is tried again."""
    certificate = make_certificate(tmp_path, name, days=5, days_ago=age)
    puller.settings = {"plain_http": False, "ca_file": certificate if trusted else None}
    with secure_server(certificate) as server:
        with pytest.raises(UnavailableError, match=f"certificate of 127.0.0.1.*{reason}") as raised:
            await puller(f"{server.host}/faults/kit:v1")
        assert server.asked == []
    assert raised.value.code == 5
    assert "ca_file" in (raised.value.hint or "")
    assert "clock" in (raised.value.hint or "")
    assert puller.slept == []


async def test_a_handshake_that_is_cut(puller: Puller) -> None:
    """Tried again, then told; never without encryption instead."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        met = []

        def hang_up() -> None:
            line, _ = listener.accept()
            met.append(line.recv(1))
            line.close()

        thread = threading.Thread(target=lambda: [hang_up() for _ in range(3)])
        thread.start()
        puller.settings = {"plain_http": False}
        with pytest.raises(UnavailableError) as raised:
            await puller(f"{host}/faults/kit:v1")
        thread.join(20)
    assert raised.value.code == 5
    assert len(puller.slept) == 2
    # 0x16 begins a TLS record: a request in the clear would begin with a letter.
    assert met == [b"\x16"] * 3


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("{self}", "circles"),
        ("file:///etc/passwd", "no web address"),
        ("ftp://127.0.0.1/x", "no web address"),
        ("https:///x", "no web address"),
    ],
)
async def test_a_redirect_that_leads_nowhere(
    proxy: FaultProxy, puller: Puller, kit: KitVersion, where: str, reason: str
) -> None:
    """Code 5, after at most five hops."""
    where = where.replace("{self}", f"/v2/faults/kit/blobs/{kit.layer.digest}")
    proxy.faults, proxy.for_ever = [Fault.status("307 X", f"Location: {where}")], True
    with pytest.raises(UnavailableError, match=reason) as raised:
        await puller(kit.reference)
    assert raised.value.code == 5
    assert len(proxy.requests) <= 6


async def test_a_redirect_to_a_storage_that_forgets(
    proxy: FaultProxy,
    puller: Puller,
    kit: KitVersion,
    scripted: ScriptedServer,
    docker_registry: RunningRegistry,
) -> None:
    """The rest is asked for at the registry, which leads to a fresh address."""
    data = docker_registry.blob_file(kit.layer.digest).read_bytes()
    ranged = {"Content-Range": f"bytes 5000-{len(data) - 1}/{len(data)}"}
    scripted.on("GET", "/first", Scripted(body=data, cut=5000, length=len(data)), Scripted(403))
    scripted.on("GET", "/second", Scripted(206, data[5000:], ranged))
    proxy.faults = [
        Fault.status("307 X", f"Location: {scripted.url}/{name}") for name in ("first", "second")
    ]
    await puller(kit.reference)
    assert scripted.paths() == ["/first", "/second"]
    assert whole(puller.library, kit)


async def test_a_registry_that_dies_and_comes_back(tmp_path: Path) -> None:
    """Killed in the middle of a blob, away for one try, started again: the blob goes on."""
    with run_registry(tmp_path / "registry") as registry, fault_proxy(registry.host) as proxy:
        push_versions(registry, tmp_path / "packed")
        puller = Puller(tmp_path / "library")
        proxy.faults = [Fault(cut=100)]
        acts = [registry.stop, lambda: None, registry.start]
        puller.pause = lambda: acts.pop(0)()
        puller.settings = {"concurrency": 1}
        pulled = await puller(f"{proxy.host}/{REPOSITORY}:v1")
    assert acts == []
    assert [asked for _, asked in proxy.requests[:4]] == [None, *["bytes=100-"] * 3]
    assert proxy.blob_bytes == pulled.bytes_total


async def test_a_registry_that_stays_away(tmp_path: Path, puller: Puller) -> None:
    """Exit code 5: where, why, and what to do."""
    with run_registry(tmp_path / "registry") as registry:
        registry.stop()
        with pytest.raises(RolldeckError, match="cannot be reached: Connection refused") as raised:
            await puller(f"{registry.host}/wdbc:v1.2.0")
    assert raised.value.code == 5
    assert not puller.library.exists()
