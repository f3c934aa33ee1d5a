"""Manifests and tags: put byte for byte, and removed where a registry lets one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rolldeck.errors import IntegrityError, NotFoundError, RefusedError, UnavailableError
from rolldeck.oci import (
    MANIFEST,
    BlobsUnknownError,
    LayoutRegistry,
    Manifest,
    digest_of,
    parse_manifest,
)
from rolldeck.oci.source import BlobSource
from rolldeck.progress import Progress
from tests.oci.bench import Open, blob_of, manifest_bytes
from tests.servers.push_server import PushServer, push_server
from tests.servers.scripted import Scripted, ScriptedServer

CONFIG = digest_of(b"{}")


@pytest.fixture
def server() -> Iterator[PushServer]:
    """A registry that has the config of every manifest here."""
    with push_server() as running:
        running.blobs["x", CONFIG] = b"{}"
        yield running


def a_manifest(**more: Any) -> Manifest:
    # Indented, so that only the very same bytes have the same digest.
    raw = json.dumps(json.loads(manifest_bytes(**more)), indent=3).encode()
    return parse_manifest(raw, MANIFEST, reference="x")


async def test_one_tag_is_one_request(server: PushServer, open_registry: Open) -> None:
    """The bytes are those that were read."""
    manifest = a_manifest()
    await open_registry(server).writer.push_manifest("x", manifest, ["v1"])
    assert server.log == [("PUT", "/v2/x/manifests/v1")]
    assert server.manifests["x", "v1"] == manifest.raw
    assert server.types[manifest.digest] == MANIFEST


async def test_without_a_tag_the_digest_names_it(server: PushServer, open_registry: Open) -> None:
    """As for the children of an image index."""
    manifest = a_manifest()
    await open_registry(server).writer.push_manifest("x", manifest)
    assert server.log == [("PUT", f"/v2/x/manifests/{manifest.digest}")]


async def test_several_tags_are_a_request_each(server: PushServer, open_registry: Open) -> None:
    """What every registry understands."""
    await open_registry(server).writer.push_manifest("x", a_manifest(), ["v1", "live", "eu"])
    assert {name for _, name in server.manifests} >= {"v1", "live", "eu"}
    assert server.methods()["PUT"] == 4


async def test_several_tags_are_one_request_where_understood(
    server: PushServer, open_registry: Open
) -> None:
    """``OCI-Tag`` in the answer says so; more than ten go ten at a time."""
    server.many_tags = True
    writer = open_registry(server).writer
    await writer.push_manifest("x", a_manifest(), ["v1", "live", "eu"])
    assert server.methods()["PUT"] == 1
    tags = [f"t{number}" for number in range(23)]
    await writer.push_manifest("x", a_manifest(), tags)
    assert server.methods()["PUT"] == 4
    assert {name for _, name in server.manifests} >= {"v1", "live", "eu", *tags}


async def test_missing_blobs_are_named(server: PushServer, open_registry: Open) -> None:
    """So that they can be sent once more."""
    server.blobs.clear()
    with pytest.raises(BlobsUnknownError) as caught:
        await open_registry(server).writer.push_manifest("x", a_manifest(), ["v1"])
    assert caught.value.digests == {CONFIG}


async def test_a_manifest_that_was_changed_on_the_way(
    scripted: ScriptedServer, open_registry: Open
) -> None:
    """The registry says another digest than ours."""
    headers = {"Docker-Content-Digest": digest_of(b"other")}
    scripted.on("PUT", "/v2/x/manifests/v1", Scripted(201, headers=headers))
    with pytest.raises(IntegrityError):
        await open_registry(scripted).writer.push_manifest("x", a_manifest(), ["v1"])


@pytest.mark.parametrize(
    ("status", "error"), [(400, UnavailableError), (404, NotFoundError), (413, UnavailableError)]
)
async def test_a_manifest_that_is_not_taken(
    scripted: ScriptedServer, open_registry: Open, status: int, error: type[Exception]
) -> None:
    """For a reason of the registry's own, which is told."""
    body = b'{"errors": [{"code": "WHY", "message": "so"}]}'
    scripted.on("PUT", "/v2/x/manifests/v1", Scripted(status, body))
    with pytest.raises(error, match="WHY"):
        await open_registry(scripted).writer.push_manifest("x", a_manifest(), ["v1"])


