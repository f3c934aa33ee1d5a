"""Copying between registries, layouts and the library."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from rolldeck.actions import Workspace, missing_blobs, plan_copy
from rolldeck.errors import NotFoundError, RefusedError, UsageError
from rolldeck.oci import INDEX, LayoutRegistry, Reference, digest_of
from tests.actions.conftest import copy
from tests.servers.registry import RunningRegistry, run_registry


@pytest.fixture(scope="module")
def other_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A second registry."""
    with run_registry(tmp_path_factory.mktemp("other")) as registry:
        yield registry


async def bytes_of(workspace: Workspace, reference: str) -> list[bytes]:
    """The manifest and all small blobs of a version, as its place has them."""
    fresh = Workspace(workspace.settings)
    try:
        resolved = await fresh.resolve(Reference.parse(reference))
        manifest = await fresh.manifest(resolved)
        registry = fresh.registry(resolved)
        blobs = [manifest.config, *manifest.layers]
        read = [await registry.read_blob(resolved.repository, blob) for blob in blobs if blob]
        return [manifest.raw, *read]
    finally:
        await fresh.close()


async def test_all_the_way_round(
    workspace: Workspace,
    wdbc: str,
    docker_registry: RunningRegistry,
    other_registry: RunningRegistry,
    tmp_path: Path,
) -> None:
    """Layout, registry, registry, layout, library, layout, library, registry: always the same."""
    original = await bytes_of(workspace, f"{wdbc}:v1.2.0")
    way = [
        f"{wdbc}:v1.2.0",
        f"{docker_registry.host}/copy/one:v1.2.0",
        f"{other_registry.host}/copy/two:v1.2.0",
        f"oci:{tmp_path}/three:v1.2.0",
        "four:v1.2.0",
        f"oci:{tmp_path}/five//deep/five:v1.2.0",
        f"local:{docker_registry.host}/copy/six:v1.2.0",
        f"{docker_registry.host}/copy/six:v1.2.0",
    ]
    for a, b in pairwise(way):
        await copy(workspace, a, b)
        assert await bytes_of(workspace, b) == original, b


async def test_between_registries_nothing_is_kept_here(
    workspace: Workspace,
    wdbc: str,
    docker_registry: RunningRegistry,
    other_registry: RunningRegistry,
) -> None:
    """Not even a library is made."""
    await copy(workspace, f"{wdbc}:v1.1.0", f"{docker_registry.host}/copy/kept:v1.1.0")
    await copy(
        workspace,
        f"{docker_registry.host}/copy/kept:v1.1.0",
        f"{other_registry.host}/copy/kept:v1.1.0",
    )
    assert not workspace.library.root.exists()


async def test_within_a_registry_everything_is_mounted(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """No byte of a blob is moved."""
    host = docker_registry.host
    await copy(workspace, f"{wdbc}:v1.1.0", f"{host}/copy/from:v1.1.0")
    done = await copy(workspace, f"{host}/copy/from:v1.1.0", f"{host}/copy/to")
    assert {blob.status for blob in done.blobs} == {"mounted"}
    assert done.bytes_transferred == 0
    assert done.delivery.tags[0].tag == "v1.1.0"


async def test_an_image_index_goes_with_all_that_it_names(
    workspace: Workspace, golden: Path, docker_registry: RunningRegistry, tmp_path: Path
) -> None:
    """Children first, without names of their own; to a registry, and back into a layout."""
    source = _an_index(golden, tmp_path)
    goal = f"{docker_registry.host}/copy/index"
    done = await copy(workspace, f"{source}:all", f"{goal}:all")
    children = [child.digest for child in done.delivery.graph.root.manifests]
    assert len(children) == 2
    for digest in children:
        await workspace.registry(Reference.parse(goal)).resolve("copy/index", digest)
    await copy(workspace, f"{goal}:all", f"oci:{tmp_path}/back:all")
    back = LayoutRegistry(tmp_path / "back")
    assert [entry.tag for entry in back.entries()] == ["all"]
    for digest in children:
        for layer in back.read_manifest(digest).layers:
            assert back.blob_path(layer.digest).stat().st_size == layer.size


def _an_index(golden: Path, tmp_path: Path) -> str:
    """A layout with an image index, tagged ``all``, over two versions."""
    shutil.copytree(golden / "layouts" / "wdbc", tmp_path / "indexed")
    layout = LayoutRegistry(tmp_path / "indexed")
    children = [layout.find("", tag).to_json() for tag in ("v1.1.0", "v1.2.0")]
    for child in children:
        child.pop("annotations", None)
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}
    raw = json.dumps(document).encode()
    path = layout.blob_path(digest_of(raw))
    path.write_bytes(raw)
    index = json.loads((layout.root / "index.json").read_bytes())
    name = {"org.opencontainers.image.ref.name": "all"}
    index["manifests"].append(
        {"mediaType": INDEX, "digest": digest_of(raw), "size": len(raw), "annotations": name}
    )
    (layout.root / "index.json").write_text(json.dumps(index))
    return f"oci:{layout.root}"


