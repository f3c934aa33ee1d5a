"""What is pulled from: a real registry, plain or over TLS, and a generator of endless blobs."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from rolldeck.oci import LayoutRegistry

_START = 15.0


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_registry(
    storage: Path, directory: Path, certificate: tuple[Path, Path] | None = None
) -> Iterator[str]:
    """Run docker-registry on ``storage`` and yield its ``host:port``.

    ``certificate`` holds the paths of a PEM certificate and its key.
    """
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        raise SystemExit("docker-registry is not installed: apt-get install docker-registry")
    port = free_port()
    http: dict[str, object] = {"addr": f"127.0.0.1:{port}"}
    if certificate is not None:
        http["tls"] = {"certificate": str(certificate[0]), "key": str(certificate[1])}
    config = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}},
        "http": http,
    }
    path = directory / f"registry-{port}.json"
    path.write_text(json.dumps(config))
    quiet = subprocess.DEVNULL
    with subprocess.Popen([program, "serve", str(path)], stdout=quiet, stderr=quiet) as process:
        try:
            wait_until_ready(port)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def warm(storage: Path) -> None:
    """Read what a registry stores, so that every client gets it from memory.

    Where memory is short it would come from the disk for some of them, and not for others.
    """
    buffer = bytearray(1 << 20)
    for path in storage.rglob("*"):
        if path.is_file():
            with open(path, "rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


def wait_until_ready(port: int) -> None:
    """Return once something listens on ``port``; SystemExit after 15 seconds."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("The registry did not start")


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for 127.0.0.1 with openssl; returns certificate and key."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    command += " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    command += " -addext basicConstraints=critical,CA:TRUE"
    paths = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *paths], check=True, capture_output=True)
    return certificate, key


def push(layout: Path, host: str, repository: str, tag: str) -> None:
    """Push one version of a layout to an open registry over plain HTTP."""
    source = LayoutRegistry(layout)
    manifest = source.read_manifest(source.find(repository, tag).digest)
    connection = HTTPConnection(host, timeout=120)
    root = f"/v2/{repository}"
    for blob in [*([manifest.config] if manifest.config else []), *manifest.layers]:
        connection.request("POST", f"{root}/blobs/uploads/", headers={"Content-Length": "0"})
        reply = connection.getresponse()
        reply.read()
        to = urlsplit(reply.headers["Location"])
        with open(source.blob_path(blob.digest), "rb") as file:
            connection.request(
                "PUT",
                f"{to.path}?{to.query}&digest={blob.digest}",
                body=file,
                headers={
                    "Content-Length": str(blob.size),
                    "Content-Type": "application/octet-stream",
                },
            )
            _require(connection, 201)
    connection.request(
        "PUT",
        f"{root}/manifests/{tag}",
        body=manifest.raw,
        headers={"Content-Type": manifest.media_type},
    )
    _require(connection, 201)
    connection.close()


def _require(connection: HTTPConnection, status: int) -> None:
    reply = connection.getresponse()
    body = reply.read()
    if reply.status != status:
        raise SystemExit(f"The registry answered {reply.status}: {body[:200]!r}")
