"""Blobs that a release holds, too: told, and removed only where they can be had again."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from rolldeck.actions import (
    Workspace,
    apply,
    collect_garbage,
    deliver,
    plan_copy,
    plan_pin,
    plan_push,
    pull,
    remove_spares,
    survey_garbage,
    unpack,
    verify,
    verify_all,
)
from rolldeck.actions.lease import reading
from rolldeck.actions.prune import plan_prune, prune
from rolldeck.oci import MANIFEST, Descriptor, Reference
from rolldeck.progress import Progress
from rolldeck.release import Target
from rolldeck.settings import Settings
from rolldeck.store.debris import Garbage
from tests.release import processes
from tests.servers.kits import PushedKit, files_below, push_kit
from tests.servers.registry import RunningRegistry

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def kit(docker_registry: RunningRegistry, tmp_path_factory: pytest.TempPathFactory) -> PushedKit:
    """A version with one layer over 8 MiB."""
    sizes = {"a.bin": 7 * MIB + 13, "b.json": 2000, "c.bin": 2 * MIB}
    return push_kit(docker_registry, tmp_path_factory.mktemp("kit") / "c", "spare/kit", sizes)


class Site:
    """One user's library and targets."""

    def __init__(self, root: Path, host: str, kit: PushedKit) -> None:
        self.root = root
        self.workspace = Workspace(Settings(library=root / "library", keep_releases=1))
        self.remote = Reference.parse(f"{host}/{kit.repository}:v1")
        self.local = Reference.parse(f"local:{self.remote}")
        self.blob = root / "library/blobs" / kit.model.digest.replace(":", "/")

    async def pin(self, reference: Reference, name: str = "serving") -> Target:
        """Make the version current in a target."""
        plan = await plan_pin(self.workspace, reference, self.root / name, summary=False)
        await apply(self.workspace, plan, Progress())
        return Target(self.root / name)

    async def spares(self) -> tuple[Garbage, ...]:
        """What is held twice."""
        return (await survey_garbage(self.workspace)).spare

    async def remove(self) -> tuple[Garbage, ...]:
        """Remove that, as far as it may go."""
        return (await remove_spares(self.workspace, await self.spares(), Progress()))[0]

    async def staying(self, spare: Garbage) -> str:
        """Try to remove one that stays; returns why."""
        gone, (stay,) = await remove_spares(self.workspace, [spare], Progress())
        assert gone == ()
        assert self.blob.exists()
        return stay.reason


