"""Peak memory of one very large pull, served from a generator and written to disk."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.pull.artifact import REPOSITORY, TAG
from benchmarks.pull.race import lap
from benchmarks.pull.servers import free_port, wait_until_ready
from rolldeck.oci import MANIFEST, digest_of

HUGE = 10
"""GiB of the one layer."""

MEMORY_GOAL = 150
"""MiB of resident memory at most."""

_PIECE = bytes(range(256)) * 4096
_CONFIG = b'{"manifestVersion":"1.0.0","package":{},"model":{"path":"m"}}'


def pull_huge(gibibytes: int, place: Path) -> float:
    """Pull a kit of that size below ``place``; returns the peak of resident memory in MiB."""
    size = gibibytes << 30
    running = hashlib.sha256()
    for _ in range(size // len(_PIECE)):
        running.update(_PIECE)
    port = free_port()
    server = multiprocessing.Process(
        target=_serve, args=(port, size, f"sha256:{running.hexdigest()}"), daemon=True
    )
    server.start()
    try:
        wait_until_ready(port)
        with tempfile.TemporaryDirectory(dir=place) as directory:
            found = lap(
                "rolldeck", f"127.0.0.1:{port}", Path(directory), None, sync=False, expected=size
            )
    finally:
        server.kill()
        server.join()
    return found.memory


def _serve(port: int, size: int, digest: str) -> None:
    kind = "application/vnd.kitops.modelkit"
    config = {"mediaType": f"{kind}.config.v1+json", "digest": digest_of(_CONFIG), "size": 61}
    layer = {"mediaType": f"{kind}.model.v1.tar", "digest": digest, "size": size}
    assert config["size"] == len(_CONFIG)
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    manifest = json.dumps(document).encode()
    root = f"/v2/{REPOSITORY}"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = {
                f"{root}/manifests/{TAG}": manifest,
                f"{root}/manifests/{digest_of(manifest)}": manifest,
                f"{root}/blobs/{digest_of(_CONFIG)}": _CONFIG,
            }.get(self.path)
            self.send_response(200)
            self.send_header("Content-Type", MANIFEST)
            self.send_header("Docker-Content-Digest", digest_of(found or b""))
            self.send_header("Content-Length", str(size if found is None else len(found)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if found is not None:
                self.wfile.write(found)
                return
            for _ in range(size // len(_PIECE)):
                self.wfile.write(_PIECE)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
