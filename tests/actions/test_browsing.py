"""Repositories and versions from several places at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rolldeck.actions import (
    Workspace,
    list_repositories,
    list_versions,
    watch_repositories,
    watch_versions,
)
from rolldeck.actions.demo import prepare_demo
from rolldeck.errors import UnavailableError
from rolldeck.oci import LayoutRegistry, Reference
from rolldeck.settings import RegistrySettings, Settings
from tests.servers.registry import RunningRegistry, push_manifest


async def test_library_and_registries_are_listed_together(
    golden_registry: RunningRegistry, tmp_path: Path
) -> None:
    """A registry that does not answer is a problem beside the others, with its known names."""
    demo = prepare_demo(tmp_path / "demo")
    registries = {
        golden_registry.host: RegistrySettings(),
        "127.0.0.1:1": RegistrySettings(repositories=("acme/fraud",)),
    }
    workspace = Workspace(Settings(library=demo.library, registries=registries))
    try:
        found = await list_repositories(workspace)
    finally:
        await workspace.close()
    rows = {(row.source, row.name) for row in found.rows}
    assert ("local library", "movie-recommend") in rows
    assert (golden_registry.host, "golden/wdbc") in rows
    assert ("127.0.0.1:1", "acme/fraud") in rows
    assert [source for source, _ in found.problems] == ["127.0.0.1:1"]
    assert not found.complete


async def test_of_one_place_the_error_is_raised(tmp_path: Path) -> None:
    """Who asks for one registry wants to know why it failed."""
    workspace = Workspace(Settings(library=tmp_path / "library"))
    with pytest.raises(UnavailableError):
        await list_repositories(workspace, Reference.parse("127.0.0.1:1/"))
    await workspace.close()


async def test_names_come_first_then_rows_fill(golden: Path, tmp_path: Path) -> None:
    """The first snapshot has every version by name; the last has every row filled."""
    workspace = Workspace(Settings(library=tmp_path / "library"))
    layout = Reference.parse(f"oci:{golden}/layouts/era")
    snapshots = [found async for found in watch_versions(workspace, layout)]
    assert snapshots[0].loaded == 0
    assert snapshots[-1].loaded == len(snapshots[-1].rows) == len(snapshots[0].rows)
    assert {row.digest for row in snapshots[0].rows} == {row.digest for row in snapshots[-1].rows}


async def test_every_golden_layout_is_listed(golden: Path, tmp_path: Path) -> None:
    """Kits, packs, artifacts, images and an index: each tag is in a row, none is an error."""
    workspace = Workspace(Settings(library=tmp_path / "library"))
    kinds = set()
    for path in sorted((golden / "layouts").iterdir()):
        found = await list_versions(workspace, Reference.parse(f"oci:{path}"))
        tags = [tag for row in found.rows for tag in row.tags]
        expected = {p.stem.partition("_")[2] for p in (golden / "expected").glob(f"{path.name}_*")}
        assert set(tags) == expected
        assert [row.problem for row in found.rows] == [None] * len(found.rows)
        kinds |= {row.kind for row in found.rows}
    assert kinds == {"modelkit", "modelpack", "artifact", "image", "index"}


async def test_referrer_tags_are_counted_and_folded(
    golden: Path, docker_registry: RunningRegistry, tmp_path: Path
) -> None:
    """The fallback tags of signatures are no versions."""
    docker_registry.push(golden / "layouts" / "facts-kfp", "folded/kfp")
    digest = docker_registry.push(golden / "layouts" / "facts-kfp", "folded/kfp", "v1")["v1"]
    raw = docker_registry.blob_file(digest).read_bytes()
    name = digest.replace(":", "-")
    kind = "application/vnd.oci.image.manifest.v1+json"
    for suffix in ("", ".sig"):
        push_manifest(docker_registry.url, "folded/kfp", f"{name}{suffix}", raw, kind)
    workspace = Workspace(Settings(library=tmp_path / "library"))
    try:
        reference = Reference.parse(f"{docker_registry.host}/folded/kfp")
        found = await list_versions(workspace, reference)
    finally:
        await workspace.close()
    assert [row.label for row in found.rows] == ["v2", "v1"]
    assert found.referrers == 2


async def test_the_library_is_listed_before_registries_answer(tmp_path: Path) -> None:
    """Each snapshot is the whole list so far, and names what did not answer yet."""
    demo = prepare_demo(tmp_path / "demo")
    registries = {"127.0.0.1:1": RegistrySettings(repositories=("acme/fraud",))}
    workspace = Workspace(Settings(library=demo.library, registries=registries))
    first, last = [found async for found in watch_repositories(workspace)]
    await workspace.close()
    assert "movie-recommend" in {row.name for row in first.rows}
    assert first.pending == ("127.0.0.1:1",)
    assert not last.pending
    assert {"movie-recommend", "acme/fraud"} <= {row.name for row in last.rows}


async def test_a_damaged_layout_is_listed_with_its_problems(golden: Path, tmp_path: Path) -> None:
    """A manifest that is gone and one that is not what it was: their rows say so."""
    place = tmp_path / "layout"
    shutil.copytree(golden / "layouts" / "wdbc", place)
    layout = LayoutRegistry(place)
    gone, other = layout.find("", "v1.0.0").digest, layout.find("", "v1.1.0").digest
    layout.blob_path(gone).unlink()
    layout.blob_path(other).chmod(0o644)
    layout.blob_path(other).write_bytes(b"{}")
    workspace = Workspace(Settings(library=tmp_path / "library"))
    found = await list_versions(workspace, Reference.parse(f"oci:{place}"))
    problems = {row.digest: row.problem for row in found.rows if row.problem}
    assert set(problems) == {gone, other}
    assert "missing" in (problems[gone] or "")
    assert found.loaded == len(found.rows) > 2
