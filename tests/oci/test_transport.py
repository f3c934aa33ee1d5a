"""The HTTP policy against a server that misbehaves on purpose."""

from __future__ import annotations

import socket
import threading
import time
from email.utils import formatdate
from typing import Any

import pytest

from rolldeck.errors import (
    CancelledError,
    DeniedError,
    IntegrityError,
    NotFoundError,
    UnavailableError,
)
from rolldeck.oci.call import Timeouts
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.retry import Clocks, RetryPolicy, parse_retry_after
from tests.oci.bench import (
    Bench,
)
from tests.servers.registry import free_port
from tests.servers.scripted import Asked, Scripted, ScriptedServer


def test_says_who_it_is_and_asks_for_no_encoding(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(body=b"ok"))
    assert Bench(scripted).get().body == b"ok"
    headers = scripted.asked[0].headers
    assert headers["user-agent"].startswith("rolldeck/")
    assert headers["accept-encoding"] == "identity"
    assert "authorization" not in headers


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_repeats_what_may_pass(scripted: ScriptedServer, status: int) -> None:
    scripted.on("GET", "/v2/x", Scripted(status), Scripted(status), Scripted(body=b"ok"))
    bench = Bench(scripted)
    assert bench.get().body == b"ok"
    assert bench.slept == [0.5, 1.0]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, UnavailableError),
        (401, DeniedError),
        (403, DeniedError),
        (404, NotFoundError),
        (416, UnavailableError),
    ],
)
def test_never_repeats_what_is_final(
    scripted: ScriptedServer, status: int, error: type[Exception]
) -> None:
    body = b'{"errors": [{"code": "NO\\u001b[31m", "message": "because"}]}'
    scripted.on("GET", "/v2/x", Scripted(status, body))
    with pytest.raises(error, match="host/x:v1") as raised:
        Bench(scripted).get()
    assert len(scripted.asked) == 1
    assert "\x1b" not in str(raised.value)
    assert raised.value.hint  # type: ignore[attr-defined]


def test_gives_up_after_three_tries(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(429))
    bench = Bench(scripted)
    with pytest.raises(UnavailableError) as raised:
        bench.get()
    assert raised.value.code == 5
    assert len(scripted.asked) == 3
    assert bench.slept == [0.5, 1.0]


def test_waits_as_long_as_the_registry_asks(scripted: ScriptedServer) -> None:
    asks = Scripted(429, headers={"Retry-After": "7"})
    scripted.on("GET", "/v2/x", asks, Scripted(body=b"ok"))
    bench = Bench(scripted)
    bench.get()
    assert bench.slept == [7.0]


def test_does_not_wait_beyond_the_budget(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(503, headers={"Retry-After": "1000000000"}))
    bench = Bench(scripted)
    with pytest.raises(UnavailableError) as raised:
        bench.get()
    assert bench.slept == []
    assert "11574 days" in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("2", 2.0),
        (" 600 ", 600.0),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("\u0663", None),
        (formatdate(1030, usegmt=True), 30.0),
        (formatdate(900, usegmt=True), 0.0),
        ("Thu Jan  1 00:17:10 1970", 30.0),
        ("Mon, 99 Foo 2026", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, 1000.0) == seconds


def test_refused_connection_is_tried_again_then_reported() -> None:
    bench = Bench(f"127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match=r"cannot be reached: Connection refused \(3 tries"):
        bench.get()
    assert len(bench.slept) == 2


def test_unknown_host_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    bench = Bench("registry.example")
    with pytest.raises(UnavailableError, match=r"host not found: registry\.example"):
        bench.get()
    assert bench.slept == []


def test_failing_name_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    bench = Bench("registry.example")
    with pytest.raises(UnavailableError):
        bench.get()
    assert len(bench.slept) == 2


def test_tls_to_a_plain_server_names_the_way_out(scripted: ScriptedServer) -> None:
    with pytest.raises(UnavailableError, match="encrypted") as raised:
        Bench(scripted, plain_http=False, retry=RetryPolicy(tries=1)).get()
    assert "plain-http" in (raised.value.hint or "")


def test_truncated_body_is_read_again(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(body=b"0123456789", cut=4), Scripted(body=b"0123456789"))
    assert Bench(scripted).get().body == b"0123456789"
    assert len(scripted.asked) == 2


def test_stalled_body_times_out(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(body=b"0123456789", stall=4), Scripted(body=b"ok"))
    assert Bench(scripted, timeouts=Timeouts(read=0.1)).get().body == b"ok"


def test_body_beyond_the_limit_is_not_read_on(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(body=bytes(50_000_000)))
    with pytest.raises(IntegrityError, match="larger than 1000 bytes"):
        Bench(scripted).get()
    assert len(scripted.asked) == 1
    assert scripted.sent < 50_000_000


def test_error_body_is_cut_and_cleaned(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(403, b"\x1b]52;c;eA==\x07" * 1_000_000))
    with pytest.raises(DeniedError) as raised:
        Bench(scripted).get()
    assert len(raised.value.message) < 1024
    assert "\x1b" not in raised.value.message


def test_web_page_is_no_registry(scripted: ScriptedServer) -> None:
    page = Scripted(body=b"<!doctype html><p>Log in", headers={"Content-Type": "text/html"})
    scripted.on("GET", "/v2/x", page)
    bench = Bench(scripted)
    with pytest.raises(UnavailableError, match="not a registry"):
        bench.transport.request_json(bench.call(), 1000, Interrupt())


def test_cancel_ends_a_wait_for_headers(scripted: ScriptedServer) -> None:
    arrived = threading.Event()

    def never(asked: Asked) -> Scripted:
        arrived.set()
        scripted.released.wait(60)
        return Scripted()

    scripted.on("GET", "/v2/x", never)
    interrupt = Interrupt()
    bench = Bench(scripted)

    def cancel() -> None:
        arrived.wait(10)
        interrupt.cancel()

    threading.Thread(target=cancel).start()
    start = time.monotonic()
    with pytest.raises(CancelledError):
        bench.transport.request(bench.call(), 10, interrupt)
    assert time.monotonic() - start < 10
    interrupt.detach()
    assert len(scripted.asked) == 1


def test_cancel_ends_a_pause_between_tries(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(503, headers={"Retry-After": "60"}))
    interrupt = Interrupt()
    bench = Bench(scripted, clocks=Clocks())
    threading.Timer(0.2, interrupt.cancel).start()
    with pytest.raises(CancelledError):
        bench.transport.request(bench.call(), 10, interrupt)
    interrupt.detach()
