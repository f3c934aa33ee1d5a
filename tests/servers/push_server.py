"""A registry in memory that takes uploads as the specification says, and misbehaves as it is told.

Where docker-registry loses an upload with its connection, this one keeps what came, so that going
on where an upload was can be tested and its traffic counted.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_PIECE = 65536


@dataclass(frozen=True)
class Fault:
    """What is done to one request with a part of a blob.

    ``cut`` closes the connection after that many bytes of the body, which are kept; ``short`` takes
    only that many and says so; ``status`` answers that, with the error ``code``, and takes nothing;
    ``lose`` forgets the upload and answers 404; ``silent`` takes all and closes without an answer.
    """

    cut: int | None = None
    short: int | None = None
    status: int | None = None
    code: str = "UNKNOWN"
    lose: bool = False
    silent: bool = False


class PushServer:
    """Takes pushes at ``host``; the n-th part of a blob meets the n-th of ``faults``, or None."""

    def __init__(self) -> None:
        self.blobs: dict[tuple[str, str], bytes] = {}
        """By repository and digest."""
        self.manifests: dict[tuple[str, str], bytes] = {}
        """By repository and tag or digest."""
        self.types: dict[str, str] = {}
        """Content-Type of each manifest, by digest."""
        self.faults: list[Fault | None] = []
        self.largest: int | None = None
        """Most bytes of one part; a larger one is answered with ``too_large``."""
        self.too_large = 416
        self.least: int | None = None
        """Announced as OCI-Chunk-Min-Length."""
        self.locations: str = "relative"
        """``relative``, ``absolute``, ``none``, or another host to send uploads to."""
        self.stall: threading.Event | None = None
        """Where set, parts are not read on after 64 KiB before it is set."""
        self.phantoms: set[str] = set()
        """Digests that HEAD calls present although they are not."""
        self.many_tags = False
        """Whether several tags in one request are understood."""
        self.tags_are_versions = False
        """Whether deleting a tag deletes what it names."""
        self.tokens: list[str] | None = None
        """Where set, requests need the first of these; ``expire`` drops it."""
        self.expire_after: int | None = None
        """Parts after which the token expires."""
        self.log: list[tuple[str, str]] = []
        """Method and path, with query, of every request."""
        self.seen: list[tuple[str, str | None]] = []
        """Path and Authorization of every request."""
        self.scopes: list[str] = []
        """Scopes that tokens were asked for."""
        self.received: Counter[str] = Counter()
        """Body bytes by method."""
        self.torn = 0
        """Parts that the client did not send to their end."""
        self.ranges: list[str | None] = []
        """Content-Range of every PATCH."""
        self.uploads: dict[str, bytearray] = {}
        self._parts = 0
        self._count = 0
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def methods(self) -> Counter[str]:
        """How many requests of each method came."""
        return Counter(method for method, _ in self.log)

    def next_fault(self) -> Fault | None:
        with self.lock:
            number = self._parts
            self._parts += 1
            if self.expire_after is not None and number == self.expire_after and self.tokens:
                self.tokens.pop(0)
            return self.faults[number] if number < len(self.faults) else None

    def begin(self) -> str:
        with self.lock:
            self._count += 1
            self.uploads[str(self._count)] = bytearray()
            return str(self._count)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], owner: PushServer
    ) -> None:
        self.owner = owner
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        owner = self.server.owner
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.all_tags = parse_qs(parts.query).get("tag", [])
        self.length = int(self.headers.get("Content-Length") or 0)
        with owner.lock:
            owner.log.append((self.command, self.path))
            owner.seen.append((self.path, self.headers.get("Authorization")))
        if parts.path == "/token":
            owner.scopes.append(" ".join(parse_qs(parts.query)["scope"]))
            assert owner.tokens
            self._answer(200, json.dumps({"token": owner.tokens[0]}).encode())
            return
        if owner.tokens is not None and not self._allowed():
            realm = f'Bearer realm="http://{owner.host}/token",service="s"'
            self._answer(401, headers={"WWW-Authenticate": realm}, unread=True)
            return
        if parts.path.endswith("/tags/list"):
            repository = parts.path.removeprefix("/v2/").removesuffix("/tags/list")
            names = [
                tag for where, tag in owner.manifests if where == repository and ":" not in tag
            ]
            self._answer(200, json.dumps({"tags": names}).encode())
            return
        found = re.fullmatch(r"/v2/(.+)/(blobs|manifests)/(uploads/)?(.*)", parts.path)
        assert found, self.path
        self.repository, kind, upload, self.name = found.groups()
        if kind == "manifests":
            self._manifest()
        elif upload:
            self._upload()
        else:
            self._blob()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _allowed(self) -> bool:
        tokens = self.server.owner.tokens
        return bool(tokens) and self.headers.get("Authorization") == f"Bearer {tokens[0]}"

    def _blob(self) -> None:
        owner = self.server.owner
        data = owner.blobs.get((self.repository, self.name))
        if data is None and self.name in owner.phantoms:
            self._answer(200)
        elif data is None:
            self._error(404, "BLOB_UNKNOWN")
        else:
            self._answer(200, data)

    def _upload(self) -> None:
        owner = self.server.owner
        if self.command == "POST":
            mounted = owner.blobs.get((self.query.get("from", ""), self.query.get("mount", "")))
            if mounted is not None:
                owner.blobs[self.repository, self.query["mount"]] = mounted
                self._answer(201, headers={"Location": "/v2/x"})
                return
            headers = self._location(owner.begin())
            if owner.least:
                headers["OCI-Chunk-Min-Length"] = str(owner.least)
            self._answer(202, headers=headers)
        elif self.name not in owner.uploads:
            self._error(404, "BLOB_UPLOAD_UNKNOWN")
        elif self.command == "GET":
            self._answer(204, headers=self._progress())
        elif self.command == "DELETE":
            del owner.uploads[self.name]
            self._answer(204)
        else:
            self._part()

    def _part(self) -> None:
        owner = self.server.owner
        held = owner.uploads[self.name]
        fault = (owner.next_fault() if self.length else None) or Fault()
        if self.command == "PATCH":
            owner.ranges.append(self.headers.get("Content-Range"))
        if fault.lose:
            del owner.uploads[self.name]
            self._error(404, "BLOB_UPLOAD_UNKNOWN")
        elif owner.tokens is not None and not self._allowed():
            realm = f'Bearer realm="http://{owner.host}/token",service="s"'
            self._answer(401, headers={"WWW-Authenticate": realm}, unread=True)
        elif fault.status is not None:
            self._error(fault.status, fault.code)
        elif owner.largest is not None and self.length > owner.largest:
            self._error(owner.too_large, "SIZE_INVALID" if owner.too_large == 413 else "RANGE")
        elif self.command == "PATCH" and not self._fits(len(held)):
            self._error(416, "RANGE_INVALID")
        else:
            self._take(held, fault)

    def _fits(self, offset: int) -> bool:
        wanted = self.headers.get("Content-Range")
        return wanted == f"{offset}-{offset + self.length - 1}"

    def _take(self, held: bytearray, fault: Fault) -> None:
        owner = self.server.owner
        left = min(self.length, self.length if fault.cut is None else fault.cut)
        new = bytearray()
        while left and (piece := self.rfile.read(min(left, _PIECE))):
            new += piece
            left -= len(piece)
            if owner.stall is not None:
                owner.stall.wait(30)
            with owner.lock:
                owner.received[self.command] += len(piece)
        held += new[: fault.short]
        if fault.cut is not None or left:
            owner.torn += bool(left)
            self._hang_up()
            return
        if self.command == "PATCH":
            self._hang_up() if fault.silent else self._answer(202, headers=self._progress())
            return
        digest = self.query["digest"]
        del owner.uploads[self.name]
        if hashlib.new(digest.partition(":")[0], held).hexdigest() != digest.partition(":")[2]:
            self._error(400, "DIGEST_INVALID")
            return
        owner.blobs[self.repository, digest] = bytes(held)
        if fault.silent:
            self._hang_up()
        else:
            self._answer(201, headers={"Location": f"/v2/{self.repository}/blobs/{digest}"})

    def _manifest(self) -> None:
        owner = self.server.owner
        if self.command == "PUT":
            self._put_manifest()
            return
        found = owner.manifests.get((self.repository, self.name))
        if found is None:
            self._error(404, "MANIFEST_UNKNOWN")
        elif self.command == "DELETE":
            same = [key for key, raw in owner.manifests.items() if raw == found]
            whole = ":" in self.name or owner.tags_are_versions
            for key in same if whole else [(self.repository, self.name)]:
                del owner.manifests[key]
            self._answer(202)
        else:
            digest = "sha256:" + hashlib.sha256(found).hexdigest()
            headers = {"Docker-Content-Digest": digest, "Content-Type": owner.types[digest]}
            self._answer(200, found, headers)

    def _put_manifest(self) -> None:
        owner = self.server.owner
        raw = self.rfile.read(self.length)
        document = json.loads(raw)
        named = [document.get("config"), *document.get("layers", [])]
        missing = [
            b["digest"] for b in named if b and (self.repository, b["digest"]) not in owner.blobs
        ]
        if missing:
            errors = [
                {"code": "MANIFEST_BLOB_UNKNOWN", "detail": {"digest": digest}}
                for digest in missing
            ]
            self._answer(400, json.dumps({"errors": errors}).encode())
            return
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        owner.types[digest] = self.headers["Content-Type"]
        tags = self.all_tags if owner.many_tags else []
        for name in (digest, self.name, *tags):
            owner.manifests[self.repository, name] = raw
        headers = {"Docker-Content-Digest": digest}
        if tags:
            headers["OCI-Tag"] = ", ".join(tags)
        self._answer(201, headers=headers)

    def _location(self, name: str) -> dict[str, str]:
        owner = self.server.owner
        path = f"/v2/{self.repository}/blobs/uploads/{name}?state={len(owner.uploads[name])}"
        if owner.locations == "none":
            return {}
        if owner.locations == "relative":
            return {"Location": path}
        other = owner.host if owner.locations == "absolute" else owner.locations
        return {"Location": f"http://{other}{path}"}

    def _progress(self) -> dict[str, str]:
        held = len(self.server.owner.uploads[self.name])
        return {**self._location(self.name), "Range": f"0-{max(held - 1, 0)}"}

    def _error(self, status: int, code: str) -> None:
        self._answer(status, json.dumps({"errors": [{"code": code}]}).encode(), unread=True)

    def _answer(
        self,
        status: int,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        unread: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        if unread and self.length:
            # As Go's server does: the answer at once, then the end of a connection half used.
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
        if unread and self.length:
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(_PIECE):
                pass

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def push_server() -> Iterator[PushServer]:
    """Run a server until the block ends."""
    server = PushServer()
    try:
        yield server
    finally:
        server.close()
