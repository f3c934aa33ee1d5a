"""Unpacking into a directory that has files: what is there is compared, kept, and never harmed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rolldeck.actions import (
    Unpacked,
    UnpackPlan,
    Workspace,
    plan_unpack,
    standing_so,
    unpack,
    unpack_planned,
)
from rolldeck.errors import UsageError
from rolldeck.kit import MergeRules, parse_filter
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.made_kits import MadeLayout
from tests.servers.kits import PushedKit, push_kit
from tests.servers.registry import RunningRegistry

FILES = {
    "m/weights.bin": b"weights",
    "m/config.json": b"{}",
    "base.py": b"code",
    "BASE.md": b"docs",
}


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    found = Workspace(Settings(library=tmp_path / "library"))
    yield found
    await found.close()


@pytest.fixture
def made(tmp_path: Path) -> Reference:
    """A kit of small layers: a model of two files, code and docs."""
    layout = MadeLayout(tmp_path / "made")
    model = {path: data for path, data in FILES.items() if path.startswith("m/")}
    layout.model("acme/base:v1", model | {}, path="m")
    return Reference.parse(f"oci:{tmp_path}/made//acme/base:v1")


@pytest.fixture(scope="module")
def large(docker_registry: RunningRegistry, tmp_path_factory: pytest.TempPathFactory) -> PushedKit:
    """A version whose model is over 8 MiB."""
    sizes = {"a.bin": 9 * 1024 * 1024, "b.json": 2000}
    return push_kit(docker_registry, tmp_path_factory.mktemp("kit") / "c", "merge/large", sizes)


def below(root: Path) -> dict[str, bytes]:
    """Return the files below a directory, the Kitfile left out."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and p.name != "Kitfile"
    }


def names(directory: Path) -> set[str]:
    """Return the names in a directory."""
    return set(os.listdir(directory))


def everything(root: Path) -> list[Path]:
    """Return all that lies below a directory."""
    return sorted(root.rglob("*"))


def stamp(path: Path) -> tuple[int, ...]:
    """Return what any write to a file or directory would change."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def standings(plan: UnpackPlan | Unpacked) -> dict[str, set[str]]:
    """Return the paths by how they stand, the Kitfile left out."""
    found = plan.found if isinstance(plan, UnpackPlan) else plan.merged or ()
    ways = ("new", "identical", "changed", "in the way")
    paths = {way: {item.entry.path for item in standing_so(found, way)} for way in ways}  # type: ignore[arg-type]
    return {way: names - {"Kitfile"} for way, names in paths.items() if names - {"Kitfile"}}


async def run(
    workspace: Workspace, reference: Reference, directory: Path, rules: MergeRules | None = None
) -> Unpacked:
    """Plan and carry out."""
    plan = await plan_unpack(workspace, reference, directory, Progress())
    return await unpack_planned(workspace, plan, rules or MergeRules(), Progress())


def lay(root: Path, files: dict[str, bytes]) -> None:
    """Write files."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


