"""Encryption: who is believed, and what is said when nobody is."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from rolldeck.errors import CancelledError, UnavailableError
from rolldeck.oci.interrupt import Interrupt
from tests.oci.bench import Bench, login
from tests.servers.scripted import Asked, Scripted, ScriptedServer


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
