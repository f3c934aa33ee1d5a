"""Names, digests and manifests from a registry, or a user, that lies."""

from __future__ import annotations

import json

import pytest

from rolldeck.errors import (
    IntegrityError,
    UnavailableError,
    UsageError,
)
from rolldeck.oci.digest import Digest, digest_of
from rolldeck.oci.model import INDEX, MANIFEST, MANIFEST_LIMIT, Descriptor
from rolldeck.progress import Progress
from tests.oci.bench import (
    Jar,
    Open,
    blob_of,
    manifest_bytes,
)
from tests.servers.scripted import Scripted, ScriptedServer

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
    assert not jar.data


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
