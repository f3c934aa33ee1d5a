"""A proxy in front of a registry that offers what hosted registries may: conditions on tags,
tags that are written once, and referrers.

Each is switched on by itself. It also counts what was asked, and can hold a request back.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_DROPPED = {"connection", "transfer-encoding", "date", "server"}


class GuardingProxy:
    """Listens on ``host`` in front of ``upstream``, a ``host:port``."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.conditions = False
        """Whether If-Match and If-None-Match decide about a manifest's PUT."""
        self.write_once: re.Pattern[str] | None = None
        """Tags that keep what they name; a second PUT is refused with ``refusal``."""
        self.refusal = (409, "TAG_IMMUTABLE")
        self.has_referrers = False
        """Whether there is a referrers API, for what was pushed through here."""
        self.page: int | None = None
        """Most referrers of one page."""
        self.filters = True
        """Whether referrers are filtered by artifact type."""
        self.log: list[tuple[str, str]] = []
        """Method and path of every request."""
        self.before: Callable[[str, str], None] | None = None
        """Called with method and path before a request is passed on; may block."""
        self.after: Callable[[str, str], bool] | None = None
        """Called after; True lets the answer get lost."""
        self.manifests: dict[tuple[str, str], dict[str, Any]] = {}
        """Descriptors of the pushed manifests, by subject and digest."""
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Pass a request on."""
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()

    def digest_of(self, path: str) -> str | None:
        """What a tag names upstream."""
        status, headers, _ = self.ask("HEAD", path, headers={"Accept": f"{_INDEX}, {_MANIFEST}"})
        return dict(headers).get("Docker-Content-Digest") if status == 200 else None

    def remember(self, raw: bytes, media_type: str) -> str | None:
        """Note what a manifest refers to; returns its subject."""
        document = json.loads(raw)
        subject: str | None = (document.get("subject") or {}).get("digest")
        if subject:
            digest = "sha256:" + hashlib.sha256(raw).hexdigest()
            self.manifests[subject, digest] = {
                "mediaType": media_type,
                "digest": digest,
                "size": len(raw),
                "artifactType": document.get("artifactType"),
                "annotations": document.get("annotations") or {},
            }
        return subject

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], owner: GuardingProxy
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
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with owner.lock:
            owner.log.append((self.command, self.path))
        if owner.before is not None:
            owner.before(self.command, self.path)
        name = self.path.rpartition("/")[2]
        if self.command == "PUT" and "/manifests/" in self.path:
            with owner.lock:
                answer = self._refusal(name) or self._pass_on(body)
                if answer[0] == 201 and owner.has_referrers:
                    subject = owner.remember(body, self.headers["Content-Type"])
                    answer[1].extend([("OCI-Subject", subject)] if subject else [])
        elif owner.has_referrers and "/referrers/" in self.path:
            answer = self._referrers()
        else:
            answer = self._pass_on(body)
        if owner.after is not None and owner.after(self.command, self.path):
            self.close_connection = True
            return
        self._answer(*answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _refusal(self, name: str) -> tuple[int, list[tuple[str, str]], bytes] | None:
        owner = self.server.owner
        there = owner.digest_of(self.path)
        if owner.write_once and owner.write_once.fullmatch(name) and there is not None:
            status, code = owner.refusal
            return status, [], json.dumps({"errors": [{"code": code}]}).encode()
        wanted = self.headers.get("If-Match", "").strip('"')
        taken = self.headers.get("If-None-Match") == "*" and there is not None
        if owner.conditions and (taken or (wanted and wanted != there)):
            return 412, [], b""
        return None

    def _pass_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        status, answered, data = self.server.owner.ask(self.command, self.path, body, headers)
        own = f"http://{self.server.owner.host}"
        upstream = f"http://{self.server.owner.upstream}"
        kept = [(k, v.replace(upstream, own)) for k, v in answered if k.lower() not in _DROPPED]
        return status, kept, data

    def _referrers(self) -> tuple[int, list[tuple[str, str]], bytes]:
        owner = self.server.owner
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        subject = parts.path.rpartition("/")[2]
        found = [item for (named, _), item in sorted(owner.manifests.items()) if named == subject]
        headers = [("Content-Type", _INDEX)]
        if owner.filters and "artifactType" in query:
            found = [item for item in found if item["artifactType"] == query["artifactType"]]
            headers.append(("OCI-Filters-Applied", "artifactType"))
        start = int(query.get("start", 0))
        end = len(found) if owner.page is None else start + owner.page
        if end < len(found):
            headers.append(("Link", f'<{parts.path}?start={end}>; rel="next"'))
        document = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": found[start:end]}
        return 200, headers, json.dumps(document).encode()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        lengths = [v for k, v in headers if k.lower() == "content-length"]
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        length = lengths[0] if self.command == "HEAD" and lengths else str(len(body))
        if status != 204:
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def guarding_proxy(upstream: str) -> Iterator[GuardingProxy]:
    """Run a proxy until the block ends."""
    proxy = GuardingProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
