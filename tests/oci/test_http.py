"""Reading a real registry, and a scripted one that lies."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from rolldeck.errors import (
    CancelledError,
    DeniedError,
    IntegrityError,
    NotFoundError,
    RolldeckError,
    UnavailableError,
    UsageError,
)
from rolldeck.oci.call import Timeouts
from rolldeck.oci.digest import Digest, digest_of
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.model import INDEX, MANIFEST, MANIFEST_LIMIT, Descriptor
from rolldeck.oci.registry import SMALL_BLOB, Listing, Registry, Sink
from rolldeck.oci.retry import Clocks, RetryPolicy
from rolldeck.oci.suggestion import newest_looking
from rolldeck.progress import Progress
from tests.servers.fixtures import LAYOUTS
from tests.servers.registry import PASSWORD, USER, RunningRegistry, push_blob
from tests.servers.scripted import Asked, Scripted, ScriptedServer

Open = Callable[..., HttpRegistry]


class Jar:
    """Opens sinks that keep their bytes, and remembers how each ended."""

    def __init__(self) -> None:
        self.sinks: list[JarSink] = []

    def __call__(self) -> Sink:
        self.sinks.append(JarSink())
        return self.sinks[-1]

    @property
    def ends(self) -> list[str]:
        return [sink.end for sink in self.sinks]


class JarSink:
    def __init__(self) -> None:
        self.data = bytearray()
        self.end = ""

    def write(self, chunk: memoryview, /) -> None:
        assert not self.end
        self.data += chunk

    def commit(self) -> None:
        self.end += "committed"

    def abort(self) -> None:
        self.end += "aborted"


@pytest.fixture
async def open_registry() -> AsyncIterator[Open]:
    opened: list[HttpRegistry] = []

    def connect(server: Any, **settings: Any) -> HttpRegistry:
        settings.setdefault("clocks", Clocks(sleep=lambda seconds: None))
        opened.append(HttpRegistry(server.host, **settings))
        return opened[-1]

    yield connect
    for registry in opened:
        await registry.close()


def blob_of(data: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", digest_of(data), len(data))


def manifest_bytes(**more: Any) -> bytes:
    config = {"mediaType": "application/json", "digest": digest_of(b"{}"), "size": 2}
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
    return json.dumps(document | more).encode()


def tags_page(*names: str, link: str | None = None) -> Scripted:
    headers = {"Link": link} if link else {}
    return Scripted(body=json.dumps({"name": "x", "tags": names}).encode(), headers=headers)


# --- a real registry


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
    jar, progress = Jar(), Progress()
    async with asyncio.TaskGroup() as group:
        for layer in manifest.layers:
            group.create_task(registry.fetch_blob("golden/wdbc", layer, jar, progress))
    assert jar.ends == ["committed"] * len(manifest.layers)
    assert {digest_of(bytes(sink.data)) for sink in jar.sinks} == {
        layer.digest for layer in manifest.layers
    }
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
    assert jar.sinks == []


async def test_damaged_blob_is_never_committed(
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
    assert jar.ends == ["aborted", "aborted"]
    assert progress.done == 0
    assert "damaged/blob@sha256:" in str(raised.value)
    with pytest.raises(IntegrityError):
        await registry.read_blob("damaged/blob", blob)
    file.write_bytes(data)
    await registry.fetch_blob("damaged/blob", blob, jar, progress)
    assert jar.ends[2:] == ["committed"]


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
    assert f"docker login {locked_registry.host}" in (raised.value.hint or "")
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


# --- B1: names and digests that would become other paths

DIGESTS = [
    "",
    "sha256:",
    "sha256:../../x",
    "sha256:" + "A" * 64,
    "sha256:" + "a" * 63,
    "sha256:" + "a" * 65,
    "sha256:" + "a" * 64 + "\n",
    "sha256:" + "\uff11" * 64,
    "sha512:" + "a" * 64,
    "md5:" + "a" * 32,
    "blake3:" + "a" * 64,
    "a" * 64,
]


@pytest.mark.parametrize("digest", DIGESTS)
async def test_malformed_digests_cause_no_request(
    open_registry: Open, scripted: ScriptedServer, digest: str
) -> None:
    registry = open_registry(scripted)
    blob = Descriptor("a/b", Digest(digest), 1)
    jar = Jar()
    with pytest.raises(IntegrityError):
        await registry.manifest("x", Digest(digest))
    with pytest.raises(IntegrityError):
        await registry.read_blob("x", blob)
    with pytest.raises(IntegrityError):
        await registry.fetch_blob("x", blob, jar, Progress())
    if ":" in digest:
        with pytest.raises(IntegrityError):
            await registry.resolve("x", digest)
    assert scripted.asked == []
    assert jar.sinks == []


@pytest.mark.parametrize("repository", ["", "../x", "X", "x?y", "x/../y", "x\n", "x#y", "a//b"])
async def test_bad_names_cause_no_request(
    open_registry: Open, scripted: ScriptedServer, repository: str
) -> None:
    registry = open_registry(scripted)
    with pytest.raises(UsageError):
        await registry.tags(repository)
    with pytest.raises(UsageError):
        await registry.resolve("x", f"v1?{repository}")
    assert scripted.asked == []


# --- manifests


async def test_the_digest_header_is_only_a_hint(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    asked, other = manifest_bytes(), manifest_bytes(annotations={"a": "b"})
    lie = {"Docker-Content-Digest": digest_of(other), "Content-Type": MANIFEST}
    scripted.on("GET", ".*/manifests/.*", Scripted(body=other, headers=lie))
    with pytest.raises(IntegrityError, match="Digest mismatch"):
        await open_registry(scripted).manifest("x", digest_of(asked))


@pytest.mark.parametrize("header", [None, "", "sha256:../../x", "md5:" + "a" * 32])
async def test_resolve_without_a_usable_header(
    open_registry: Open, scripted: ScriptedServer, header: str | None
) -> None:
    raw = manifest_bytes()
    headers = {"Content-Type": MANIFEST}
    if header is not None:
        headers["Docker-Content-Digest"] = header
    scripted.on("HEAD", "/v2/x/manifests/v1", Scripted(body=raw, headers=headers))
    scripted.on("GET", "/v2/x/manifests/v1", Scripted(body=raw, headers=headers))
    found = await open_registry(scripted).resolve("x", "v1")
    assert found == Descriptor(MANIFEST, digest_of(raw), len(raw))


async def test_resolve_where_head_is_not_allowed(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    raw = manifest_bytes()
    scripted.on("HEAD", ".*", Scripted(405))
    scripted.on("GET", ".*", Scripted(body=raw, headers={"Content-Type": MANIFEST}))
    found = await open_registry(scripted).resolve("x", digest_of(raw))
    assert found.digest == digest_of(raw)
    accept = scripted.asked[-1].headers["accept"]
    assert MANIFEST in accept
    assert INDEX in accept


@pytest.mark.parametrize(
    ("served_as", "document"),
    [
        (INDEX, manifest_bytes()),
        (MANIFEST, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()),
        (MANIFEST, manifest_bytes(manifests=[])),
        (MANIFEST, b'{"schemaVersion": 2'),
    ],
)
async def test_media_type_confusion(
    open_registry: Open, scripted: ScriptedServer, served_as: str, document: bytes
) -> None:
    scripted.on("GET", ".*", Scripted(body=document, headers={"Content-Type": served_as}))
    with pytest.raises(IntegrityError) as raised:
        await open_registry(scripted).manifest("x", digest_of(document))
    assert raised.value.code == 6


async def test_oversize_manifest(open_registry: Open, scripted: ScriptedServer) -> None:
    raw = b" " * (MANIFEST_LIMIT + 1)
    scripted.on("GET", ".*", Scripted(body=raw, headers={"Content-Type": MANIFEST}))
    with pytest.raises(IntegrityError, match="larger than"):
        await open_registry(scripted).manifest("x", digest_of(raw))


async def test_web_page_in_between(open_registry: Open, scripted: ScriptedServer) -> None:
    page = Scripted(body=b"<html>Log in", headers={"Content-Type": "text/html; charset=utf-8"})
    scripted.on("GET", ".*", page)
    scripted.on("HEAD", ".*", page)
    registry = open_registry(scripted)
    blob = blob_of(b"data")
    for attempt in (
        registry.tags("x"),
        registry.repositories(),
        registry.resolve("x", "v1"),
        registry.manifest("x", blob.digest),
        registry.fetch_blob("x", blob, Jar(), Progress()),
    ):
        with pytest.raises(UnavailableError, match="not a registry") as raised:
            await attempt
        assert raised.value.code == 5


# --- B8, B9: listings


async def test_tags_over_several_pages(open_registry: Open, scripted: ScriptedServer) -> None:
    relative = '</v2/x/tags/list?n=2&last=b>; rel="next"'
    absolute = f"<{scripted.url}/v2/x/tags/list?last=d>; foo=bar; rel=next"
    scripted.on("GET", r"/v2/x/tags/list\?n=1000", tags_page("a", "b", link=relative))
    scripted.on("GET", r"/v2/x/tags/list\?n=2&last=b", tags_page("c", "d", link=absolute))
    scripted.on("GET", r"/v2/x/tags/list\?last=d", tags_page("e", link='</x>; rel="prev"'))
    listing = await open_registry(scripted).tags("x")
    assert listing.names == ("a", "b", "c", "d", "e")
    assert listing.complete


@pytest.mark.parametrize(
    "link",
    [
        '</v2/x/tags/list?n=1000>; rel="next"',
        '<http://127.0.0.1:1/v2/>; rel="next"',
        '<file:///etc/passwd>; rel="next"',
        '<//other/v2/>; rel="next"',
        "<http://[>; rel=next",
    ],
)
async def test_links_that_are_not_followed(
    open_registry: Open, scripted: ScriptedServer, link: str
) -> None:
    scripted.on("GET", ".*", tags_page("a", "b", link=link))
    listing = await open_registry(scripted).tags("x")
    assert listing.names == ("a", "b")
    assert not listing.complete
    assert len(scripted.asked) == 1


async def test_link_to_another_port_gets_no_request(
    open_registry: Open, start_scripted: Callable[[], ScriptedServer]
) -> None:
    registry, other = start_scripted(), start_scripted()
    registry.on("GET", ".*", tags_page("a", link=f'<{other.url}/v2/x/tags/list>; rel="next"'))
    assert not (await open_registry(registry).tags("x")).complete
    assert other.asked == []


async def test_pages_without_end(
    open_registry: Open, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rolldeck.oci.pages.MOST_PAGES", 20)

    def more(asked: Asked) -> Scripted:
        number = len(scripted.asked)
        return tags_page(f"t{number}", link=f"</v2/x/tags/list?last={number}>; rel=next")

    scripted.on("GET", ".*", more)
    listing = await open_registry(scripted).tags("x")
    assert len(scripted.asked) == 20
    assert len(listing.names) == 20
    assert not listing.complete


async def test_pages_with_nothing_new(open_registry: Open, scripted: ScriptedServer) -> None:
    def same(asked: Asked) -> Scripted:
        return tags_page("a", link=f"</v2/x/tags/list?last={len(scripted.asked)}>; rel=next")

    scripted.on("GET", ".*", same)
    listing = await open_registry(scripted).tags("x")
    assert listing.names == ("a",)
    assert len(scripted.asked) == 2


async def test_names_that_are_no_tags(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", tags_page("v1", "\x1b[31m", "a" * 129, "../x"))
    listing = await open_registry(scripted).tags("x")
    assert listing.names == ("v1",)
    assert not listing.complete


async def test_no_tags_at_all(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(body=b'{"name": "x", "tags": null}'))
    listing = await open_registry(scripted).tags("x")
    assert (listing.names, listing.complete) == ((), True)


@pytest.mark.parametrize("body", [b"{}", b"3", b'{"tags": "v1"}', b'"tags"'])
async def test_answers_that_list_nothing(
    open_registry: Open, scripted: ScriptedServer, body: bytes
) -> None:
    scripted.on("GET", ".*", Scripted(body=body))
    with pytest.raises(UnavailableError):
        await open_registry(scripted).tags("x")


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_registry_without_a_catalog(
    open_registry: Open, scripted: ScriptedServer, status: int
) -> None:
    scripted.on("GET", "/v2/_catalog.*", Scripted(status))
    listing = await open_registry(scripted).repositories()
    assert (listing.names, listing.complete) == ((), False)


def test_newest_looking_tags() -> None:
    tags = ["latest", "v1.9.0", "0.1", "v1.10.0", "production", "v2.0.0-rc1", "v2.0.0"]
    assert newest_looking(tags) == ["v2.0.0", "v2.0.0-rc1", "v1.10.0", "v1.9.0", "0.1"]
    assert newest_looking(["b", "1"]) == ["1", "b"]


# --- blobs


async def test_truncated_blob_is_fetched_again(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = bytes(range(256)) * 8192
    short = Scripted(body=data, cut=1000)
    closed = Scripted(body=data, length=-1, cut=70_000)
    scripted.on("GET", ".*", short, closed, Scripted(503), Scripted(body=data))
    jar, progress = Jar(), Progress()
    await open_registry(scripted).fetch_blob("x", blob_of(data), jar, progress)
    assert jar.ends == ["aborted", "aborted", "committed"]
    assert bytes(jar.sinks[-1].data) == data
    assert progress.done == len(data)
    assert progress.note == ""


async def test_connection_that_always_breaks(open_registry: Open, scripted: ScriptedServer) -> None:
    data = bytes(10_000)
    scripted.on("GET", ".*", Scripted(body=data, cut=5000))
    jar, progress = Jar(), Progress()
    with pytest.raises(UnavailableError):
        await open_registry(scripted).fetch_blob("x", blob_of(data), jar, progress)
    assert jar.ends == ["aborted"] * 6
    assert progress.done == 0


async def test_wrong_bytes_are_fetched_once_more(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = b"right" * 1000
    scripted.on("GET", ".*", Scripted(body=b"wrong" * 1000), Scripted(body=data))
    jar = Jar()
    await open_registry(scripted).fetch_blob("x", blob_of(data), jar, Progress())
    assert jar.ends == ["aborted", "committed"]
    assert len(scripted.asked) == 2


@pytest.mark.parametrize("length", [0, 9, 11, 50_000_000])
async def test_announced_size_differs(
    open_registry: Open, scripted: ScriptedServer, length: int
) -> None:
    scripted.on("GET", ".*", Scripted(body=bytes(length)))
    jar = Jar()
    with pytest.raises(IntegrityError, match="announces"):
        await open_registry(scripted).fetch_blob("x", blob_of(bytes(10)), jar, Progress())
    assert jar.sinks == []
    assert len(scripted.asked) == 2


async def test_more_bytes_than_announced(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(body=bytes(50_000_000), length=-1))
    jar = Jar()
    registry = open_registry(scripted)
    with pytest.raises(IntegrityError, match="More bytes"):
        await registry.fetch_blob("x", blob_of(bytes(10)), jar, Progress())
    assert jar.ends == ["aborted", "aborted"]
    assert all(not sink.data for sink in jar.sinks)
    with pytest.raises(IntegrityError):
        await registry.read_blob("x", blob_of(bytes(10)))
    assert scripted.sent < 150_000_000


async def test_blob_too_large_for_memory(open_registry: Open, scripted: ScriptedServer) -> None:
    blob = Descriptor("a/b", digest_of(b""), SMALL_BLOB + 1)
    with pytest.raises(IntegrityError, match="too large"):
        await open_registry(scripted).read_blob("x", blob)
    assert scripted.asked == []


async def test_stalled_blob_times_out_and_is_fetched_again(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = bytes(100_000)
    scripted.on("GET", ".*", Scripted(body=data, stall=50_000), Scripted(body=data))
    registry = open_registry(scripted, timeouts=Timeouts(read=0.2))
    jar = Jar()
    await registry.fetch_blob("x", blob_of(data), jar, Progress())
    assert jar.ends == ["aborted", "committed"]


async def test_dripping_blob_loses_its_connection(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = bytes(100_000)
    scripted.on("GET", ".*", Scripted(body=data, drip=0.02), Scripted(body=data))
    registry = open_registry(scripted, timeouts=Timeouts(stall=0.2))
    jar = Jar()
    await registry.fetch_blob("x", blob_of(data), jar, Progress())
    assert jar.ends == ["aborted", "committed"]


async def test_dripping_manifest_is_given_up(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(body=bytes(100_000), drip=0.02))
    registry = open_registry(scripted, timeouts=Timeouts(stall=0.1), retry=RetryPolicy(tries=2))
    with pytest.raises(UnavailableError, match="stopped answering"):
        await registry.manifest("x", digest_of(b""))
    assert len(scripted.asked) == 2


async def test_too_many_requests_for_ever(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(429, headers={"Retry-After": "1"}))
    with pytest.raises(UnavailableError) as raised:
        await open_registry(scripted).fetch_blob("x", blob_of(b"d"), Jar(), Progress())
    assert raised.value.code == 5
    assert len(scripted.asked) == 6


# --- cancelling


async def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("sent", [0, 50_000])
async def test_cancel_ends_a_stalled_body(
    open_registry: Open, scripted: ScriptedServer, sent: int
) -> None:
    data = bytes(100_000)
    scripted.on("GET", ".*", Scripted(body=data, stall=sent))
    jar, progress = Jar(), Progress()
    task = asyncio.create_task(
        open_registry(scripted).fetch_blob("x", blob_of(data), jar, progress)
    )
    await _until(lambda: scripted.asked)
    await asyncio.sleep(0.1)
    start = time.monotonic()
    progress.cancel()
    with pytest.raises(CancelledError):
        await task
    assert time.monotonic() - start < 5
    assert set(jar.ends) <= {"aborted"}
    assert progress.done == 0
    assert len(scripted.asked) == 1


async def test_cancelled_task_leaves_no_open_sink(
    open_registry: Open, scripted: ScriptedServer
) -> None:
    data = bytes(100_000)
    scripted.on("GET", ".*", Scripted(body=data, stall=50_000))
    jar = Jar()
    task = asyncio.create_task(
        open_registry(scripted).fetch_blob("x", blob_of(data), jar, Progress())
    )
    await _until(lambda: scripted.asked)
    await _until(lambda: jar.sinks)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert jar.ends == ["aborted"]


async def test_cancelled_before_it_begins(open_registry: Open, scripted: ScriptedServer) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(CancelledError):
        await open_registry(scripted).fetch_blob("x", blob_of(b"d"), Jar(), progress)
    assert scripted.asked == []


async def test_close_ends_what_runs(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(body=bytes(1000), stall=10))
    registry = open_registry(scripted)
    task = asyncio.create_task(registry.tags("x"))
    await _until(lambda: scripted.asked)
    await registry.close()
    with pytest.raises((RolldeckError, asyncio.CancelledError)):
        await task


def test_importing_the_room_loads_no_http_client() -> None:
    code = "import sys, rolldeck.oci; print(sorted({'urllib3', 'requests'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