async def test_finding_a_tag(server: PushServer, open_registry: Open) -> None:
    """One HEAD; None where there is none."""
    manifest = a_manifest()
    writer = open_registry(server).writer
    await writer.push_manifest("x", manifest, ["v1"])
    server.log.clear()
    assert await writer.find_tag("x", "v1") == manifest.digest
    assert await writer.find_tag("x", "v2") is None
    assert server.methods() == {"HEAD": 2}


async def test_finding_a_tag_where_the_digest_is_not_told(
    scripted: ScriptedServer, open_registry: Open
) -> None:
    """Then the manifest is read and hashed."""
    raw = manifest_bytes()
    kind = {"Content-Type": MANIFEST}
    scripted.on("HEAD", "/v2/x/manifests/v1", Scripted(200, raw, kind))
    scripted.on("GET", "/v2/x/manifests/v1", Scripted(200, raw, kind))
    assert await open_registry(scripted).writer.find_tag("x", "v1") == digest_of(raw)


async def test_a_version_goes_with_its_tags(server: PushServer, open_registry: Open) -> None:
    """By its digest."""
    manifest = a_manifest()
    writer = open_registry(server).writer
    await writer.push_manifest("x", manifest, ["v1", "live"])
    await writer.delete_manifest("x", manifest.digest)
    assert server.log[-1] == ("DELETE", f"/v2/x/manifests/{manifest.digest}")
    assert not server.manifests


async def test_a_tag_goes_alone(server: PushServer, open_registry: Open) -> None:
    """The other one stays."""
    writer = open_registry(server).writer
    await writer.push_manifest("x", a_manifest(), ["v1", "live"])
    await writer.delete_tag("x", "live")
    assert ("x", "v1") in server.manifests
    assert ("x", "live") not in server.manifests


@pytest.mark.parametrize("status", [400, 405])
async def test_a_registry_that_deletes_nothing(
    scripted: ScriptedServer, open_registry: Open, status: int
) -> None:
    """Exit code 8, with what could be done instead."""
    body = b'{"errors": [{"code": "UNSUPPORTED"}]}'
    scripted.on("DELETE", "/v2/x/manifests/.*", Scripted(status, body))
    writer = open_registry(scripted).writer
    with pytest.raises(RefusedError, match="cannot delete a tag alone") as caught:
        await writer.delete_tag("x", "v1")
    assert "rolldeck rm" in str(caught.value.hint)
    with pytest.raises(RefusedError, match="cannot delete a version"):
        await writer.delete_manifest("x", CONFIG)


async def test_an_encrypted_registry_may_forget_that_it_is(
    secure: ScriptedServer, certificate: Path, open_registry: Open, tmp_path: Path
) -> None:
    """Behind a proxy a registry may name itself with http: its own, encrypted address is meant."""
    blob = blob_of(b"{}")
    layout = LayoutRegistry(tmp_path)
    layout.blob_path(blob.digest).parent.mkdir(parents=True)
    layout.blob_path(blob.digest).write_bytes(b"{}")
    place = {"Location": f"http://{secure.host}/v2/x/blobs/uploads/1"}
    secure.on("POST", "/v2/x/blobs/uploads/", Scripted(202, headers=place))
    secure.on("PUT", r"/v2/x/blobs/uploads/1\?digest=.*", Scripted(201))
    registry = open_registry(secure, plain_http=False, ca_file=certificate)
    source = BlobSource(layout, "")
    assert await registry.writer.push_blob("x", blob, source, Progress()) == "pushed"
    assert secure.asked[-1].body == b"{}"
