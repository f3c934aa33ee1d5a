"""Tokens that expire in the middle of a pull."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable

import pytest

from rolldeck.errors import DeniedError
from rolldeck.oci import MANIFEST, Descriptor, digest_of
from tests.faults.conftest import Puller
from tests.servers.scripted import Asked, Scripted, ScriptedServer

LAYERS = 8
SIZE = 100_000


class Guarded:
    """A scripted registry with one version of eight layers, open only to the present token.

    ``on_blob`` decides about a request for a blob before its token is looked at.
    """

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.token = 1
        self.on_blob: Callable[[Asked], Scripted | None] = lambda asked: None
        self.contents = {}
        for number in range(LAYERS):
            data = random.Random(number).randbytes(SIZE)
            self.contents[digest_of(data)] = data
        layers = [
            Descriptor("application/octet-stream", digest, SIZE).to_json()
            for digest in self.contents
        ]
        self.contents[digest_of(b"{}")] = b"{}"
        config = Descriptor("application/json", digest_of(b"{}"), 2).to_json()
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        raw = json.dumps(document).encode()
        kinds = {"Content-Type": MANIFEST, "Docker-Content-Digest": digest_of(raw)}
        manifest = Scripted(body=raw, headers=kinds)
        for method in ("HEAD", "GET"):
            server.on(method, "/v2/x/manifests/.*", lambda asked: self._check(asked) or manifest)
        server.on("GET", "/v2/x/blobs/.*", self._blob)
        server.on("GET", "/token.*", self._give_token)

    @property
    def reference(self) -> str:
        return f"{self.server.host}/x:v1"

    @property
    def token_requests(self) -> int:
        return len([path for path in self.server.paths() if path.startswith("/token")])

    def _give_token(self, asked: Asked) -> Scripted:
        return Scripted(body=json.dumps({"token": f"token-{self.token}"}).encode())

    def _check(self, asked: Asked) -> Scripted | None:
        if asked.headers.get("authorization") == f"Bearer token-{self.token}":
            return None
        challenge = f'Bearer realm="{self.server.url}/token",service="s"'
        return Scripted(401, headers={"WWW-Authenticate": challenge})

    def _blob(self, asked: Asked) -> Scripted:
        refused = self.on_blob(asked) or self._check(asked)
        if refused:
            return refused
        data = self.contents[asked.path.rpartition("/")[2]]  # type: ignore[index]
        start = int(asked.headers.get("range", "bytes=0-")[6:-1])
        headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        return Scripted(206 if start else 200, data[start:], headers)


@pytest.fixture
def guarded(scripted: ScriptedServer) -> Guarded:
    """The registry, with its first token."""
    return Guarded(scripted)


async def test_eight_layers_refresh_their_token_once(guarded: Guarded, puller: Puller) -> None:
    """All eight meet 401 at the same moment; one of them asks, the others use what it got."""
    puller.concurrency = LAYERS + 1
    together = threading.Barrier(LAYERS, timeout=10, action=lambda: setattr(guarded, "token", 2))

    def expire(asked: Asked) -> Scripted | None:
        is_layer = not asked.path.endswith(digest_of(b"{}"))
        if is_layer and asked.headers.get("authorization") == "Bearer token-1":
            together.wait()
        return None

    guarded.on_blob = expire
    pulled = await puller(guarded.reference)
    assert guarded.token_requests == 2
    assert pulled.bytes_transferred == pulled.bytes_total


async def test_a_cut_and_then_a_new_token(guarded: Guarded, puller: Puller) -> None:
    """The rest is asked for with the new token; what came stays."""
    layer = next(iter(guarded.contents))
    cut = False

    def cut_once(asked: Asked) -> Scripted | None:
        nonlocal cut
        if cut or not asked.path.endswith(layer):
            return None
        cut, guarded.token = True, 2
        return Scripted(body=guarded.contents[layer], cut=5000, length=SIZE)

    guarded.on_blob = cut_once
    await puller(guarded.reference)
    asked = [one for one in guarded.server.asked if one.path.endswith(layer)]
    assert asked[-1].headers["authorization"] == "Bearer token-2"
    assert asked[-1].headers["range"].startswith("bytes=")
    assert guarded.token_requests == 2


async def test_a_token_that_does_not_help(guarded: Guarded, puller: Puller) -> None:
    """401 with a fresh token is exit code 4: what, as whom, and how to log in."""
    layer = next(iter(guarded.contents))

    def never(asked: Asked) -> Scripted | None:
        guarded.token += asked.path.endswith(layer)
        return None

    guarded.on_blob = never
    with pytest.raises(DeniedError, match=f"{guarded.server.host}/x.*without a login") as raised:
        await puller(guarded.reference)
    assert raised.value.code == 4
    assert "login" in (raised.value.hint or "")
    assert len([one for one in guarded.server.asked if one.path.endswith(layer)]) == 2
