"""Pruning local targets: what goes with a move, what the library and running operations keep."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from rolldeck.actions import Workspace, apply, plan_pin
from rolldeck.actions.lease import reading
from rolldeck.actions.prune import plan_prune, prune
from rolldeck.errors import RefusedError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.release import Target
from rolldeck.settings import Settings
from tests.release import processes
from tests.servers.registry import RunningRegistry

VERSIONS = ("v1.0.0", "v1.1.0", "v1.2.0")


@pytest.fixture
async def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workspace]:
    """A workspace that keeps only what it must."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    processes.see_all(monkeypatch)
    opened = Workspace(Settings(library=tmp_path / "library", keep_releases=1))
    yield opened
    await opened.close()


@pytest.fixture
async def target(workspace: Workspace, golden_registry: RunningRegistry, tmp_path: Path) -> Target:
    """Three versions pinned from a registry: their large layers lie in the releases alone."""
    roomy = replace(workspace.settings, keep_releases=9)
    workspace.settings, kept = roomy, workspace.settings
    for tag in VERSIONS:
        reference = Reference.parse(f"{golden_registry.host}/golden/wdbc:{tag}")
        plan = await plan_pin(workspace, reference, tmp_path / "serving", summary=False)
        await apply(workspace, plan, Progress())
    workspace.settings = kept
    return Target(tmp_path / "serving")


def names(workspace: Workspace) -> set[str | None]:
    return {entry.tag for entry in workspace.library.entries()}


async def test_a_plan_only_reports(workspace: Workspace, target: Target) -> None:
    plan = await plan_prune(workspace, target.path)
    assert [item.label for item in plan.surplus] == ["v1.0.0"]
    assert len(target.unpacked()) == 3


async def test_what_is_surplus_goes(workspace: Workspace, target: Target) -> None:
    done = await prune(workspace, await plan_prune(workspace, target.path))
    assert [item.label for item in done.removed] == ["v1.0.0"]
    assert len(target.unpacked()) == 2
    assert len(list(target.releases.iterdir())) == 2


async def test_only_what_was_shown_goes(workspace: Workspace, target: Target) -> None:
    plan = await plan_prune(workspace, target.path)
    done = await prune(workspace, replace(plan, surplus=()))
    assert not done.removed
    assert len(target.unpacked()) == 3


async def test_a_pin_says_what_goes_and_removes_it(
    workspace: Workspace, target: Target, golden_registry: RunningRegistry
) -> None:
    """Never as a side effect that the plan does not tell."""
    reference = Reference.parse(f"{golden_registry.host}/golden/wdbc:v1.1.0")
    plan = await plan_pin(workspace, reference, target.path, summary=False)
    said = next(item for item in plan.checks if item.check == "releases")
    assert said.detail.startswith("keeps 2, removes 1, frees ")
    moved = await apply(workspace, plan, Progress())
    assert moved.removed == plan.removes
    assert len(target.unpacked()) == 2


async def test_a_process_that_opens_a_file_meanwhile_keeps_it(
    workspace: Workspace, target: Target, golden_registry: RunningRegistry
) -> None:
    reference = Reference.parse(f"{golden_registry.host}/golden/wdbc:v1.1.0")
    plan = await plan_pin(workspace, reference, target.path, summary=False)
    (gone,) = plan.removes
    file = next(path for path in target.directory(gone).rglob("*") if path.is_file())
    with processes.using(file, "open"):
        moved = await apply(workspace, plan, Progress())
    assert moved.removed == ()
    assert len(target.unpacked()) == 3


async def test_one_that_opens_it_at_the_last_moment_gets_it_back(
    workspace: Workspace, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between look and removal: the release is looked at once more under its hidden name."""
    plan = await plan_prune(workspace, target.path)
    (surplus,) = plan.surplus
    file = next(path for path in target.directory(surplus.digest).rglob("*") if path.is_file())
    before = names(workspace)
    real = Target.take_away
    held = processes.using(file, "open")

    def take_away(self: Target, digest: object) -> Path:
        held.__enter__()
        return real(self, digest)  # type: ignore[arg-type]

    monkeypatch.setattr(Target, "take_away", take_away)
    try:
        done = await prune(workspace, plan)
    finally:
        held.__exit__(None, None, None)
    assert not done.removed
    assert target.release(surplus.digest) is not None
    assert names(workspace) == before


async def test_nothing_is_removed_where_nothing_may_be_changed(target: Target) -> None:
    guarded = Workspace(Settings(library=target.path.parent / "library"), read_only=True)
    plan = await plan_prune(guarded, target.path)
    with pytest.raises(RefusedError):
        await prune(guarded, plan)
    await guarded.close()


def stand_in(workspace: Workspace, target: Target) -> None:
    """Let every release stand in for its layers, as those that were received in one pass do."""
    for digest in target.unpacked():
        manifest = json.loads(workspace.library.layout.blob_path(digest).read_bytes())
        for layer in manifest["layers"]:
            (target.make_layers(digest) / layer["digest"].replace(":", "-")).touch()
            workspace.library.layout.blob_path(layer["digest"]).unlink(missing_ok=True)


async def test_the_only_copy_of_an_own_version_stays(workspace: Workspace, target: Target) -> None:
    """What has a name of this machine alone cannot be pulled again."""
    stand_in(workspace, target)
    plan = await plan_prune(workspace, target.path)
    (surplus,) = plan.surplus
    entry = next(
        item for item in workspace.library.entries() if item.descriptor.digest == surplus.digest
    )
    workspace.library.write_index(
        [*workspace.library.entries(), entry._replace(repository="mine", tag="best")]
    )
    assert not (await plan_prune(workspace, target.path)).surplus
    done = await prune(workspace, plan)
    assert not done.removed
    reasons = next(item.reasons for item in done.kept if item.digest == surplus.digest)
    assert reasons == ("the only copy of mine:best in the library",)


async def test_a_release_that_an_operation_reads_stays(
    workspace: Workspace, target: Target
) -> None:
    stand_in(workspace, target)
    plan = await plan_prune(workspace, target.path)
    (surplus,) = plan.surplus
    entry = next(
        item for item in workspace.library.entries() if item.descriptor.digest == surplus.digest
    )
    reference = Reference.parse(f"local:{entry.repository}@{surplus.digest}")
    async with reading(workspace, "copy", reference):
        done = await prune(workspace, plan)
    assert not done.removed
    assert target.release(surplus.digest) is not None


async def test_what_can_be_pulled_again_goes_with_its_name(
    workspace: Workspace, target: Target
) -> None:
    """The library must not name what only the removed release stood in for."""
    stand_in(workspace, target)
    done = await prune(workspace, await plan_prune(workspace, target.path))
    assert [item.label for item in done.removed] == ["v1.0.0"]
    assert names(workspace) == {"v1.1.0", "v1.2.0"}
