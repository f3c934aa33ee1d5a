"""The pool of connections: what is used again, what is not, and what a packed body may cost."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import zlib
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path

import pytest

from rolldeck.errors import IntegrityError, UnavailableError
from rolldeck.oci.address import Origin
from rolldeck.oci.call import Call, Timeouts
from rolldeck.oci.connections import BadHostError, Connection, ProxyLineError, check_public
from rolldeck.oci.content_encoding import Decoder
from rolldeck.oci.headers import Headers
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.pool import Pool, Response
from rolldeck.oci.proxy import Proxy
from rolldeck.oci.retry import Clocks, RetryPolicy
from rolldeck.oci.tls import tls_context
from rolldeck.oci.transport import HttpTransport
from tests.servers.scripted import Scripted, ScriptedServer


@pytest.fixture
def pool() -> Pool:
    return Pool(None, 2)


def get(pool: Pool, url: str) -> Response:
    return pool.send("GET", url, {}, None, Timeouts())


def read(response: Response) -> bytes:
    body = response.raw.read()
    response.close()
    return body


def test_one_connection_serves_what_comes_after_one_another(
    pool: Pool, scripted: ScriptedServer
) -> None:
    scripted.on("GET", "/a", Scripted(body=b"first"))
    scripted.on("GET", "/b", Scripted(body=b""))
    for path, body in (("/a", b"first"), ("/b", b""), ("/a", b"first")):
        assert read(get(pool, scripted.url + path)) == body
    assert scripted.connections == 1


def test_a_body_that_is_not_read_ends_its_connection(pool: Pool, scripted: ScriptedServer) -> None:
    scripted.on("GET", "/a", Scripted(body=b"x" * 100))
    half = get(pool, scripted.url + "/a")
    half.raw.read(50)
    half.close()
    assert half.line is None
    assert read(get(pool, scripted.url + "/a")) == b"x" * 100
    assert scripted.connections == 2


def test_closing_twice_gives_a_connection_back_once(pool: Pool, scripted: ScriptedServer) -> None:
    """Else two threads would speak on one line."""
    scripted.on("GET", "/a", Scripted(body=b"a"))
    first = get(pool, scripted.url + "/a")
    first.raw.read()
    first.close()
    first.close()
    one, other = get(pool, scripted.url + "/a"), get(pool, scripted.url + "/a")
    assert one.line is not other.line
    assert (read(one), read(other)) == (b"a", b"a")


def test_a_connection_that_its_server_closed_is_not_used(pool: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        closed = threading.Event()

        def serve() -> None:
            for _ in range(2):
                line, _ = server.accept()
                with line:
                    line.recv(65536)
                    line.sendall(answer)
                closed.set()

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert read(get(pool, url)) == b"ok"
        assert closed.wait(10)
        assert read(get(pool, url)) == b"ok"
        thread.join()


def test_no_more_connections_are_kept_than_allowed(pool: Pool, scripted: ScriptedServer) -> None:
    scripted.on("GET", "/a", Scripted(body=b"a"))
    for _ in range(2):
        together = [get(pool, scripted.url + "/a") for _ in range(5)]
        for response in together:
            read(response)
    assert scripted.connections == 5 + 3
    pool.close()
    read(get(pool, scripted.url + "/a"))
    assert scripted.connections == 5 + 3 + 1


def test_connections_of_many_servers_do_not_pile_up(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [
        Connection(Origin("http", f"cdn{number}", 80), None, None, public_only=False)
        for number in range(20)
    ]
    closed: list[HTTPConnection] = []
    monkeypatch.setattr(Connection, "close", lambda connection: closed.append(connection))
    for number, connection in enumerate(kept):
        pool.keep(Origin("http", f"cdn{number}", 80), connection)
    assert closed == kept[:4]


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("", "/"),
        ("/a?b=c", "/a?b=c"),
        ("?b=c", "/?b=c"),
        ("/a b/ä?x=y z#part", "/a%20b/%C3%A4?x=y%20z"),
        ("/a%20b?sig=%2F+=", "/a%20b?sig=%2F+="),
    ],
)
def test_an_address_is_sent_as_a_server_can_read_it(
    pool: Pool, scripted: ScriptedServer, url: str, sent: str
) -> None:
    """A redirect may lead anywhere, and a signature must arrive as it was given."""
    scripted.on("GET", ".*", Scripted(body=b"a"))
    read(get(pool, scripted.url + url))
    assert scripted.paths() == [sent]


def test_a_host_names_its_port_unless_that_is_the_usual_one(
    pool: Pool, scripted: ScriptedServer
) -> None:
    scripted.on("GET", "/a", Scripted(body=b"a"))
    read(get(pool, scripted.url + "/a"))
    assert scripted.asked[0].headers["host"] == scripted.host


def test_an_ipv6_address_goes_through_a_tunnel_in_brackets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked: list[bytes] = []

        def serve() -> None:
            line, _ = server.accept()
            with line:
                asked.append(line.recv(65536))
                line.sendall(b"HTTP/1.1 403 No way\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        proxy = Proxy(f"http://127.0.0.1:{server.getsockname()[1]}", None, "test")
        pool = Pool(ssl.create_default_context(), 1, proxy=proxy)
        with pytest.raises(ProxyLineError) as raised:
            get(pool, "https://[::1]:8443/v2/")
        thread.join()
    assert str(raised.value.__cause__) == "403 No way"
    assert asked[0].splitlines()[:2] == [b"CONNECT [::1]:8443 HTTP/1.1", b"Host: [::1]:8443"]


def test_a_proxy_that_speaks_something_else_is_told_as_the_proxys_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(65536)
                line.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        proxy = Proxy(f"http://127.0.0.1:{server.getsockname()[1]}", None, "test")
        with pytest.raises(ProxyLineError):
            get(Pool(ssl.create_default_context(), 1, proxy=proxy), "https://registry.example/v2/")
        thread.join()


def test_a_name_with_other_letters_is_asked_for_in_ascii(
    pool: Pool, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET", "/a", Scripted(body=b"a"))
    port = int(scripted.host.rpartition(":")[2])
    asked: list[bytes] = []

    def resolve(name: bytes, *rest: object, **more: object) -> list[object]:
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert read(get(pool, f"http://bücher.example:{port}/a")) == b"a"
    assert asked == [b"xn--bcher-kva.example"]
    assert scripted.asked[0].headers["host"] == f"xn--bcher-kva.example:{port}"


def test_an_encrypted_connection_is_used_again(secure: ScriptedServer, certificate: Path) -> None:
    secure.on("GET", "/a", Scripted(body=b"a"))
    pool = Pool(tls_context(certificate), 2)
    for _ in range(4):
        assert read(get(pool, secure.url + "/a")) == b"a"
    assert secure.connections == 1


def test_what_is_no_host_is_not_asked_for() -> None:
    pool = Pool(None, 1)
    with pytest.raises(BadHostError):
        get(pool, "http://" + "ä" * 70 + ".example/")
    check_public("ä" * 70)


def test_headers_of_one_name_are_one_list() -> None:
    message = Message()
    message["Link"] = "<a>; rel=next"
    message["LINK"] = "<b>; rel=last"
    headers = Headers(message)
    assert headers["link"] == "<a>; rel=next, <b>; rel=last"
    assert headers.all("Link") == ["<a>; rel=next", "<b>; rel=last"]
    assert (headers.get("Range"), headers.all("Range"), len(headers)) == (None, [], 2)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("X-Gzip", gzip.compress), ("deflate", zlib.compress)],
)
def test_a_packed_document_is_unpacked(
    scripted: ScriptedServer, encoding: str, pack: object
) -> None:
    assert callable(pack)
    document = {"tags": ["v1"] * 1000}
    packed = pack(json.dumps(document).encode())
    scripted.on("GET", "/v2/", Scripted(body=packed, headers={"Content-Encoding": encoding}))
    transport = HttpTransport(scripted.host)
    call = Call("GET", "/v2/", scripted.host, "", {})
    assert transport.request_json(call, 65536, Interrupt())[0] == document
    transport.close()


def test_a_packed_bomb_unpacks_no_further_than_its_limit(scripted: ScriptedServer) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    scripted.on("GET", "/v2/", Scripted(body=bomb, headers={"Content-Encoding": "gzip"}))
    transport = HttpTransport(scripted.host)
    with pytest.raises(IntegrityError, match="larger than 1000 bytes"):
        transport.request(Call("GET", "/v2/", scripted.host, "", {}), 1000, Interrupt())
    transport.close()
    assert len(Decoder("gzip").decode(bomb[:65536], 1001)) == 1001


def test_a_document_that_breaks_off_is_never_taken(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/", Scripted(body=b"[1]", length=10, cut=3))
    quick = Clocks(sleep=lambda seconds: None)
    transport = HttpTransport(scripted.host, retry=RetryPolicy(tries=2), clocks=quick)
    with pytest.raises(UnavailableError, match="broke the connection"):
        transport.request(Call("GET", "/v2/", scripted.host, "", {}), 1000, Interrupt())
    transport.close()
    assert len(scripted.paths()) == 2
