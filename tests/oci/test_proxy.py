"""Proxies: which one, what it gets to see, and what is said when it fails."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rolldeck.errors import UnavailableError, UntrustedRealmError, UsageError
from rolldeck.oci.address import Origin
from rolldeck.oci.proxy import Proxies, proxies_for
from rolldeck.progress import Progress
from rolldeck.settings import RegistrySettings, Settings
from rolldeck.store import Library
from tests.oci.bench import CANARY, Bench, Open, blob_of, credential, guarded, login, token_reply
from tests.servers.forward_proxy import ForwardProxy
from tests.servers.registry import RunningRegistry, push_blob
from tests.servers.scripted import Asked, Scripted, ScriptedServer

HOST = "registry.test:5000"


def through(proxy: ForwardProxy | str, **more: Any) -> Proxies:
    url = proxy if isinstance(proxy, str) else proxy.url
    return proxies_for(HOST, Settings(proxy=url, **more))


def chosen(proxies: Proxies, url: str) -> str | None:
    proxy = proxies.choose(Origin.of(url))
    return proxy.url if proxy else None


def test_the_environment_as_docker_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://plain.test:1")
    monkeypatch.setenv("https_proxy", "secure.test:3128")
    monkeypatch.setenv("ALL_PROXY", "socks5://other.test:1")
    monkeypatch.setenv("NO_PROXY", "inside.test, .corp.test,10.0.0.0/8,other.test:8443")
    proxies = proxies_for(HOST, Settings())
    assert chosen(proxies, "http://registry.test/") == "http://plain.test:1"
    assert chosen(proxies, "https://registry.test/") == "http://secure.test:3128"
    direct = [
        "https://inside.test/",
        "https://deep.inside.test:5000/",
        "https://a.corp.test/",
        "https://10.1.2.3/",
        "https://other.test:8443/",
        "https://localhost/",
        "http://127.0.0.1:5000/",
        "https://[::1]/",
    ]
    assert [chosen(proxies, url) for url in direct] == [None] * len(direct)
    assert chosen(proxies, "https://notinside.test/") is not None
    assert chosen(proxies, "https://11.1.2.3/") is not None
    assert chosen(proxies, "https://other.test/") is not None


def test_settings_replace_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://environment.test:1")
    monkeypatch.setenv("NO_PROXY", "a.test")
    general = Settings(proxy="http://general.test:2", no_proxy=("b.test",))
    assert chosen(proxies_for(HOST, general), "https://a.test/") == "http://general.test:2"
    assert chosen(proxies_for(HOST, general), "https://b.test/") is None
    own = RegistrySettings(proxy="http://own.test:3", no_proxy=())
    both = Settings(proxy="http://general.test:2", registries={HOST: own})
    assert chosen(proxies_for(HOST, both), "https://b.test/") == "http://own.test:3"
    assert chosen(proxies_for(HOST, both), "http://127.0.0.1/") == "http://own.test:3"
    assert chosen(proxies_for("x.test", both), "https://b.test/") == "http://general.test:2"
    none = Settings(registries={HOST: RegistrySettings(proxy="")})
    assert chosen(proxies_for(HOST, none), "https://b.test/") is None


@pytest.mark.parametrize(
    "text",
    [
        "socks5://u:canary-word@h:1",
        "https://h:1",
        "http://",
        "http://h:x",
        "http://u:canary-word@h/path",
        "::",
    ],
)
def test_what_is_no_proxy_is_named_but_not_shown(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="proxy in the settings") as raised:
        proxies_for(HOST, Settings(proxy=text))
    assert "canary" not in f"{raised.value.message} {raised.value.hint}"
    assert "canary" not in repr(Settings(proxy=text))
    monkeypatch.setenv("HTTPS_PROXY", text)
    with pytest.raises(UsageError, match="HTTPS_PROXY"):
        proxies_for(HOST, Settings())


def test_plain_http_goes_through_it(proxy_server: ForwardProxy, scripted: ScriptedServer) -> None:
    proxy_server.routes[HOST] = scripted.host
    scripted.on("GET", "/v2/x.*", Scripted(body=b"ok"))
    bench = Bench(HOST, plain_http=True, proxies=through(proxy_server))
    assert bench.get("/v2/x?n=1").body == b"ok"
    assert [one.target for one in proxy_server.asked] == [f"http://{HOST}/v2/x?n=1"]


def test_https_goes_through_a_tunnel(
    proxy_server: ForwardProxy, secure: ScriptedServer, certificate: Path
) -> None:
    """The proxy sees where to, and nothing of what is said; one tunnel serves many requests."""
    proxy_server.routes[HOST] = secure.host

    def guarded(asked: Asked) -> Scripted:
        if "authorization" in asked.headers:
            return Scripted(body=b"ok")
        return Scripted(401, headers={"WWW-Authenticate": 'Basic realm="r"'})

    secure.on("GET", "/v2/x", guarded)
    bench = Bench(HOST, ca_file=certificate, proxies=through(proxy_server), credentials=login)
    assert [bench.get().body for _ in range(3)] == [b"ok"] * 3
    assert [(one.method, one.target) for one in proxy_server.asked] == [("CONNECT", HOST)]
    assert "authorization" not in proxy_server.asked[0].headers
    assert len(secure.asked) == 4


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_login_of_a_proxy_goes_to_it_alone(
    proxy_server: ForwardProxy,
    scripted: ScriptedServer,
    secure: ScriptedServer,
    certificate: Path,
    scheme: str,
) -> None:
    """Also where the proxy steps back: the redirect goes to a host that is asked directly."""
    registry = secure if scheme == "https" else scripted
    proxy_server.routes[HOST] = registry.host
    proxy_server.login = "Basic " + base64.b64encode(b"me:canary p@ss").decode()
    location = {"Location": f"{registry.url}/data"}
    registry.on("GET", "/v2/x", Scripted(307, headers=location))
    registry.on("GET", "/data", Scripted(body=b"ok"))
    proxies = through(f"http://me:canary%20p%40ss@{proxy_server.host}")
    bench = Bench(HOST, plain_http=scheme == "http", ca_file=certificate, proxies=proxies)
    assert bench.get().body == b"ok"
    assert len(proxy_server.asked) == 1
    for asked in registry.asked:
        assert not {"proxy-authorization", "authorization"} & set(asked.headers)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("given", ["", "me:canary-word@"])
def test_a_proxy_that_wants_a_login(proxy_server: ForwardProxy, scheme: str, given: str) -> None:
    proxy_server.login = "Basic other"
    proxies = through(f"http://{given}{proxy_server.host}")
    bench = Bench(HOST, plain_http=scheme == "http", proxies=proxies)
    with pytest.raises(UnavailableError, match="407") as raised:
        bench.get()
    said = f"{raised.value.message} {raised.value.hint}"
    assert raised.value.code == 5
    assert proxy_server.host in said
    assert "proxy in the settings" in said
    assert "canary" not in said
    assert len(proxy_server.asked) == 1


@pytest.mark.parametrize(
    ("status", "tries"), [("403 Forbidden", 1), ("502 Bad Gateway", 3), ("504 x\x1b[2J", 3)]
)
def test_a_proxy_that_does_not_connect(proxy_server: ForwardProxy, status: str, tries: int) -> None:
    proxy_server.refuse = status
    with pytest.raises(UnavailableError, match=f"does not connect to {HOST}: {status[:3]}") as told:
        Bench(HOST, proxies=through(proxy_server)).get()
    assert len(proxy_server.asked) == tries
    assert "\x1b" not in told.value.message


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there(scheme: str) -> None:
    bench = Bench(HOST, plain_http=scheme == "http", proxies=through("http://127.0.0.1:1"))
    with pytest.raises(UnavailableError, match=r"proxy 127\.0\.0\.1:1 cannot be reached") as raised:
        bench.get()
    assert "refused" in raised.value.message


def test_netrc_is_not_read(
    proxy_server: ForwardProxy,
    scripted: ScriptedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    hosts = ("127.0.0.1", "registry.test")
    netrc.write_text("".join(f"machine {h} login u password canary\n" for h in hosts))
    (Path.home() / ".netrc").write_text(netrc.read_text())
    monkeypatch.setenv("NETRC", str(netrc))
    proxy_server.routes[HOST] = scripted.host
    scripted.on("GET", "/v2/x", Scripted(401, headers={"WWW-Authenticate": 'Basic realm="r"'}))
    for bench in (Bench(scripted), Bench(HOST, plain_http=True, proxies=through(proxy_server))):
        with pytest.raises(Exception, match="without a login"):
            bench.get()
    for headers in (one.headers for one in (*scripted.asked, *proxy_server.asked)):
        assert not {"authorization", "proxy-authorization"} & set(headers)


def test_a_private_token_server_is_not_asked_through_a_proxy(
    proxy_server: ForwardProxy, start_scripted: Callable[[], ScriptedServer]
) -> None:
    registry, inside = start_scripted(), start_scripted()
    proxy_server.routes[HOST] = registry.host
    own = RegistrySettings(proxy=proxy_server.url)
    proxies = proxies_for(HOST, Settings(registries={HOST: own}))
    guarded(registry, f"{inside.url}/token")
    bench = Bench(HOST, plain_http=True, proxies=proxies, credentials=credential())
    with pytest.raises(UntrustedRealmError, match="private network"):
        bench.get()
    assert inside.asked == []
    assert len(proxy_server.asked) == 1


def test_tokens_are_asked_for_through_the_proxy(
    proxy_server: ForwardProxy, start_scripted: Callable[[], ScriptedServer]
) -> None:
    registry, tokens = start_scripted(), start_scripted()
    proxy_server.routes = {
        HOST: registry.host,
        "auth.test:80": tokens.host,
        "auth.test": tokens.host,
    }
    guarded(registry, "http://auth.test/token")
    tokens.on("GET", "/token.*", token_reply())
    bench = Bench(
        HOST,
        plain_http=True,
        proxies=through(proxy_server),
        credentials=credential(),
        token_hosts=["auth.test"],
    )
    assert bench.get().body == b"ok"
    assert CANARY in base64.b64decode(tokens.asked[0].headers["authorization"].split()[1]).decode()
    assert len(proxy_server.asked) == 3


@pytest.mark.parametrize("proxied", [False, True])
async def test_blobs_come_through_it_as_without_it(
    open_registry: Open,
    docker_registry: RunningRegistry,
    proxy_server: ForwardProxy,
    tmp_path: Path,
    proxied: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From a real registry into a file, spliced where nothing is encrypted."""
    spliced: list[int] = []
    from rolldeck import fsops

    real = fsops.splice

    def counting(pipe: int, fd: int, count: int) -> None:
        spliced.append(count)
        real(pipe, fd, count)

    monkeypatch.setattr(fsops, "splice", counting)
    data = random.Random(7).randbytes(3_000_000)
    blob = blob_of(data)
    push_blob(docker_registry.url, "proxied/x", blob.digest, data)
    own = RegistrySettings(proxy=proxy_server.url if proxied else None)
    proxies = proxies_for(docker_registry.host, Settings(registries={docker_registry.host: own}))
    library = Library(tmp_path / "library")
    library.prepare()
    registry = open_registry(docker_registry, proxies=proxies)
    from rolldeck.actions.fetch import fetch

    await fetch(library, registry, "proxied/x", blob, Progress())
    assert library.layout.blob_path(blob.digest).read_bytes() == data
    assert len(proxy_server.asked) == (1 if proxied else 0)
    assert sum(spliced) > 2_000_000
