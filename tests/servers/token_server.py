"""A token server for docker-registry (distribution "Token Authentication Specification").

Its tokens are JWTs, signed with ES256 by openssl; the registry trusts the certificate. It gives
pull and push to who logs in, pull of ``public/...`` to everyone, and counts what it is asked.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ISSUER = "rolldeck tests"
SERVICE = "registry.tests"


@dataclass(frozen=True)
class TokenAsked:
    """One request for a token: its scopes, and how who asked showed who it is."""

    method: str
    scopes: tuple[str, ...]
    login: str | None
    refresh_token: str | None


@dataclass
class TokenServer:
    """Answers at ``url``; ``asked`` grows with every request.

    ``identity`` is the refresh token it takes; ``post`` is whether it knows POST; ``life`` is how
    many seconds it says that its tokens live.
    """

    certificate: Path
    login: tuple[str, str]
    identity: str = "canary-identity-token"
    post: bool = True
    life: int = 300
    url: str = ""
    asked: list[TokenAsked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def credentials_seen(self) -> int:
        """How many requests carried any login."""
        return sum(1 for one in self.asked if one.login or one.refresh_token)

    def answer(self, asked: TokenAsked) -> tuple[int, dict[str, Any]]:
        """Return status and document of the answer to one request."""
        with self.lock:
            self.asked.append(asked)
        known = asked.login == ":".join(self.login) or asked.refresh_token == self.identity
        if (asked.login or asked.refresh_token) and not known:
            return 401, {"errors": [{"code": "UNAUTHORIZED", "message": f"not {asked.login}"}]}
        token = self._token(asked.scopes, known)
        name = "access_token" if asked.method == "POST" else "token"
        return 200, {name: token, "expires_in": self.life}

    def _token(self, scopes: tuple[str, ...], known: bool) -> str:
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, name, actions = scope.rsplit(":", 2) if scope.count(":") > 1 else ("", "", "")
            granted = actions.split(",") if known else ["pull"] if "public/" in name else []
            access.append({"type": kind, "name": name, "actions": granted})
        claims = {
            "iss": ISSUER,
            "sub": self.login[0] if known else "",
            "aud": SERVICE,
            "exp": now + 300,
            "nbf": now - 10,
            "iat": now,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text())
        header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        key = self.certificate.with_name("key.pem")
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", str(key)],
            input=signed.encode(),
            capture_output=True,
            check=True,
        ).stdout
        return f"{signed}.{_encoded(_raw(signature))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _raw(der: bytes) -> bytes:
    """Turn the DER pair that openssl writes into the 64 bytes that RFC 7518 wants."""
    numbers, position = b"", 2
    for _ in range(2):
        length = der[position + 1]
        number = der[position + 2 : position + 2 + length]
        numbers += number.lstrip(b"\x00").rjust(32, b"\x00")
        position += 2 + length
    return numbers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        form = parse_qs(body if self.command == "POST" else urlsplit(self.path).query)
        scopes = tuple(one for text in form.get("scope", []) for one in text.split())
        kind, _, encoded = self.headers.get("Authorization", "").partition(" ")
        login = base64.b64decode(encoded).decode() if kind == "Basic" else None
        refresh = form.get("refresh_token", [None])[0]
        owner = self.server.owner
        if self.command == "POST" and not owner.post:
            self._reply(405, {})
            return
        self._reply(*owner.answer(TokenAsked(self.command, scopes, login, refresh)))

    def _reply(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: TokenServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)


@contextmanager
def token_server(certificate: Path, login: tuple[str, str], **more: Any) -> Iterator[TokenServer]:
    """Run a token server over TLS, with the certificate that also signs its tokens."""
    owner = TokenServer(certificate, login, **more)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with _Server(owner) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        owner.url = f"https://127.0.0.1:{server.server_address[1]}/token"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield owner
        finally:
            server.shutdown()
            thread.join()
