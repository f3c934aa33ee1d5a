"""Encryption: who is believed, and what is said when nobody is."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolldeck.errors import CancelledError, UnavailableError, UsageError
from rolldeck.oci.interrupt import Interrupt
from tests.oci.bench import Bench, guarded, login, token_reply
from tests.servers.scripted import Asked, Scripted, ScriptedServer, scripted_server


def test_unknown_authority_is_refused_at_once(secure: ScriptedServer) -> None:
    bench = Bench(secure, plain_http=False)
    with pytest.raises(UnavailableError, match="certificate of 127") as raised:
        bench.get()
    assert "self-signed" in raised.value.message.replace("self signed", "self-signed")
    assert "ca_file" in (raised.value.hint or "")
    assert secure.asked == []
    assert bench.slept == []


def test_named_authority_is_believed(secure: ScriptedServer, certificate: Path) -> None:
    secure.on("GET", "/v2/x", Scripted(body=b"ok"))
    assert Bench(secure, plain_http=False, ca_file=certificate).get().body == b"ok"


def test_certificate_of_another_host(secure: ScriptedServer, certificate: Path) -> None:
    host = secure.host.replace("127.0.0.1", "localhost")
    with pytest.raises(UnavailableError, match="certificate of localhost"):
        Bench(host, plain_http=False, ca_file=certificate).get()
    assert secure.asked == []


def test_redirect_and_realm_without_encryption_are_refused(
    secure: ScriptedServer, scripted: ScriptedServer, certificate: Path
) -> None:
    secure.on("GET", "/v2/x", Scripted(307, headers={"Location": f"{scripted.url}/data"}))
    challenge = f'Bearer realm="{scripted.url}/token"'
    secure.on("GET", "/v2/y", Scripted(401, headers={"WWW-Authenticate": challenge}))
    bench = Bench(secure, plain_http=False, ca_file=certificate, credentials=login)
    with pytest.raises(UnavailableError, match="unencrypted"):
        bench.get("/v2/x")
    with pytest.raises(Exception, match="without encryption"):
        bench.get("/v2/y")
    assert scripted.asked == []


@pytest.fixture
def identified(certificate: Path) -> Iterator[ScriptedServer]:
    """A server that wants a client certificate from everyone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    # With TLS 1.3 a client learns of the refusal at some later byte, or never.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with scripted_server(context) as server:
        yield server


def test_client_certificate(identified: ScriptedServer, certificate: Path, tmp_path: Path) -> None:
    identified.on("GET", "/v2/x", Scripted(body=b"ok"))
    settings = {"plain_http": False, "ca_file": certificate}
    key = certificate.with_name("key.pem")
    named = Bench(identified, client_cert=certificate, client_key=key, **settings)
    assert named.get().body == b"ok"
    both = tmp_path / "both.pem"
    both.write_text(certificate.read_text() + key.read_text())
    assert Bench(identified, client_cert=both, **settings).get().body == b"ok"
    with pytest.raises(UnavailableError) as raised:
        Bench(identified, **settings).get()
    assert "client_cert" in (raised.value.hint or "")


def test_client_certificate_is_for_the_registry_alone(
    secure: ScriptedServer, identified: ScriptedServer, certificate: Path
) -> None:
    """A redirect leads to another server that would like to see it."""
    secure.on("GET", "/v2/x", Scripted(307, headers={"Location": f"{identified.url}/data"}))
    identified.on("GET", "/data", Scripted(body=b"ok"))
    bench = Bench(
        secure,
        plain_http=False,
        ca_file=certificate,
        client_cert=certificate,
        client_key=certificate.with_name("key.pem"),
    )
    with pytest.raises(UnavailableError):
        bench.get()
    assert identified.asked == []


def test_client_certificate_is_shown_to_a_named_token_server(
    secure: ScriptedServer, identified: ScriptedServer, certificate: Path
) -> None:
    guarded(secure, f"{identified.url}/token")
    identified.on("GET", "/token.*", token_reply())
    settings = {
        "plain_http": False,
        "ca_file": certificate,
        "client_cert": certificate,
        "client_key": certificate.with_name("key.pem"),
    }
    assert Bench(secure, token_hosts=[identified.host], **settings).get().body == b"ok"


def test_client_certificate_that_is_none(certificate: Path, tmp_path: Path) -> None:
    """Also a key with a password, which must not be asked for on the terminal."""
    key, locked, other = certificate.with_name("key.pem"), tmp_path / "locked", tmp_path / "other"
    command = ["openssl", "ec", "-aes256", "-passout", "pass:x", "-in", str(key)]
    subprocess.run([*command, "-out", str(locked)], check=True, capture_output=True)
    other.write_text("nothing")
    for wrong in (
        {"client_cert": certificate, "client_key": locked},
        {"client_cert": certificate, "client_key": other},
        {"client_cert": other, "client_key": key},
        {"client_cert": tmp_path / "missing"},
        {"client_cert": certificate},
        {"client_key": key},
    ):
        with pytest.raises(UsageError, match=r"client.(certificate|key)"):
            Bench("127.0.0.1:1", plain_http=False, **wrong).get()


def test_cancel_ends_a_wait_for_headers(secure: ScriptedServer, certificate: Path) -> None:
    arrived = threading.Event()

    def never(asked: Asked) -> Scripted:
        arrived.set()
        secure.released.wait(60)
        return Scripted()

    secure.on("GET", "/v2/x", never)
    bench, interrupt = Bench(secure, plain_http=False, ca_file=certificate), Interrupt()

    def cancel() -> None:
        arrived.wait(10)
        interrupt.cancel()

    threading.Thread(target=cancel).start()
    with pytest.raises(CancelledError):
        bench.transport.request(bench.call(), 10, interrupt)
    interrupt.detach()


def test_cancel_ends_a_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bench = Bench(f"127.0.0.1:{silent.getsockname()[1]}", plain_http=False)
        interrupt = Interrupt()
        threading.Timer(0.2, interrupt.cancel).start()
        with pytest.raises(CancelledError):
            bench.transport.request(bench.call(), 10, interrupt)
        interrupt.detach()
