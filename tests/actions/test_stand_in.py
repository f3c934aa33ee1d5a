"""A release stands in for its large blobs: wherever they are needed, never where it was changed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
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
    pull_unpacked,
    unpack,
    verify,
)
from rolldeck.errors import IntegrityError, RolldeckError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.release import Target
from rolldeck.settings import Settings
from tests.servers.fault_proxy import FaultProxy, fault_proxy
from tests.servers.kits import PushedKit, files_below, push_kit
from tests.servers.registry import RunningRegistry

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def kit(docker_registry: RunningRegistry, tmp_path_factory: pytest.TempPathFactory) -> PushedKit:
    """A version with one layer over 8 MiB."""
    sizes = {"a.bin": 7 * MIB, "b.json": 2000, "c.bin": 2 * MIB}
    return push_kit(docker_registry, tmp_path_factory.mktemp("kit") / "c", "stand/in", sizes)


class Site:
    """One user's library and targets, with a registry that can go away."""

    def __init__(self, root: Path, proxy: FaultProxy, kit: PushedKit) -> None:
        self.root = root
        self.proxy = proxy
        self.workspace = Workspace(Settings(library=root / "library"))
        self.remote = Reference.parse(f"{proxy.host}/{kit.repository}:v1")
        self.local = Reference.parse(f"local:{self.remote}")
        self.blob = root / "library/blobs" / kit.model.digest.replace(":", "/")

    async def pin(self, reference: Reference, name: str) -> Target:
        """Make the version current in a target."""
        plan = await plan_pin(self.workspace, reference, self.root / name)
        await apply(self.workspace, plan, Progress())
        return Target(self.root / name)

    @property
    def fetched(self) -> int:
        """Bytes of blobs that came from the registry since the last look."""
        count = self.proxy.blob_bytes
        self.proxy.sent.clear()
        return count


@pytest.fixture
async def site(
    docker_registry: RunningRegistry,
    kit: PushedKit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Site]:
    """A site with the version pinned to the target ``first``."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with fault_proxy(docker_registry.host) as proxy:
        made = Site(tmp_path, proxy, kit)
        await made.pin(made.remote, "first")
        assert made.fetched >= kit.size
        yield made
        await made.workspace.close()


def change(target: Target, path: str = "model/a.bin") -> None:
    """Flip one byte of a file of the current release."""
    found = target.link / path
    data = bytearray(found.read_bytes())
    data[len(data) // 2] ^= 1
    found.write_bytes(data)


async def test_a_pin_writes_every_byte_once(site: Site, kit: PushedKit) -> None:
    """The library has the name, the manifest and what is small; the large blob is the release."""
    assert files_below(site.root / "first/current") == kit.files
    assert not site.blob.exists()
    assert (await site.workspace.resolve(site.local)).digest == kit.manifest.digest
    library = site.workspace.library
    others = [blob for blob in kit.manifest.layers if blob.digest != kit.model.digest]
    assert all(library.has(blob) for blob in others)
    assert [item.digest for item in Target(site.root / "first").holders(kit.model.digest)] == [
        kit.manifest.digest
    ]


async def test_another_pin_fetches_nothing(site: Site, kit: PushedKit) -> None:
    """From the registry's name and from the library's."""
    plan = await plan_pin(site.workspace, site.remote, site.root / "second")
    assert plan.bytes_to_move == kit.kit.size
    for reference, name in ((site.remote, "second"), (site.local, "third")):
        target = await site.pin(reference, name)
        assert files_below(target.link) == kit.files
        assert target.holders(kit.model.digest)
    assert site.fetched == 0


async def test_a_pull_rebuilds_the_blob(site: Site, kit: PushedKit) -> None:
    """Bit for bit, without the registry's help."""
    pulled = await pull(site.workspace, site.remote, Progress())
    assert site.fetched == 0
    assert pulled.bytes_transferred == 0
    assert site.blob.read_bytes() == kit.blobs[kit.model.digest]


async def test_unpacking_needs_no_registry(site: Site, kit: PushedKit) -> None:
    """From the library's name, after the registry has gone; into a directory and by pull."""
    site.proxy.close()
    unpacked = await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert files_below(site.root / "out") == kit.files
    assert unpacked.kept
    pulled = await pull_unpacked(site.workspace, site.local, site.root / "more", Progress())
    assert files_below(site.root / "more") == kit.files
    assert pulled.bytes_transferred == 0


async def test_the_library_verifies(site: Site, kit: PushedKit) -> None:
    """The rebuilt blob is hashed like any other."""
    found = await verify(site.workspace, str(site.local), Progress())
    assert found.ok
    assert found.checked == len(kit.blobs) + 1


async def test_a_changed_release_is_no_source(site: Site, kit: PushedKit) -> None:
    """It is named, nothing is written, and a pull gets the blob from the registry."""
    change(Target(site.root / "first"))
    with pytest.raises(IntegrityError, match=r"model/a\.bin") as caught:
        await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert "rolldeck verify --repair" in (caught.value.hint or "")
    assert not (site.root / "out").exists()
    found = await verify(site.workspace, str(site.local), Progress())
    assert [problem.digest for problem in found.problems] == [kit.model.digest]
    assert site.fetched == 0
    await pull(site.workspace, site.remote, Progress())
    assert site.fetched == kit.size
    assert site.blob.read_bytes() == kit.blobs[kit.model.digest]


async def test_a_repair_brings_what_the_changed_release_held(site: Site, kit: PushedKit) -> None:
    """The blob comes from the registry again, into the library."""
    change(Target(site.root / "first"))
    found = await verify(site.workspace, str(site.local), Progress(), repair=True)
    assert found.ok
    assert [(problem.digest, problem.repaired) for problem in found.problems] == [
        (kit.model.digest, True)
    ]
    assert site.blob.read_bytes() == kit.blobs[kit.model.digest]