async def test_the_plan_names_every_file(
    workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    """New, identical, of another size, of the same size with other bytes, in the way."""
    goal = tmp_path / "d"
    lay(goal, {"m/config.json": b"{}", "base.py": b"CODE", "mine.txt": b"mine"})
    (goal / "BASE.md").mkdir()
    plan = await plan_unpack(workspace, made, goal, Progress())
    assert standings(plan) == {
        "new": {"m/weights.bin"},
        "identical": {"m/config.json"},
        "changed": {"base.py"},
        "in the way": {"BASE.md"},
    }
    assert plan.occupied
    assert below(goal) == {"m/config.json": b"{}", "base.py": b"CODE", "mine.txt": b"mine"}


async def test_of_a_new_directory_all_is_new(
    workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    plan = await plan_unpack(workspace, made, tmp_path / "d", Progress())
    assert standings(plan) == {"new": set(FILES)}
    assert not plan.occupied
    assert not (tmp_path / "d").exists()
    done = await unpack_planned(workspace, plan, MergeRules(), Progress())
    assert done.merged is None
    assert below(tmp_path / "d") == FILES


async def test_new_files_come_and_others_stay(
    workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    """Identical files are not even touched; nothing that is not in the version is removed."""
    goal = tmp_path / "d"
    lay(goal, {"m/config.json": b"{}", "mine.txt": b"mine", "m/mine.txt": b"mine too"})
    before = stamp(goal / "m/config.json")
    done = await run(workspace, made, goal)
    assert below(goal) == FILES | {"mine.txt": b"mine", "m/mine.txt": b"mine too"}
    assert stamp(goal / "m/config.json") == before
    assert standings(done)["identical"] == {"m/config.json"}
    assert done.files == len(FILES) + 1
    assert names(tmp_path) == {"d", "home", "made"}


async def test_again_nothing_happens(workspace: Workspace, made: Reference, tmp_path: Path) -> None:
    await unpack(workspace, made, tmp_path / "d", Progress())
    before = {path: stamp(path) for path in everything(tmp_path / "d")}
    plan = await plan_unpack(workspace, made, tmp_path / "d", Progress())
    assert plan.is_done
    await unpack_planned(workspace, plan, MergeRules(), Progress())
    assert {path: stamp(path) for path in everything(tmp_path / "d")} == before


@pytest.mark.parametrize("content", [b"CODE", b"longer than before"])
async def test_changed_files_only_when_told(
    content: bytes, workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    """Refused with nothing written at all; then replaced, or left alone."""
    goal = tmp_path / "d"
    lay(goal, {"base.py": content})
    with pytest.raises(UsageError, match=r"base\.py") as caught:
        await run(workspace, made, goal)
    assert "--overwrite" in (caught.value.hint or "")
    assert below(goal) == {"base.py": content}
    kept = await run(workspace, made, goal, MergeRules(keep=True))
    assert below(goal) == FILES | {"base.py": content}
    assert kept.files == len(FILES)
    await run(workspace, made, goal, MergeRules(overwrite=True))
    assert below(goal) == FILES


async def test_a_hard_linked_file_keeps_its_other_name(
    workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    goal, victim = tmp_path / "d", tmp_path / "victim"
    victim.write_bytes(b"untouched")
    goal.mkdir()
    os.link(victim, goal / "base.py")
    await run(workspace, made, goal, MergeRules(overwrite=True))
    assert victim.read_bytes() == b"untouched"
    assert victim.stat().st_nlink == 1
    assert below(goal) == FILES


@pytest.mark.parametrize("name", ["base.py", "m"])
@pytest.mark.parametrize("rules", [MergeRules(), MergeRules(overwrite=True)])
async def test_links_are_refused_and_never_followed(
    name: str, rules: MergeRules, workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    """A link to a file and one to a directory; forced, the link itself goes."""
    goal, victim = tmp_path / "d", tmp_path / "victim"
    goal.mkdir()
    if name == "m":
        lay(victim, {"config.json": b"other"})
    else:
        victim.write_bytes(b"code")
    (goal / name).symlink_to(victim)
    with pytest.raises(UsageError, match="a link"):
        await run(workspace, made, goal, rules)
    assert (goal / name).is_symlink()
    await run(workspace, made, goal, MergeRules(overwrite=True, force=True))
    assert below(goal) == FILES
    assert not (goal / name).is_symlink()
    if name == "m":
        assert below(victim) == {"config.json": b"other"}
    else:
        assert victim.read_bytes() == b"code"


@pytest.mark.parametrize("leads_to", ["nothing", "file", "directory"])
async def test_the_directory_itself_is_no_link(
    leads_to: str, workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    if leads_to == "directory":
        lay(victim, {"x": b"x"})
    elif leads_to == "file":
        victim.write_bytes(b"x")
    (tmp_path / "d").symlink_to(victim)
    with pytest.raises(UsageError, match="is not a directory"):
        await run(workspace, made, tmp_path / "d", MergeRules(overwrite=True, force=True))


async def test_what_holds_files_is_never_cleared(
    workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    """A directory where a file must be: an empty one goes when forced, another never."""
    goal = tmp_path / "d"
    lay(goal, {"base.py/mine": b"mine"})
    (goal / "BASE.md").mkdir()
    with pytest.raises(UsageError, match="a directory with files of its own"):
        await run(workspace, made, goal, MergeRules(overwrite=True, force=True))
    assert below(goal) == {"base.py/mine": b"mine"}
    (goal / "base.py/mine").unlink()
    await run(workspace, made, goal, MergeRules(force=True))
    assert below(goal) == FILES


async def test_a_file_is_not_removed_for_a_directory(
    workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    """It is not in the version, so only its user takes it away."""
    goal = tmp_path / "d"
    lay(goal, {"m": b"mine"})
    with pytest.raises(UsageError, match=r"m \(a file\)"):
        await run(workspace, made, goal, MergeRules(overwrite=True, force=True))
    assert below(goal) == {"m": b"mine"}


async def test_a_fifo_does_not_hold_anybody(
    workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    goal = tmp_path / "d"
    goal.mkdir()
    os.mkfifo(goal / "base.py")
    with pytest.raises(UsageError, match="a special file"):
        await run(workspace, made, goal)
    await run(workspace, made, goal, MergeRules(force=True))
    assert below(goal) == FILES


async def test_the_rest_of_a_filtered_version(
    workspace: Workspace, made: Reference, tmp_path: Path
) -> None:
    """Code first, the whole later, into the same directory."""
    goal = tmp_path / "d"
    await unpack(workspace, made, goal, Progress(), (parse_filter("code"),))
    wanted = (parse_filter("docs"),)
    plan = await plan_unpack(workspace, made, goal, Progress(), wanted)
    assert standings(plan) == {"new": {"BASE.md"}}
    await unpack_planned(workspace, plan, MergeRules(), Progress())
    assert below(goal) == {"base.py": b"code", "BASE.md": b"docs"}
    assert standings(await run(workspace, made, goal))["new"] == {"m/weights.bin", "m/config.json"}
    assert below(goal) == FILES


async def test_large_layers_that_are_there_are_not_fetched(
    workspace: Workspace, docker_registry: RunningRegistry, large: PushedKit, tmp_path: Path
) -> None:
    """Headers and the files here together have the layer's digest: that proves all of them."""
    reference = Reference.parse(f"{docker_registry.host}/merge/large:v1")
    await unpack(workspace, reference, tmp_path / "d", Progress())
    (tmp_path / "d/data.bin").unlink()
    progress = Progress()
    plan = await plan_unpack(workspace, reference, tmp_path / "d", progress)
    assert standings(plan)["new"] == {"data.bin"}
    assert large.model.digest in plan.settled
    await unpack_planned(workspace, plan, MergeRules(), progress)
    assert not workspace.library.has(large.model.blob)
    assert progress.done < 1024 * 1024
    assert below(tmp_path / "d") == dict(large.files)


@pytest.mark.parametrize("size", [9 * 1024 * 1024, 5])
async def test_a_large_changed_file(
    size: int,
    workspace: Workspace,
    docker_registry: RunningRegistry,
    large: PushedKit,
    tmp_path: Path,
) -> None:
    """Refused before its layer is fetched, replaced when told; the other file stays."""
    reference = Reference.parse(f"{docker_registry.host}/merge/large:v1")
    goal = tmp_path / "d"
    lay(goal, {"model/a.bin": b"x" * size, "model/b.json": large.files["model/b.json"]})
    before = stamp(goal / "model/b.json")
    progress = Progress()
    plan = await plan_unpack(workspace, reference, goal, progress)
    with pytest.raises(UsageError, match=r"a\.bin"):
        await unpack_planned(workspace, plan, MergeRules(), progress)
    assert progress.done < 1024 * 1024
    await unpack_planned(workspace, plan, MergeRules(overwrite=True), progress)
    assert below(goal) == dict(large.files)
    assert stamp(goal / "model/b.json") == before
