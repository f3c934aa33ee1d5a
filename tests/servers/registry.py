"""Debian's docker-registry on a loopback port, and pushing golden layouts to it.

Pushing uses urllib.request and nothing of rolldeck, so that a fault in one cannot hide in both.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.servers.token_server import ISSUER, SERVICE, TokenServer

USER = "deck"
PASSWORD = "s3cret-canary"
HTPASSWD = f"{USER}:$2b$04$MmvmJh.pxLTuCyVLTlF3i.bPkmhgToir0CvEl04S5vSu7h.LlSuLa\n"
"""bcrypt of PASSWORD, computed once."""

_REF_NAME = "org.opencontainers.image.ref.name"
_START_LIMIT = 15.0


class RegistryProcess:
    """The process of a registry, which may be killed and started again."""

    def __init__(self, program: str, directory: Path, port: int) -> None:
        self._command = [program, "serve", str(directory / "config.yml")]
        self._log = directory / "log"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        _wait_until_ready(self._port, self._process, self._log)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)


@dataclass(frozen=True)
class RunningRegistry:
    """A registry that answers at ``host`` and keeps its blobs below ``storage``."""

    host: str
    storage: Path
    login: tuple[str, str] | None = None
    scheme: str = "http"
    process: RegistryProcess | None = None

    def stop(self) -> None:
        """Kill the process, as a crash does; the port is closed from then on."""
        assert self.process is not None
        self.process.kill()

    def start(self) -> None:
        """Run it again, at the same port with the same blobs."""
        assert self.process is not None
        self.process.start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    def blob_file(self, digest: str) -> Path:
        """The file that holds a blob, for tests that damage it."""
        algorithm, _, encoded = digest.partition(":")
        blobs = self.storage / "docker" / "registry" / "v2" / "blobs"
        return blobs / algorithm / encoded[:2] / encoded / "data"

    def push(self, layout: Path, repository: str, *tags: str) -> dict[str, str]:
        """Push a layout (only ``tags`` when given); returns the digest of each tag."""
        return push_layout(self.url, layout, repository, *tags, login=self.login)


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_registry(
    directory: Path,
    *,
    htpasswd: bool = False,
    tls: Path | None = None,
    token: TokenServer | None = None,
    storage: Path | None = None,
    program: str | None = None,
) -> Iterator[RunningRegistry]:
    """Run a registry with its storage in ``directory`` until the block ends.

    ``tls`` is a certificate with ``key.pem`` beside; ``token`` is who gives out its tokens;
    ``storage`` is that of another registry, whose content it then serves, too; ``program`` is
    another one than Debian's docker-registry.
    """
    program = program or shutil.which("docker-registry")
    if program is None:
        pytest.fail(
            "docker-registry is not on PATH; these tests need a real registry"
            " (Debian and Ubuntu: apt-get install docker-registry)"
        )
    port = free_port()
    directory.mkdir(parents=True, exist_ok=True)
    storage = storage or directory / "storage"
    storage.mkdir(exist_ok=True)
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if htpasswd:
        (directory / "htpasswd").write_text(HTPASSWD)
        path = str(directory / "htpasswd")
        config["auth"] = {"htpasswd": {"realm": "tests", "path": path}}
    if token is not None:
        config["auth"] = {
            "token": {
                "realm": token.url,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(token.certificate),
            }
        }
    if tls is not None:
        config["http"]["tls"] = {"certificate": str(tls), "key": str(tls.with_name("key.pem"))}
    (directory / "config.yml").write_text(json.dumps(config))
    process = RegistryProcess(program, directory, port)
    login = (USER, PASSWORD) if htpasswd or token else None
    scheme = "https" if tls else "http"
    try:
        process.start()
        yield RunningRegistry(f"127.0.0.1:{port}", storage, login, scheme, process)
    finally:
        process.kill()


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"docker-registry did not start: {log.read_text(errors='replace')[-2000:]}")


def request(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    login: tuple[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Send one request; returns status, headers with lower-case names, and body."""
    headers = dict(headers or {})
    if login is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    call = urllib.request.Request(url, data=body, headers=headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(call, timeout=20) as reply:
            return reply.status, {k.lower(): v for k, v in reply.headers.items()}, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def push_layout(
    base_url: str,
    layout: Path,
    repository: str,
    *tags: str,
    login: tuple[str, str] | None = None,
) -> dict[str, str]:
    """Push an OCI image layout over plain HTTP; returns the digest of each tag pushed.

    Without ``tags`` everything in the index goes, manifests without a tag by their digest.
    """
    index = json.loads((layout / "index.json").read_bytes())
    pushed: dict[str, str] = {}
    for entry in index["manifests"]:
        tag = (entry.get("annotations") or {}).get(_REF_NAME)
        if tags and tag not in tags:
            continue
        _push_manifest(base_url, layout, repository, entry, tag or entry["digest"], login)
        if tag:
            pushed[tag] = entry["digest"]
    return pushed


def _read(layout: Path, digest: str) -> bytes:
    algorithm, _, encoded = digest.partition(":")
    return (layout / "blobs" / algorithm / encoded).read_bytes()


def _push_manifest(
    base_url: str,
    layout: Path,
    repository: str,
    entry: dict[str, Any],
    name: str,
    login: tuple[str, str] | None,
) -> None:
    raw = _read(layout, entry["digest"])
    document = json.loads(raw)
    for child in document.get("manifests") or []:
        _push_manifest(base_url, layout, repository, child, child["digest"], login)
    for blob in [document.get("config"), *(document.get("layers") or [])]:
        if blob:
            push_blob(base_url, repository, blob["digest"], _read(layout, blob["digest"]), login)
    push_manifest(base_url, repository, name, raw, entry["mediaType"], login)


def push_blob(
    base_url: str,
    repository: str,
    digest: str,
    data: bytes,
    login: tuple[str, str] | None = None,
) -> None:
    """Push one blob unless the registry has it."""
    root = f"{base_url}/v2/{repository}/blobs"
    status, _, _ = request("HEAD", f"{root}/{digest}", login=login)
    if status == 200:
        return
    status, headers, answer = request("POST", f"{root}/uploads/", b"", login=login)
    assert status == 202, answer
    place = urljoin(root, headers["location"])
    place += ("&" if "?" in place else "?") + f"digest={digest}"
    binary = {"Content-Type": "application/octet-stream"}
    status, _, answer = request("PUT", place, data, binary, login)
    assert status == 201, answer


def push_manifest(
    base_url: str,
    repository: str,
    name: str,
    raw: bytes,
    media_type: str,
    login: tuple[str, str] | None = None,
) -> None:
    """Push one manifest under a tag or digest."""
    url = f"{base_url}/v2/{repository}/manifests/{name}"
    status, _, answer = request("PUT", url, raw, {"Content-Type": media_type}, login)
    assert status == 201, answer
