"""Reading a real registry."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
from pathlib import Path

import pytest

from rolldeck.errors import (
    DeniedError,
    IntegrityError,
    NotFoundError,
)
from rolldeck.oci.digest import digest_of
from rolldeck.oci.registry import Listing, Registry
from rolldeck.progress import Progress
from tests.oci.bench import (
    Jar,
    Open,
    blob_of,
)
from tests.servers.fixtures import LAYOUTS
from tests.servers.registry import PASSWORD, USER, RunningRegistry, push_blob
from tests.servers.scripted import ScriptedServer


async def test_is_a_registry(open_registry: Open, scripted: ScriptedServer) -> None:
    registry: Registry = open_registry(scripted)
    assert registry.address == scripted.host
    assert scripted.asked == []


async def test_browse(open_registry: Open, golden_registry: RunningRegistry) -> None:
    registry = open_registry(golden_registry)
    listing = await registry.repositories()
    assert listing.complete
    assert {f"golden/{layout.name}" for layout in LAYOUTS.iterdir()} <= set(listing.names)
    tags = await registry.tags("golden/wdbc")
    assert tags.complete
    assert set(tags.names) >= {"v1.0.0", "v1.1.0", "v1.2.0", "v2.0.0", "production", "latest"}


async def test_every_golden_manifest_and_small_blob(
    open_registry: Open, golden_registry: RunningRegistry
) -> None:
    registry = open_registry(golden_registry)
    checked = 0
    for layout in sorted(LAYOUTS.iterdir()):
        index = json.loads((layout / "index.json").read_bytes())
        for entry in index["manifests"]:
            tag = entry.get("annotations", {}).get("org.opencontainers.image.ref.name")
            found = await registry.resolve(f"golden/{layout.name}", tag or entry["digest"])
            assert (found.digest, found.size) == (entry["digest"], entry["size"])
            assert found.media_type == entry["mediaType"]
            manifest = await registry.manifest(f"golden/{layout.name}", found.digest)
            assert manifest.digest == found.digest
            if manifest.config is not None:
                data = await registry.read_blob(f"golden/{layout.name}", manifest.config)
                assert digest_of(data) == manifest.config.digest
            checked += 1
    assert checked >= 40


async def test_fetch_every_layer(open_registry: Open, golden_registry: RunningRegistry) -> None:
    registry = open_registry(golden_registry)
    found = await registry.resolve("golden/wdbc", "v2.0.0")
    manifest = await registry.manifest("golden/wdbc", found.digest)
    jars, progress = [Jar() for _ in manifest.layers], Progress()
    async with asyncio.TaskGroup() as group:
        for layer, jar in zip(manifest.layers, jars, strict=True):
            group.create_task(registry.fetch_blob("golden/wdbc", layer, jar, progress))
    assert [digest_of(bytes(jar.data)) for jar in jars] == [
        layer.digest for layer in manifest.layers
    ]
    assert progress.done == sum(layer.size for layer in manifest.layers)


async def test_pages_of_the_catalog(open_registry: Open, golden_registry: RunningRegistry) -> None:
    whole = await open_registry(golden_registry).repositories()
    registry = open_registry(golden_registry)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rolldeck.oci.pages.PAGE_SIZE", 3)
        paged = await registry.repositories()
    assert paged == whole


async def test_missing_things(open_registry: Open, golden_registry: RunningRegistry) -> None:
    registry = open_registry(golden_registry)
    with pytest.raises(NotFoundError) as raised:
        await registry.resolve("golden/wdbc", "v9")
    assert raised.value.code == 3
    assert f"{golden_registry.host}/golden/wdbc:v9" in raised.value.message
    assert "v2.0.0, v1.2.0, v1.1.0, v1.0.0" in (raised.value.hint or "")
    with pytest.raises(NotFoundError, match="No such repository"):
        await registry.resolve("golden/nothing", "v1")
    with pytest.raises(NotFoundError):
        await registry.tags("golden/nothing")
    absent = digest_of(b"absent")
    with pytest.raises(NotFoundError, match="No such digest"):
        await registry.resolve("golden/wdbc", absent)
    with pytest.raises(NotFoundError):
        await registry.manifest("golden/wdbc", absent)
    with pytest.raises(NotFoundError):
        await registry.read_blob("golden/wdbc", blob_of(b"absent"))
    jar = Jar()
    with pytest.raises(NotFoundError):
        await registry.fetch_blob("golden/wdbc", blob_of(b"absent"), jar, Progress())
    assert not jar.data


async def test_closing_leaves_no_socket_after_an_error(
    open_registry: Open, golden_registry: RunningRegistry
) -> None:
    """Not even while somebody still tells of the error, and without the garbage collector."""
    before = _sockets()
    gc.disable()
    try:
        registry = open_registry(golden_registry)
        with pytest.raises(NotFoundError) as told:
            await registry.tagged_digest("golden/wdbc", "nothing")
        assert _sockets() > before
        await registry.close()
        assert _sockets() == before
        assert told.value.code == 3
    finally:
        gc.enable()


def _sockets() -> int:
    return sum("socket" in os.readlink(path) for path in _descriptors())


def _descriptors() -> list[str]:
    paths = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
    return [path for path in paths if os.path.islink(path)]


async def test_damaged_blob_is_never_taken(
    open_registry: Open, docker_registry: RunningRegistry
) -> None:
    registry = open_registry(docker_registry)
    data = bytes(range(256)) * 9000
    blob = blob_of(data)
    push_blob(docker_registry.url, "damaged/blob", blob.digest, data)
    file = docker_registry.blob_file(blob.digest)
    file.write_bytes(data[:-1] + b"\x00")
    jar, progress = Jar(), Progress()
    with pytest.raises(IntegrityError) as raised:
        await registry.fetch_blob("damaged/blob", blob, jar, progress)
    assert raised.value.code == 6
    assert jar.rewinds == 2
    assert not jar.data
    assert progress.done == 0
    assert "damaged/blob@sha256:" in str(raised.value)
    with pytest.raises(IntegrityError):
        await registry.read_blob("damaged/blob", blob)
    file.write_bytes(data)
    await registry.fetch_blob("damaged/blob", blob, jar, progress)
    assert bytes(jar.data) == data


async def test_login_from_the_docker_config(
    open_registry: Open,
    locked_registry: RunningRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tags = locked_registry.push(LAYOUTS / "odd-empty", "locked/empty")
    with pytest.raises(DeniedError) as raised:
        await open_registry(locked_registry).resolve("locked/empty", "v1")
    assert raised.value.code == 4
    assert f"rolldeck login {locked_registry.host}" in (raised.value.hint or "")
    assert await open_registry(locked_registry).repositories() == Listing((), complete=False)

    def log_in(password: str) -> None:
        auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
        document = {"auths": {locked_registry.host: {"auth": auth}}}
        (tmp_path / "config.json").write_text(json.dumps(document))

    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    log_in("canary-wrong")
    with pytest.raises(DeniedError, match="as deck") as raised:
        await open_registry(locked_registry).tags("locked/empty")
    assert "canary" not in str(raised.value)
    log_in(PASSWORD)
    registry = open_registry(locked_registry)
    assert (await registry.resolve("locked/empty", "v1")).digest == tags["v1"]
    assert "locked/empty" in (await registry.repositories()).names