async def test_a_layout_of_others_keeps_what_it_says(
    workspace: Workspace, wdbc: str, golden: Path, tmp_path: Path
) -> None:
    """Other entries and keys of the index stay as they were."""
    root = tmp_path / "theirs"
    shutil.copytree(golden / "layouts" / "era", root)
    index = json.loads((root / "index.json").read_bytes())
    index["annotations"] = {"their": "own"}
    index["manifests"][0]["platform"] = {"architecture": "arm64", "os": "linux"}
    (root / "index.json").write_text(json.dumps(index))
    await copy(workspace, f"{wdbc}:v1.1.0", f"oci:{root}:v9")
    after = json.loads((root / "index.json").read_bytes())
    assert after["annotations"] == index["annotations"]
    assert after["manifests"][:-1] == index["manifests"]
    assert sorted(path.name for path in root.iterdir()) == ["blobs", "index.json", "oci-layout"]


async def test_a_directory_of_something_else_is_no_layout(
    workspace: Workspace, wdbc: str, tmp_path: Path
) -> None:
    """Exit code 2, and nothing is written there."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match="neither empty nor an OCI layout"):
        await copy(workspace, f"{wdbc}:v1.1.0", f"oci:{tmp_path}/thesis:v1")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["thesis.tex"]


async def test_what_would_be_moved(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """Only what the target lacks: versions share layers."""
    home = f"{docker_registry.host}/copy/dry"
    await copy(workspace, f"{wdbc}:v1.1.0", f"{home}:v1.1.0")
    plan = await plan_copy(
        workspace, Reference.parse(f"{wdbc}:v1.2.0"), Reference.parse(f"{home}:v1.2.0")
    )
    missing = await missing_blobs(workspace, plan)
    assert 0 < len(missing) < len(plan.graph.blobs)
    with pytest.raises(NotFoundError):
        await workspace.resolve(Reference.parse(f"{home}:v1.2.0"))


async def test_a_version_tag_of_a_layout_is_never_moved(
    workspace: Workspace, wdbc: str, tmp_path: Path
) -> None:
    """The same rule everywhere."""
    await copy(workspace, f"{wdbc}:v1.1.0", f"oci:{tmp_path}/to:v1.1.0")
    await copy(workspace, f"{wdbc}:v1.1.0", f"oci:{tmp_path}/to:v1.1.0")
    with pytest.raises(RefusedError):
        await copy(workspace, f"{wdbc}:v1.2.0", f"oci:{tmp_path}/to:v1.1.0")


async def test_a_copy_that_was_cut_short_goes_on(
    workspace: Workspace, wdbc: str, tmp_path: Path
) -> None:
    """What lies in the layout is not copied again."""
    first = await copy(workspace, f"{wdbc}:v1.1.0", f"oci:{tmp_path}/to:v1.1.0")
    (tmp_path / "to" / "index.json").unlink()
    layout = LayoutRegistry(tmp_path / "to")
    gone = layout.blob_path(first.blobs[0].digest)
    gone.unlink()
    again = await copy(workspace, f"{wdbc}:v1.1.0", f"oci:{tmp_path}/to:v1.1.0")
    assert [blob.digest for blob in again.blobs if blob.status == "pushed"] == [
        first.blobs[0].digest
    ]