async def test_garbage_collection_leaves_what_stands_in(site: Site, kit: PushedKit) -> None:
    """The name stays, the release stays a source, and nothing that is missing is a problem."""
    survey = await collect_garbage(site.workspace, grace=0)
    assert survey.problems == ()
    await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert files_below(site.root / "out") == kit.files
    assert site.fetched == 0


async def test_a_push_rebuilds_the_blob(
    site: Site, kit: PushedKit, docker_registry: RunningRegistry
) -> None:
    """Into another registry's repository, bit for bit, without reading where it came from."""
    destination = f"{docker_registry.host}/stand/pushed:v1"
    plan = await plan_push(site.workspace, site.local, [destination])
    assert plan.digest == kit.manifest.digest
    plan = replace(plan, mounts={})
    delivered = await deliver(site.workspace, plan, Progress())
    assert {blob.digest: blob.size for blob in delivered.blobs}[kit.model.digest] == kit.size
    assert site.fetched == 0
    found = await verify(site.workspace, destination, Progress())
    assert found.ok
    assert (await site.workspace.resolve(Reference.parse(destination))).digest == plan.digest


async def test_a_copy_into_a_layout_rebuilds_the_blob(site: Site, kit: PushedKit) -> None:
    """As an export for a host without a network."""
    plan = await plan_copy(
        site.workspace, site.local, Reference.parse(f"oci:{site.root}/layout:v1")
    )
    await deliver(site.workspace, plan, Progress())
    path = site.root / "layout/blobs" / kit.model.digest.replace(":", "/")
    assert path.read_bytes() == kit.blobs[kit.model.digest]
    assert site.fetched == 0


async def test_a_part_of_a_rebuilt_blob(site: Site, kit: PushedKit) -> None:
    """Looking into a layer works without the blob: any part, across headers and files."""
    registry = site.workspace.registry(site.local)
    data = kit.blobs[kit.model.digest]
    for start in (0, 511, 513, MIB, 7 * MIB + 200, kit.size - 900):
        size = min(3000, kit.size - start)
        found = await registry.read_range("", kit.model.blob, start, size)
        assert found == data[start : start + size]


async def test_a_change_that_left_no_trace_is_found_too(site: Site, kit: PushedKit) -> None:
    """The stamps say that nothing happened, as after bit rot; the digest says otherwise."""
    target = Target(site.root / "first")
    change(target)
    release = target.release(kit.kit.digest)
    assert release is not None
    from rolldeck.kit import stamp_tree

    target.record(replace(release, stamps=stamp_tree(target.directory(kit.kit.digest))))
    with pytest.raises(IntegrityError, match="cannot be rebuilt"):
        await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert not (site.root / "out").exists()
    await site.pin(site.remote, "second")
    assert site.fetched == kit.size
    assert files_below(site.root / "second/current") == kit.files


async def test_a_change_elsewhere_does_not_matter(site: Site, kit: PushedKit) -> None:
    """A file of another layer, and a file that only was touched."""
    target = Target(site.root / "first")
    change(target, "data.bin")
    (target.link / "model/a.bin").write_bytes(kit.files["model/a.bin"])
    await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert files_below(site.root / "out") == kit.files


async def test_an_unchanged_release_elsewhere_helps(site: Site, kit: PushedKit) -> None:
    """Of two targets, one was changed and one not."""
    await site.pin(site.remote, "second")
    change(Target(site.root / "second"))
    await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert files_below(site.root / "out") == kit.files
    assert site.fetched == 0


async def test_a_target_that_is_gone(site: Site, kit: PushedKit) -> None:
    """The version must be repaired, and is told so; then all is well."""
    shutil.rmtree(site.root / "first")
    with pytest.raises(IntegrityError, match="neither in the library nor in a release") as caught:
        await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert "rolldeck verify --repair" in (caught.value.hint or "")
    await pull(site.workspace, site.remote, Progress())
    await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert files_below(site.root / "out") == kit.files


@pytest.mark.parametrize("name", ["skeleton", "record"])
async def test_a_damaged_target_is_no_source(site: Site, kit: PushedKit, name: str) -> None:
    """What stands beside the release may be damaged as well."""
    state = site.root / "first/.rolldeck"
    found = state / "releases" if name == "record" else next((state / "layers").iterdir())
    next(found.iterdir()).write_bytes(b"damage")
    with pytest.raises(RolldeckError):
        await unpack(site.workspace, site.local, site.root / "out", Progress())
    assert not (site.root / "out").exists()
    await pull(site.workspace, site.remote, Progress())
    assert site.blob.read_bytes() == kit.blobs[kit.model.digest]


async def test_verify_names_the_changed_file_of_a_release(site: Site, kit: PushedKit) -> None:
    """Every byte of the release is read, those without a hash of their own by their layer."""
    target = Target(site.root / "first")
    assert (await verify(site.workspace, str(target.path), Progress())).ok
    change(target, "model/c.bin")
    found = await verify(site.workspace, str(target.path), Progress())
    directory = target.directory(kit.kit.digest).name
    assert [(item.path, item.problem) for item in found.problems] == [
        (f"releases/{directory}/model/c.bin", "content changed")
    ]


async def test_two_at_once_in_one_process(site: Site, kit: PushedKit) -> None:
    """Two jobs of the deck that need the same blob neither block nor fetch twice."""
    await asyncio.gather(
        pull(site.workspace, site.remote, Progress()),
        unpack(site.workspace, site.remote, site.root / "out", Progress()),
        site.pin(site.remote, "second"),
    )
    assert site.fetched == 0
    assert files_below(site.root / "out") == kit.files
    assert files_below(site.root / "second/current") == kit.files
