"""Large layers and many of them: memory stays small, and a cancel ends what runs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck.actions import Workspace, pull
from rolldeck.errors import CancelledError
from rolldeck.oci import MANIFEST, Descriptor, Digest, Reference, digest_of
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.faults.conftest import Puller
from tests.faults.operations import World
from tests.servers.scripted import Asked, Scripted, ScriptedServer

LARGE = 256 * 1024 * 1024
PEAK = 150 * 1024 * 1024
"""Most memory of a pull, in bytes, however large its layers."""


def serve(
    server: ScriptedServer, layers: list[Descriptor], blob: Callable[[Asked], Scripted]
) -> str:
    """Serve a version with these layers; returns its reference."""
    config = Descriptor("application/json", digest_of(b"{}"), 2)
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    raw = json.dumps(document).encode()
    kinds = {"Content-Type": MANIFEST, "Docker-Content-Digest": digest_of(raw)}
    for method in ("HEAD", "GET"):
        server.on(method, "/v2/x/manifests/.*", Scripted(body=raw, headers=kinds))
    server.on("GET", f"/v2/x/blobs/{config.digest}", Scripted(body=b"{}"))
    server.on("GET", "/v2/x/blobs/.*", blob)
    return f"{server.host}/x:v1"


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_large_layer_takes_little_memory(
    world: World,
    scripted: ScriptedServer,
    secure: ScriptedServer,
    certificate: Path,
    encrypted: bool,
) -> None:
    """Bytes go from the connection to the disk, in the kernel or in pieces."""
    server = secure if encrypted else scripted
    # Zeros that nobody writes to take no memory here either.
    data = bytes(LARGE)
    layer = Descriptor("x/y", Digest("sha256:" + hashlib.sha256(data).hexdigest()), LARGE)
    reference = serve(server, [layer], lambda asked: Scripted(body=data))
    settings = world.root / "home" / "settings.toml"
    settings.write_text(
        f'[registries."{server.host}"]\nca_file = "{certificate}"\nplain_http = false\n'
        if encrypted
        else ""
    )
    ran = world.run("pull", reference, "--settings", settings)
    assert ran.code == 0, ran
    assert (world.library / "blobs" / layer.digest.replace(":", "/")).stat().st_size == LARGE
    assert ran.peak < PEAK


def many(count: int) -> dict[Digest, bytes]:
    """That many small layers."""
    return {digest_of(data): data for data in (b"%d" % number for number in range(count))}


async def test_five_hundred_layers(scripted: ScriptedServer, puller: Puller) -> None:
    """Each is asked for once."""
    contents = many(500)
    layers = [Descriptor("x/y", digest, len(data)) for digest, data in contents.items()]
    reference = serve(
        scripted,
        layers,
        lambda asked: Scripted(body=contents[Digest(asked.path.rpartition("/")[2])]),
    )
    pulled = await puller(reference)
    assert pulled.bytes_transferred == pulled.bytes_total
    blobs = [path for path in scripted.paths() if "/blobs/" in path]
    assert len(blobs) == len(set(blobs)) == 501


async def test_a_cancelled_pull_asks_for_nothing_more(
    scripted: ScriptedServer, tmp_path: Path
) -> None:
    """In the middle of five hundred layers: what is under way ends, the rest is never asked for."""
    contents = many(500)
    layers = [Descriptor("x/y", digest, len(data)) for digest, data in contents.items()]
    progress = Progress()
    served = 0

    def blob(asked: Asked) -> Scripted:
        nonlocal served
        served += 1
        if served == 50:
            progress.cancel()
        return Scripted(body=contents[Digest(asked.path.rpartition("/")[2])])

    reference = Reference.parse(serve(scripted, layers, blob))
    workspace = Workspace(Settings(library=tmp_path / "library", concurrency=5))
    try:
        with pytest.raises((CancelledError, asyncio.CancelledError)):
            await pull(workspace, reference, progress)
    finally:
        await workspace.close()
    assert 50 <= served <= 55
