"""Removing versions and tags, here and at a registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rolldeck.actions import (
    Removal,
    Workspace,
    apply,
    list_versions,
    plan_pin,
    plan_rm,
    plan_untag,
    remove,
)
from rolldeck.errors import BusyError, NotFoundError, RefusedError, UsageError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from tests.actions.conftest import copy
from tests.servers.push_server import push_server
from tests.servers.registry import RunningRegistry


async def gone(workspace: Workspace, reference: str) -> bool:
    """Whether a reference names nothing any more."""
    try:
        await workspace.resolve(Reference.parse(reference))
    except NotFoundError:
        return True
    return False


async def fill(workspace: Workspace, wdbc: str, home: str) -> None:
    """Have two versions in a repository, the first with a second tag."""
    for version, name in (("v1.1.0", "v1.1.0"), ("v1.1.0", "live"), ("v1.2.0", "v1.2.0")):
        await copy(workspace, f"{wdbc}:{version}", f"{home}:{name}")


@pytest.mark.parametrize("place", ["registry", "layout", "library"])
async def test_a_version_goes_with_all_of_its_tags(
    workspace: Workspace,
    wdbc: str,
    docker_registry: RunningRegistry,
    tmp_path: Path,
    place: str,
) -> None:
    """The plan names the tags and what the version shares; the other version stays."""
    home = {
        "registry": f"{docker_registry.host}/rm/wdbc",
        "layout": f"oci:{tmp_path}/rm",
        "library": "mine",
    }[place]
    await fill(workspace, wdbc, home)
    plan = await plan_rm(workspace, Reference.parse(f"{home}:v1.1.0"))
    assert plan.tags == ("live", "v1.1.0")
    assert plan.ok
    assert "also in v1.2.0" in plan.checks[0].detail
    assert not await gone(workspace, f"{home}:live")
    await remove(workspace, plan)
    assert await gone(workspace, f"{home}:v1.1.0")
    assert await gone(workspace, f"{home}:live")
    assert not await gone(workspace, f"{home}:v1.2.0")


@pytest.mark.parametrize("place", ["layout", "library"])
async def test_a_tag_goes_alone(
    workspace: Workspace, wdbc: str, tmp_path: Path, place: str
) -> None:
    """The plan says which tags stay."""
    home = {"layout": f"oci:{tmp_path}/untag", "library": "mine"}[place]
    await fill(workspace, wdbc, home)
    plan = await plan_untag(workspace, Reference.parse(f"{home}:live"))
    assert (plan.tags, plan.kept) == (("live",), ("v1.1.0",))
    await remove(workspace, plan)
    assert await gone(workspace, f"{home}:live")
    assert not await gone(workspace, f"{home}:v1.1.0")


async def test_blobs_stay_until_they_are_collected(workspace: Workspace, wdbc: str) -> None:
    """Removing changes the index only."""
    await copy(workspace, f"{wdbc}:v1.1.0", "mine:v1.1.0")
    plan = await plan_rm(workspace, Reference.parse("mine:v1.1.0"))
    manifest = await workspace.manifest(plan.reference)
    await remove(workspace, plan)
    assert workspace.library.entries() == []
    assert all(workspace.library.has(layer) for layer in manifest.layers)


async def test_docker_registry_cannot_delete_a_tag(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """It says so, and both tags are still there."""
    home = f"{docker_registry.host}/rm/tags"
    await fill(workspace, wdbc, home)
    plan = await plan_untag(workspace, Reference.parse(f"{home}:live"))
    with pytest.raises(RefusedError, match="cannot delete a tag alone"):
        await remove(workspace, plan)
    assert not await gone(workspace, f"{home}:live")
    assert not await gone(workspace, f"{home}:v1.1.0")


async def test_distribution_3_deletes_a_tag(
    workspace: Workspace, wdbc: str, distribution_registry: RunningRegistry
) -> None:
    """The version and its other tag stay."""
    home = f"{distribution_registry.host}/rm/tags"
    await fill(workspace, wdbc, home)
    await remove(workspace, await plan_untag(workspace, Reference.parse(f"{home}:live")))
    assert await gone(workspace, f"{home}:live")
    assert not await gone(workspace, f"{home}:v1.1.0")
    await remove(workspace, await plan_rm(workspace, Reference.parse(f"{home}:v1.2.0")))
    assert await gone(workspace, f"{home}:v1.2.0")


async def test_a_registry_that_takes_a_tag_for_its_version(workspace: Workspace, wdbc: str) -> None:
    """What went too far is put back: the manifest with the tags that were to stay."""
    with push_server() as server:
        home = f"{server.host}/x"
        await fill(workspace, wdbc, home)
        plan = await plan_untag(workspace, Reference.parse(f"{home}:live"))
        server.tags_are_versions = True
        await remove(workspace, plan)
        assert ("x", "v1.1.0") in server.manifests
        assert ("x", "live") not in server.manifests


async def test_a_tag_that_moved_since_the_plan_is_left_alone(
    workspace: Workspace, wdbc: str
) -> None:
    """Exit code 9."""
    await fill(workspace, wdbc, "mine")
    plan = await plan_rm(workspace, Reference.parse("mine:v1.1.0"))
    await copy(workspace, f"{wdbc}:v1.2.0", "mine:live")
    with pytest.raises(BusyError):
        await remove(workspace, plan)
    assert not await gone(workspace, "mine:v1.1.0")


async def test_what_a_local_target_needs_is_kept(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry, tmp_path: Path
) -> None:
    """Current or a rollback point: refused in the library, said of a registry."""
    home = f"{docker_registry.host}/rm/pinned"
    for place in ("mine", home):
        await fill(workspace, wdbc, place)
    for tag in ("v1.1.0", "v1.2.0"):
        plan = await plan_pin(workspace, Reference.parse(f"mine:{tag}"), tmp_path / "serving")
        await apply(workspace, plan, Progress())
    for tag, what in (("v1.1.0", "rollback point"), ("v1.2.0", "current")):
        removal = await plan_rm(workspace, Reference.parse(f"mine:{tag}"))
        assert [check.check for check in removal.checks if check.ok is False] == [what]
        with pytest.raises(RefusedError):
            await remove(workspace, removal)
        assert not await gone(workspace, f"mine:{tag}")
        there = await plan_rm(workspace, Reference.parse(f"{home}:{tag}"))
        told = [check.check for check in there.checks if check.ok is None]
        assert [name for name in told if name != "channel"] == [what]
        assert there.ok
    forced = await plan_rm(workspace, Reference.parse("mine:v1.2.0"), force=True)
    await remove(workspace, forced)
    assert await gone(workspace, "mine:v1.2.0")


async def test_the_last_tag_is_the_version(workspace: Workspace, wdbc: str) -> None:
    """The plan says so."""
    await copy(workspace, f"{wdbc}:v1.1.0", "mine:v1.1.0")
    plan = await plan_untag(workspace, Reference.parse("mine:v1.1.0"))
    assert plan.kept == ()
    assert "last tag" in plan.checks[0].detail


async def test_other_names_in_the_library_stay(workspace: Workspace, wdbc: str) -> None:
    """A removal is of one repository."""
    for name in ("mine", "yours"):
        await copy(workspace, f"{wdbc}:v1.1.0", f"{name}:v1.1.0")
    plan = await plan_rm(workspace, Reference.parse("mine:v1.1.0"))
    assert any("yours:v1.1.0" in check.detail for check in plan.checks)
    await remove(workspace, plan)
    assert await gone(workspace, "mine:v1.1.0")
    assert not await gone(workspace, "yours:v1.1.0")


async def test_what_an_image_index_names_is_kept(
    workspace: Workspace, golden: Path, golden_registry: RunningRegistry
) -> None:
    """Else the index would name nothing."""
    homes = [f"{golden_registry.host}/golden/{p.name}" for p in (golden / "layouts").iterdir()]
    found = [await list_versions(workspace, Reference.parse(home)) for home in homes]
    index = next(row for listing in found for row in listing.rows if row.kind == "index")
    child = (await workspace.manifest(index.reference)).manifests[0]
    plan = await plan_rm(workspace, index.reference.at(child.digest))
    assert [check.check for check in plan.checks if check.ok is False] == ["image index"]


async def test_what_goes_must_be_named(workspace: Workspace, wdbc: str) -> None:
    """Exit code 2: no tag does not mean the latest version here."""
    with pytest.raises(UsageError):
        await plan_untag(workspace, Reference.parse(wdbc))
    with pytest.raises(UsageError):
        await plan_rm(workspace, Reference.parse(wdbc))


@pytest.mark.parametrize("plan_of", [plan_rm, plan_untag])
async def test_a_channel_that_would_lose_its_version_is_told(
    workspace: Workspace, wdbc: str, plan_of: Callable[..., Awaitable[Removal]]
) -> None:
    """It does not stop the removal; a tag that is no channel is not told of."""
    for name in ("v1.1.0", "production"):
        await copy(workspace, f"{wdbc}:v1.1.0", f"mine:{name}")
    plan = await plan_of(workspace, Reference.parse("mine:production"))
    told = [check for check in plan.checks if check.check == "channel"]
    assert [(check.ok, check.detail) for check in told] == [
        (None, "production: whoever pulls by it gets nothing")
    ]
    assert plan.ok
    await copy(workspace, f"{wdbc}:v1.2.0", "mine:v1.2.0")
    plain = await plan_of(workspace, Reference.parse("mine:v1.2.0"))
    assert "channel" not in {check.check for check in plain.checks}
