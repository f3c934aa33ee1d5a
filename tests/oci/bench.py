"""What the tests of the HTTP registry share: a transport, token answers, sinks, manifests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rolldeck.oci.call import Answer, Call
from rolldeck.oci.digest import digest_of
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.model import MANIFEST, Descriptor
from rolldeck.oci.retry import Clocks
from rolldeck.oci.secret import Credential, Secret
from rolldeck.oci.transport import HttpTransport
from tests.servers.scripted import Asked, Scripted, ScriptedServer

CANARY = "canary-password"

Open = Callable[..., HttpRegistry]
"""Opens a registry on a server: the fixture ``open_registry``."""


def login(host: str) -> Credential:
    return Credential("user", Secret(f"user:{CANARY}"), None, "test")


class Bench:
    """A transport whose sleeps are only noted."""

    def __init__(self, server: ScriptedServer | str, **settings: Any) -> None:
        self.slept: list[float] = []
        host = server if isinstance(server, str) else server.host
        settings.setdefault("clocks", Clocks(sleep=self.slept.append, chance=lambda: 0.5))
        self.transport = HttpTransport(host, **settings)

    def get(self, path: str = "/v2/x", *, limit: int = 1000, method: str = "GET") -> Answer:
        return self.transport.request(self.call(path, method), limit, Interrupt())

    def call(self, path: str = "/v2/x", method: str = "GET") -> Call:
        return Call(method, path, "host/x:v1", "repository:x:pull", {})


def credential(*, basic: bool = True, identity: bool = False) -> Callable[[str], Credential]:
    return lambda host: Credential(
        "user",
        Secret(f"user:{CANARY}") if basic else None,
        Secret("canary-identity") if identity else None,
        "test",
    )


def token_reply(token: str = "token-1", **more: Any) -> Scripted:
    return Scripted(body=json.dumps({"token": token, **more}).encode())


def guarded(server: ScriptedServer, realm: str, tokens: tuple[str, ...] = ("token-1",)) -> None:
    """Answer /v2/x only with one of the tokens."""

    def answer(asked: Asked) -> Scripted:
        if asked.headers.get("authorization") in {f"Bearer {token}" for token in tokens}:
            return Scripted(body=b"ok")
        challenge = f'Bearer realm="{realm}",service="s, 1",scope="repository:x:pull"'
        return Scripted(401, headers={"WWW-Authenticate": challenge})

    server.on("GET", "/v2/x", answer)


class Jar:
    """A sink that keeps its bytes in memory, and counts how often they were wrong or not all."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.rewinds = 0

    def write(self, chunk: memoryview, /) -> None:
        self.data += chunk

    def rewind(self, size: int, /) -> None:
        self.rewinds += 1
        del self.data[size:]


def blob_of(data: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", digest_of(data), len(data))


def manifest_bytes(**more: Any) -> bytes:
    config = {"mediaType": "application/json", "digest": digest_of(b"{}"), "size": 2}
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
    return json.dumps(document | more).encode()


def tags_page(*names: str, link: str | None = None) -> Scripted:
    headers = {"Link": link} if link else {}
    return Scripted(body=json.dumps({"name": "x", "tags": names}).encode(), headers=headers)
