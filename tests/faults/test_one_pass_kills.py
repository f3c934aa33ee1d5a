"""Killed at each file-system call of a one-pass pull or pin: old or new, and it goes on."""

from __future__ import annotations

import asyncio
import hashlib
import os
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from rolldeck import fsops, half_made
from rolldeck.actions import Workspace, apply, plan_pin, pull_unpacked
from rolldeck.kit import layer_sink, verify_tree
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.release import Target
from rolldeck.settings import Settings
from rolldeck.store import Library
from tests.conftest import TORTURE
from tests.servers.fault_proxy import FaultProxy
from tests.servers.kits import PushedKit, files_below, push_kit
from tests.servers.registry import RunningRegistry

CALLS = (
    *("create", "open_lockable", "write", "splice", "truncate", "write_hint", "reserve", "fsync"),
    *("fsync_directory", "replace", "rename_directory", "make_directories", "make_directory"),
    *("set_mode", "unlink", "remove_directory", "remove_tree", "write_atomic", "append_line"),
    *("switch_link", "write_back"),
)
KILLED, EVERY = 77, 5
"""Exit code of a killed child; of how many calls one is killed at, unless tortured."""

SIZES = {"a.bin": 200_000, "b.json": 700, "c.bin": 90_000}
Work = Callable[[Workspace, Reference, Path], Coroutine[Any, Any, None]]


async def _pull(workspace: Workspace, reference: Reference, place: Path) -> None:
    await pull_unpacked(workspace, reference, place, Progress())


async def _pin(workspace: Workspace, reference: Reference, place: Path) -> None:
    plan = await plan_pin(workspace, reference, place)
    await apply(workspace, plan, Progress())


@pytest.fixture(scope="module")
def kit(docker_registry: RunningRegistry, tmp_path_factory: pytest.TempPathFactory) -> PushedKit:
    """A small version, of which one layer is received in one pass."""
    return push_kit(docker_registry, tmp_path_factory.mktemp("kit") / "c", "kills/pass", SIZES)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let its model count as large."""
    monkeypatch.setattr("rolldeck.actions.materialize.SMALL_BLOB", 50_000)
    monkeypatch.setattr("rolldeck.actions.fetch.SMALL_BLOB", 50_000)
    monkeypatch.setattr(layer_sink, "SMALL_FILE", 1000)


def run(work: Work, host: str, root: Path, kill_at: int | None = None) -> int:
    """Do it in a forked child that dies at its n-th call; returns its exit code.

    The number of calls of a child that lived is in the file ``calls``.
    """
    Library(root / "library").prepare()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        os.environ["XDG_STATE_HOME"] = str(root / "state")
        made = _count_calls(kill_at)
        workspace = Workspace(Settings(library=root / "library"))
        reference = Reference.parse(f"{host}/kills/pass:v1")
        asyncio.run(work(workspace, reference, root / "site/dest"))
        (root / "calls").write_text(str(made[0]))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _count_calls(kill_at: int | None) -> list[int]:
    made = [0]

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            made[0] += 1
            if made[0] == kill_at:
                os._exit(KILLED)
            return original(*arguments, **options)

        return call

    for name in CALLS:
        module = fsops if hasattr(fsops, name) else half_made
        setattr(module, name, wrapped(getattr(module, name)))
    return made


def check_library(library: Path) -> None:
    """Every blob has the digest that names it."""
    for path in (library / "blobs").rglob("*/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name


def strays(root: Path) -> list[str]:
    """Hidden names that somebody left beside what was asked for."""
    found = root.rglob(".rolldeck-*")
    return [str(path.relative_to(root)) for path in found]


def points(count: int) -> list[int]:
    """The calls to be killed at: all when tortured, else evenly chosen ones."""
    return list(range(1, count + 1, 1 if TORTURE > 1 else EVERY))


def fetched(proxy: FaultProxy, kit: PushedKit) -> int:
    return sum(count for path, count in proxy.sent.items() if kit.model.digest in path)


def test_pull_and_unpack(proxy: FaultProxy, kit: PushedKit, tmp_path: Path) -> None:
    """The directory is absent or complete; the next run fetches what is missing, and tidies up."""
    assert run(_pull, proxy.host, tmp_path / "first") == 0
    count = int((tmp_path / "first/calls").read_text())
    assert count > 60
    number = 0
    for number in points(count):
        root, proxy.sent = tmp_path / str(number), type(proxy.sent)()
        if run(_pull, proxy.host, root, number) != KILLED:
            break  # the network's pieces make a few calls more or less
        check_library(root / "library")
        there = (root / "site/dest").exists()
        if there:
            assert files_below(root / "site/dest") == kit.files
        code = run(_pull, proxy.host, root)
        assert code == (70 if there else 0), number
        assert files_below(root / "site/dest") == kit.files
        assert strays(root / "site") == [], number
        assert fetched(proxy, kit) <= 2 * kit.size, number
    assert number > 0.8 * count


def test_pin(proxy: FaultProxy, kit: PushedKit, tmp_path: Path) -> None:
    """``current`` names a whole version or nothing; the next pin makes all of it right."""
    assert run(_pin, proxy.host, tmp_path / "first") == 0
    count = int((tmp_path / "first/calls").read_text())
    number = 0
    for number in points(count):
        root = tmp_path / str(number)
        target = Target(root / "site/dest")
        if run(_pin, proxy.host, root, number) != KILLED:
            break
        check_library(root / "library")
        assert target.link.exists() == target.link.is_symlink()
        for digest in target.unpacked():
            assert target.changes(digest, Progress(), believe_stamps=False) == []
        assert run(_pin, proxy.host, root) == 0, number
        release = target.release(kit.kit.digest)
        assert release is not None
        assert target.changes(kit.kit.digest, Progress(), believe_stamps=False) == []
        assert verify_tree(target.link.resolve(), release.tree, Progress(), release.stamps) == []
        assert files_below(target.link) == kit.files
        assert strays(root / "site") == [], number
        workspace = Workspace(Settings(library=root / "library"))
        assert workspace.library.holds(kit.kit.digest)
    assert number > 0.8 * count