@pytest.fixture
async def site(
    docker_registry: RunningRegistry,
    kit: PushedKit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Site]:
    """A site with the version pulled, then pinned to the target ``serving``."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    processes.see_all(monkeypatch)
    made = Site(tmp_path, docker_registry.host, kit)
    await pull(made.workspace, made.remote, Progress())
    await made.pin(made.local)
    yield made
    await made.workspace.close()


def on_disk(root: Path) -> int:
    """Bytes of the blocks below a directory, each once, as ``du -B1`` counts them."""
    found = {(s.st_dev, s.st_ino): s.st_blocks * 512 for s in map(os.lstat, root.rglob("*"))}
    return sum(found.values())


@pytest.mark.parametrize("way", ["local", "remote"])
async def test_a_pin_of_what_was_pulled_can_stand_in(site: Site, kit: PushedKit, way: str) -> None:
    """By the library's name and by the registry's: the skeleton is recorded on the way."""
    target = await site.pin(getattr(site, way), "second")
    assert site.blob.exists()
    assert [item.digest for item in target.holders(kit.model.digest)] == [kit.manifest.digest]
    site.blob.unlink()
    await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert files_below(site.root / "out") == kit.files


async def test_what_is_held_twice_is_told_and_stays(site: Site, kit: PushedKit) -> None:
    """Only what is asked for goes."""
    (spare,) = await site.spares()
    target = Target(site.root / "serving")
    assert (spare.digest, spare.size) == (kit.model.digest, kit.size)
    assert spare.reason == f"also in {target.directory(kit.kit.digest)}"
    gone = await collect_garbage(site.workspace, grace=0)
    assert gone.garbage == ()
    assert site.blob.exists()


async def test_it_costs_its_size_once(site: Site, kit: PushedKit) -> None:
    """And the library is as after a pin from the registry: whole, and every reader has it."""
    before = on_disk(site.root)
    assert [item.digest for item in await site.remove()] == [kit.model.digest]
    assert not site.blob.exists()
    assert before - on_disk(site.root) >= kit.size
    assert await site.spares() == ()
    assert [found.ok async for _, found in verify_all(site.workspace, Progress())] == [True, True]
    await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert files_below(site.root / "out") == kit.files
    await site.pin(site.local, "second")
    assert files_below(site.root / "second/current") == kit.files
    pulled = await pull(site.workspace, site.remote, Progress())
    assert pulled.bytes_transferred == 0
    assert site.blob.read_bytes() == kit.blobs[kit.model.digest]


async def test_copy_and_push_give_the_same_bytes(
    site: Site, kit: PushedKit, docker_registry: RunningRegistry
) -> None:
    """Rebuilt on the way, hashed by whoever gets them."""
    assert await site.remove()
    layout = Reference.parse(f"oci:{site.root}/layout:v1")
    await deliver(site.workspace, await plan_copy(site.workspace, site.local, layout), Progress())
    copied = site.root / "layout/blobs" / kit.model.digest.replace(":", "/")
    assert copied.read_bytes() == kit.blobs[kit.model.digest]
    destination = f"{docker_registry.host}/spare/pushed:v1"
    plan = replace(await plan_push(site.workspace, site.local, [destination]), mounts={})
    await deliver(site.workspace, plan, Progress())
    assert (await verify(site.workspace, destination, Progress())).ok
    found = await site.workspace.resolve(Reference.parse(destination))
    assert found.digest == kit.manifest.digest


async def test_a_changed_release_is_no_reason_to_remove(site: Site, kit: PushedKit) -> None:
    """Neither one that was written to, nor one whose stamps do not tell."""
    target = Target(site.root / "serving")
    (spare,) = await site.spares()
    found = target.link / "model/a.bin"
    data = bytearray(found.read_bytes())
    data[len(data) // 2] ^= 1
    found.write_bytes(data)
    assert "model/a.bin: content changed" in await site.staying(spare)
    from rolldeck.kit import stamp_tree

    release = target.release(kit.kit.digest)
    assert release is not None
    target.record(replace(release, stamps=stamp_tree(target.directory(kit.kit.digest))))
    assert "Digest mismatch" in await site.staying(spare)
    assert site.blob.read_bytes() == kit.blobs[kit.model.digest]


async def test_a_locally_packed_version_keeps_its_blob(site: Site, kit: PushedKit) -> None:
    """Although its name looks like one from a registry: nobody received it from there."""
    entry = next(entry for entry in site.workspace.library.entries())
    packed = Descriptor(MANIFEST, entry.descriptor.digest, entry.descriptor.size)
    site.workspace.library.tag(entry.repository, ["v1"], packed)
    assert await site.spares() == ()
    await pull(site.workspace, site.remote, Progress())
    assert len(await site.spares()) == 1


async def test_what_another_version_needs_stays(site: Site, kit: PushedKit) -> None:
    """One that was packed here and shares the layer."""
    library = site.workspace.library
    document = site.workspace.library.layout.read_manifest(kit.manifest.digest).raw
    other = library.add(document.replace(b'"schemaVersion"', b' "schemaVersion"', 1))
    library.tag("packed", ["v1"], Descriptor(MANIFEST, other, len(document) + 1))
    assert await site.spares() == ()


async def test_what_a_running_operation_reads_stays(site: Site) -> None:
    """Its lease was taken before or after the report."""
    (spare,) = await site.spares()
    resolved = await site.workspace.resolve(site.local)
    async with reading(site.workspace, "push", resolved):
        assert await site.spares() == ()
        assert "needed meanwhile" in await site.staying(spare)
    assert await site.remove() == (spare,)


async def test_a_target_that_is_being_moved_keeps_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release could go meanwhile."""
    from rolldeck import locks

    monkeypatch.setattr(locks.locked.__wrapped__, "__defaults__", (0.0,))  # type: ignore[attr-defined]
    (spare,) = await site.spares()
    with Target(site.root / "serving").locked():
        assert "changing" in await site.staying(spare)


async def test_a_write_after_it_was_hashed_is_seen(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release is looked at once more when nobody can move the target."""
    (spare,) = await site.spares()
    real = Target.locked

    def locked(self: Target) -> AbstractContextManager[None]:
        with (self.link / "model/a.bin").open("r+b") as file:
            file.write(b"other bytes")
        return real(self)

    monkeypatch.setattr(Target, "locked", locked)
    assert "model/a.bin: content changed" in await site.staying(spare)


async def test_a_release_that_went_since_keeps_it(site: Site, kit: PushedKit) -> None:
    """Its blob is then the only copy."""
    (spare,) = await site.spares()
    target = Target(site.root / "serving")
    with target.locked():
        target.remove(target.take_away(kit.kit.digest))
    assert "no release holds it" in await site.staying(spare)


async def test_pruning_the_release_takes_the_name_along(
    site: Site, kit: PushedKit, docker_registry: RunningRegistry
) -> None:
    """As after a pin from the registry; a pull then fetches it again."""
    assert await site.remove()
    golden = f"{docker_registry.host}/{kit.repository}"
    target = Target(site.root / "serving")
    release = target.release(kit.kit.digest)
    assert release is not None
    target.link.unlink()
    (target.path / ".rolldeck/history.jsonl").unlink()
    plan = await plan_prune(site.workspace, target.path, keep=1)
    assert [item.digest for item in plan.surplus] == [kit.kit.digest]
    await prune(site.workspace, plan, keep=1)
    assert site.workspace.library.entries() == []
    pulled = await pull(site.workspace, Reference.parse(f"{golden}:v1"), Progress())
    assert pulled.bytes_transferred >= kit.size
    assert site.blob.read_bytes() == kit.blobs[kit.model.digest]
