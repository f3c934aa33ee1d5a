"""Pushing to a real registry."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rolldeck.actions import Delivered, Workspace, deliver, plan_push
from rolldeck.errors import BusyError, IntegrityError, NotFoundError, RefusedError, UsageError
from rolldeck.oci import LayoutRegistry, Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.actions.conftest import copy
from tests.servers.push_server import push_server
from tests.servers.registry import RunningRegistry, request

ACCEPT = {"Accept": "application/vnd.oci.image.manifest.v1+json"}


async def push(
    workspace: Workspace, reference: str, *destinations: str, force: bool = False
) -> Delivered:
    delivery = await plan_push(workspace, Reference.parse(reference), destinations, force=force)
    return await deliver(workspace, delivery, Progress())


def manifest_at(registry: RunningRegistry, repository: str, tag: str) -> bytes:
    """The manifest's bytes as the registry has them."""
    url = f"{registry.url}/v2/{repository}/manifests/{tag}"
    status, _, raw = request("GET", url, headers=ACCEPT)
    assert status == 200
    return raw


async def test_a_push_is_bit_for_bit_the_version(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """Manifest and blobs; then nothing more is sent."""
    goal = f"{docker_registry.host}/push/wdbc:v1.2.0"
    first = await push(workspace, f"{wdbc}:v1.2.0", goal)
    layout = LayoutRegistry(Path(wdbc.removeprefix("oci:")))
    manifest = layout.read_manifest(first.delivery.digest)
    assert manifest_at(docker_registry, "push/wdbc", "v1.2.0") == manifest.raw
    assert {blob.status for blob in first.blobs} == {"pushed"}
    assert first.bytes_transferred == first.delivery.graph.size
    for blob in first.blobs:
        kept = docker_registry.blob_file(blob.digest).read_bytes()
        assert kept == layout.blob_path(blob.digest).read_bytes()
    again = await push(workspace, f"{wdbc}:v1.2.0", goal)
    assert {blob.status for blob in again.blobs} == {"present"}
    assert again.bytes_transferred == 0


async def test_several_tags_at_once(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """The first destination says where, the others are its tags, alone or in full."""
    home = f"{docker_registry.host}/push/tags"
    done = await push(workspace, f"{wdbc}:v1.1.0", f"{home}:v1.1.0", "live", f"{home}:eu")
    assert [item.tag for item in done.delivery.tags] == ["v1.1.0", "live", "eu"]
    raws = {manifest_at(docker_registry, "push/tags", tag) for tag in ("v1.1.0", "live", "eu")}
    assert len(raws) == 1


async def test_a_version_goes_back_to_where_it_came_from(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """Its repository in the library is named after its registry."""
    home = f"{docker_registry.host}/push/home"
    await copy(workspace, f"{wdbc}:v1.1.0", f"local:{home}:v1.1.0")
    done = await push(workspace, f"local:{home}:v1.1.0")
    assert str(done.delivery.reference).startswith(f"{home}:v1.1.0@")
    tagged = await push(workspace, f"local:{home}:v1.1.0", "live")
    assert str(tagged.delivery.reference).startswith(f"{home}:live@")


async def test_layers_of_a_version_pulled_from_there_are_mounted(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """What another repository of the registry has is not sent."""
    host = docker_registry.host
    await push(workspace, f"{wdbc}:v1.1.0", f"{host}/push/base:v1.1.0")
    await copy(workspace, f"{host}/push/base:v1.1.0", f"local:{host}/push/base:v1.1.0")
    await copy(workspace, f"{wdbc}:v1.1.0", "mine:v1.1.0")
    done = await push(workspace, "mine:v1.1.0", f"{host}/push/mounted:v1.1.0")
    layers = {blob.digest for blob in done.delivery.graph.root.layers}
    assert {b.status for b in done.blobs if b.digest in layers} == {"mounted"}


@pytest.mark.parametrize(
    ("reference", "destinations", "says"),
    [
        ("fraud:v1", [], "which registry"),
        ("fraud:v1", ["oci:elsewhere:v1"], "no repository of a registry"),
        ("fraud:v1", ["elsewhere:v1"], "no repository of a registry"),
        ("fraud:v1", ["ghcr.io/a/b:v1", "ghcr.io/a/c:v1"], "another repository"),
        ("fraud:v1", [f"ghcr.io/a/b@sha256:{'0' * 64}"], "another version"),
        ("ghcr.io/a/b:v1", ["ghcr.io/a/c:v1"], "in a registry already"),
    ],
)
async def test_where_it_goes_must_be_clear(
    workspace: Workspace, wdbc: str, reference: str, destinations: list[str], says: str
) -> None:
    """Exit code 2 before anything is asked of a registry."""
    await copy(workspace, f"{wdbc}:v1.1.0", "fraud:v1")
    with pytest.raises(UsageError, match=says):
        await plan_push(workspace, Reference.parse(reference), destinations)


async def test_a_version_tag_is_never_moved(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """Exit code 8, unless it is forced; another tag moves, and the plan says so."""
    home = f"{docker_registry.host}/push/fixed"
    before = await push(workspace, f"{wdbc}:v1.1.0", f"{home}:v1.1.0", "live")
    with pytest.raises(RefusedError) as caught:
        await push(workspace, f"{wdbc}:v1.2.0", f"{home}:v1.1.0")
    assert caught.value.code == 8
    plan = await plan_push(workspace, Reference.parse(f"{wdbc}:v1.2.0"), [f"{home}:live"])
    assert [item.before for item in plan.moved] == [before.delivery.digest]
    forced = await push(workspace, f"{wdbc}:v1.2.0", f"{home}:v1.1.0", force=True)
    assert manifest_at(docker_registry, "push/fixed", "v1.1.0") == forced.delivery.graph.root.raw


async def test_a_tag_that_moved_since_the_plan_is_left_alone(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """Exit code 9: what a plan showed is what is done."""
    home = f"{docker_registry.host}/push/raced"
    plan = await plan_push(workspace, Reference.parse(f"{wdbc}:v1.2.0"), [f"{home}:live"])
    other = await push(workspace, f"{wdbc}:v1.1.0", f"{home}:live")
    with pytest.raises(BusyError):
        await deliver(workspace, plan, Progress())
    assert manifest_at(docker_registry, "push/raced", "live") == other.delivery.graph.root.raw


async def test_a_damaged_blob_makes_no_version(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """Exit code 6, and there is no tag."""
    resolved = await workspace.resolve(Reference.parse(f"{wdbc}:v1.1.0"))
    largest = max((await workspace.manifest(resolved)).layers, key=lambda blob: blob.size)
    path = LayoutRegistry(Path(wdbc.removeprefix("oci:"))).blob_path(largest.digest)
    path.chmod(0o644)
    path.write_bytes(b"x" * largest.size)
    goal = f"{docker_registry.host}/push/damaged:v1.1.0"
    with pytest.raises(IntegrityError, match=largest.digest):
        await push(workspace, f"{wdbc}:v1.1.0", goal)
    with pytest.raises(NotFoundError):
        await workspace.resolve(Reference.parse(goal))


async def test_blobs_that_were_never_there_are_sent_after_all(
    workspace: Workspace, wdbc: str
) -> None:
    """HEAD said that they are, the manifest is not taken without them: once more, in earnest."""
    with push_server() as server:
        resolved = await workspace.resolve(Reference.parse(f"{wdbc}:v1.1.0"))
        layers = (await workspace.manifest(resolved)).layers
        server.phantoms = {layers[0].digest}
        done = await push(workspace, f"{wdbc}:v1.1.0", f"{server.host}/x:v1.1.0")
        assert ("x", "v1.1.0") in server.manifests
        sent = [path for method, path in server.log if method == "PUT" and layers[0].digest in path]
        assert len(sent) == 1
    assert {blob.status for blob in done.blobs} == {"pushed"}


async def test_blobs_before_the_manifest_before_its_tags(workspace: Workspace, wdbc: str) -> None:
    """Nothing is named before it is there."""
    with push_server() as server:
        await push(workspace, f"{wdbc}:v1.1.0", f"{server.host}/x:v1.1.0", "live")
        puts = [path for method, path in server.log if method == "PUT"]
    first_tag = next(n for n, path in enumerate(puts) if path.endswith(("/v1.1.0", "/live")))
    manifest = next(n for n, path in enumerate(puts) if "/manifests/sha256:" in path)
    last_blob = max(n for n, path in enumerate(puts) if "/blobs/" in path)
    assert last_blob < manifest < first_tag


async def test_a_read_only_workspace_pushes_nothing(tmp_path: Path, wdbc: str) -> None:
    """Exit code 8 before anything is looked at."""
    workspace = Workspace(Settings(library=tmp_path / "library"), read_only=True)
    with pytest.raises(RefusedError):
        await plan_push(workspace, Reference.parse(f"{wdbc}:v1.1.0"), ["ghcr.io/a/b:v1"])


async def test_a_registry_that_wants_a_login(
    workspace: Workspace, wdbc: str, locked_registry: RunningRegistry, tmp_path: Path
) -> None:
    """The login of Docker's own file is used for all of it."""
    assert locked_registry.login
    login = base64.b64encode(":".join(locked_registry.login).encode()).decode()
    config = Path(os.environ["HOME"]) / ".docker" / "config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"auths": {locked_registry.host: {"auth": login}}}))
    done = await push(workspace, f"{wdbc}:v1.1.0", f"{locked_registry.host}/push/locked:v1.1.0")
    assert {blob.status for blob in done.blobs} == {"pushed"}


@pytest.mark.skipif(shutil.which("kit") is None, reason="reads with the real kit")
async def test_kit_reads_what_was_pushed(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry, tmp_path: Path
) -> None:
    """Pulled and unpacked by kit, which verifies what it pulls."""
    goal = f"{docker_registry.host}/push/kit:v2.0.0"
    done = await push(workspace, f"{wdbc}:v2.0.0", goal)
    environment = {**os.environ, "KITOPS_HOME": str(tmp_path / "kitops")}

    def kit(*words: str) -> str:
        command = ["kit", *words, "--plain-http", "--progress=none"]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    kit("pull", goal)
    kit("unpack", goal, "-d", str(tmp_path / "out"))
    assert (tmp_path / "out" / "Kitfile").exists()
    assert done.delivery.digest in kit("inspect", goal, "--remote")
