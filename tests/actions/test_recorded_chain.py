"""A version whose model came from another kit goes back to that very kit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest

from rolldeck.actions import (
    Workspace,
    apply,
    collect_garbage,
    plan_pin,
    plan_rollback,
    plan_undo,
    pull,
)
from rolldeck.errors import RefusedError
from rolldeck.oci import Digest, Place, Reference
from rolldeck.progress import Progress
from rolldeck.release import Plan, Target
from rolldeck.settings import Settings
from tests.made_kits import MadeLayout
from tests.servers.registry import RunningRegistry


@pytest.fixture
async def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workspace]:
    """An empty library."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    found = Workspace(Settings(library=tmp_path / "library"))
    yield found
    await found.close()


@dataclass(frozen=True)
class Site:
    """A registry with a base whose tag moves, the version on it, and where that is pinned."""

    registry: RunningRegistry
    tmp_path: Path
    name: str

    def base(self, content: bytes) -> Digest:
        """Let the base's tag name a kit with this model."""
        made = MadeLayout(self.tmp_path / f"base-{content.decode()}")
        digest = made.model("v1", {"model.bin": content})
        self.registry.push(made.root, f"{self.name}/base")
        return digest

    def app(self) -> Reference:
        """Push the version that takes its model from the base."""
        made = MadeLayout(Path(mkdtemp(dir=self.tmp_path)))
        made.child("v1", f"{self.registry.host}/{self.name}/base:v1", {"app.py": b"app"})
        self.registry.push(made.root, f"{self.name}/app")
        return Reference.parse(f"{self.registry.host}/{self.name}/app:v1")

    def other(self) -> Reference:
        """Push a version that has nothing to do with it."""
        made = MadeLayout(self.tmp_path / "other")
        made.model("v1", {"other.bin": b"other"})
        self.registry.push(made.root, f"{self.name}/other")
        return Reference.parse(f"{self.registry.host}/{self.name}/other:v1")

    @property
    def target(self) -> Target:
        """The local target."""
        return Target(self.tmp_path / "serving")

    def model(self) -> bytes:
        """Return the model that is live."""
        return (self.target.link / "model.bin").read_bytes()


@pytest.fixture
def site(docker_registry: RunningRegistry, tmp_path: Path) -> Site:
    """A site with repositories of its own."""
    return Site(docker_registry, tmp_path, f"recorded/{tmp_path.name}")


async def move_away(site: Site, workspace: Workspace, *, keep_record: bool = True) -> Plan:
    """Pin the version, then another one, damage the first's files, and let the base's tag move."""
    site.base(b"then")
    plan = await plan_pin(workspace, site.app(), site.target.path)
    await apply(workspace, plan, Progress())
    await apply(workspace, await plan_pin(workspace, site.other(), site.target.path), Progress())
    assert plan.to_digest is not None
    (site.target.directory(plan.to_digest) / "model.bin").write_bytes(b"hurt")
    if not keep_record:
        site.target.discard(plan.to_digest)
    site.base(b"later")
    return plan


@pytest.mark.parametrize("keep_record", [True, False], ids=["release", "history"])
async def test_a_rollback_takes_the_kit_of_then(
    site: Site, workspace: Workspace, keep_record: bool
) -> None:
    """From the registry, since the library is another one; without its record from the history."""
    plan = await move_away(site, workspace, keep_record=keep_record)
    elsewhere = Workspace(Settings(library=site.tmp_path / "elsewhere"))
    back = await plan_rollback(elsewhere, site.target.path)
    assert back.ok
    assert back.chain == plan.chain
    await apply(elsewhere, back, Progress())
    await elsewhere.close()
    assert site.model() == b"then"


async def test_an_undo_takes_the_kit_of_then(site: Site, workspace: Workspace) -> None:
    await move_away(site, workspace)
    await apply(workspace, await plan_undo(workspace, site.target.path), Progress())
    assert site.model() == b"then"


async def test_a_plan_takes_the_kit_that_it_showed(site: Site, workspace: Workspace) -> None:
    """The tag moves between the question and the answer."""
    site.base(b"shown")
    plan = await plan_pin(workspace, site.app(), site.target.path)
    site.base(b"later")
    await apply(workspace, plan, Progress())
    assert site.model() == b"shown"


async def test_a_new_pin_takes_what_the_tag_names(site: Site, workspace: Workspace) -> None:
    """It is what its plan showed; only going back looks into the past."""
    plan = await move_away(site, workspace, keep_record=False)
    again = await plan_pin(workspace, site.app(), site.target.path)
    assert again.chain != plan.chain
    await apply(workspace, again, Progress())
    assert site.model() == b"later"


async def test_the_kit_of_then_is_no_garbage(site: Site, workspace: Workspace) -> None:
    """The library keeps it, though it has no name there any more."""
    plan = await move_away(site, workspace)
    await pull(workspace, Reference.parse(f"{site.registry.host}/{site.name}/base:v1"), Progress())
    await collect_garbage(workspace, grace=0)
    manifest = await workspace.manifest(Reference(Place.LIBRARY, "", "x", None, plan.chain[0]))
    assert workspace.library.holds(plan.chain[0])
    assert all(workspace.library.has(layer) for layer in manifest.layers)


def rewrite_record(site: Site, plan: Plan, **fields: object) -> None:
    """Change what the record of a release says; None takes a field away."""
    assert plan.to_digest is not None
    name = f"{site.target.directory(plan.to_digest).name}.json"
    record = site.target.path / ".rolldeck" / "releases" / name
    document = {**json.loads(record.read_text()), **fields}
    record.write_text(json.dumps({key: item for key, item in document.items() if item is not None}))


async def test_a_kit_of_then_that_is_gone_stops_the_rollback(
    site: Site, workspace: Workspace
) -> None:
    """Another kit is never taken in its place."""
    plan = await move_away(site, workspace)
    rewrite_record(site, plan, chain=["sha256:" + "0" * 64])
    back = await plan_rollback(workspace, site.target.path)
    (again,) = (item for item in back.checks if item.check == "can be unpacked again")
    assert again.ok is False
    assert "base:v1 of then (000000000000), which is missing" in again.detail
    with pytest.raises(RefusedError):
        await apply(workspace, back, Progress())


async def test_a_record_that_says_nothing_of_it(site: Site, workspace: Workspace) -> None:
    """Of an older rolldeck: the plan says that the tag may have moved."""
    plan = await move_away(site, workspace)
    rewrite_record(site, plan, chain=None)
    back = await plan_rollback(workspace, site.target.path)
    (again,) = (item for item in back.checks if item.check == "can be unpacked again")
    assert again.ok is None
    assert "a tag that may have moved since" in again.detail
