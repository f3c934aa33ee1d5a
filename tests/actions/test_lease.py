"""Leases of actions: there while something is needed, and gone with it."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import rolldeck.kit.unpack  # noqa: F401 - watched below
from rolldeck.actions import Workspace, apply, plan_pin, pull, unpack
from rolldeck.errors import RefusedError, RolldeckError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from rolldeck.store import guard
from rolldeck.store.lease import Lease, read_leases
from tests.store.versions import damage, needed_by


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A workspace with an empty library."""
    made = Workspace(Settings(library=tmp_path / "library"))
    yield made
    await made.close()


@pytest.fixture
def reference(golden: Path) -> Reference:
    """A version in a layout."""
    return Reference.parse(f"oci:{golden}/layouts/wdbc:v1.2.0")


class Watch:
    """Notes the leases that there are whenever a function is called."""

    def __init__(self, workspace: Workspace) -> None:
        self._directory = workspace.library.leases
        self.seen: list[list[Lease]] = []

    def around(self, monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> None:
        """Watch a function of a module."""
        real = getattr(sys.modules[module], name)

        def watched(*given: Any, **named: Any) -> Any:
            self.seen.append(read_leases(self._directory))
            return real(*given, **named)

        monkeypatch.setattr(sys.modules[module], name, watched)


async def test_a_pull_needs_its_manifest_and_all_blobs(
    workspace: Workspace, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From before it looks at what is there until it has its name."""
    watch = Watch(workspace)
    watch.around(monkeypatch, "rolldeck.actions.pulling", "_fetch_all")
    watch.around(monkeypatch, "rolldeck.actions.pulling", "publish")
    await pull(workspace, reference, Progress())
    (entry,) = workspace.library.entries()
    needed = needed_by(workspace.library, entry.descriptor)
    assert [[lease.digests for lease in leases] for leases in watch.seen] == [[needed]] * 2
    assert read_leases(workspace.library.leases) == []


async def test_unpacking_needs_the_version_until_the_last_file(
    workspace: Workspace, reference: Reference, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also of a pin, until the target knows it."""
    done = await pull(workspace, reference, Progress())
    watch = Watch(workspace)
    watch.around(monkeypatch, "rolldeck.kit.unpack", "left_out")
    await unpack(workspace, done.reference, tmp_path / "out", Progress())
    watch.around(monkeypatch, "rolldeck.actions.move", "remember")
    plan = await plan_pin(workspace, done.reference, tmp_path / "serving")
    await apply(workspace, plan, Progress())
    texts = [sorted(lease.text.split()[0] for lease in leases) for leases in watch.seen]
    assert texts == [["unpack"], ["pin"], ["pin"], []]
    assert all(lease.digests == {done.digest} for leases in watch.seen for lease in leases)
    assert read_leases(workspace.library.leases) == []


async def test_a_failure_gives_the_lease_back(
    workspace: Workspace, reference: Reference, tmp_path: Path
) -> None:
    """The deck goes on running after an error."""
    done = await pull(workspace, reference, Progress())
    manifest = workspace.library.layout.read_manifest(done.digest)
    damage(workspace.library, manifest.layers[0].digest)
    with pytest.raises(RolldeckError):
        await unpack(workspace, done.reference, tmp_path / "out", Progress())
    assert read_leases(workspace.library.leases) == []


async def test_a_cancelled_pull_names_nothing_without_its_lease(
    workspace: Workspace, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing the name goes on in its thread: the lease waits for it."""
    module = sys.modules["rolldeck.actions.pulling"]
    publish = module.__dict__["publish"]
    begun, go_on = threading.Event(), threading.Event()
    leases = []

    def slow(*given: Any) -> None:
        begun.set()
        go_on.wait(20)
        publish(*given)
        leases.extend(read_leases(workspace.library.leases))

    monkeypatch.setattr(module, "publish", slow)
    task = asyncio.ensure_future(pull(workspace, reference, Progress()))
    await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(leases) == 1
    assert read_leases(workspace.library.leases) == []


async def test_who_may_only_read_needs_no_lease(
    workspace: Workspace, reference: Reference, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A library of another user: unpacking works, pulling into it is refused."""
    done = await pull(workspace, reference, Progress())
    before = sorted(workspace.library.root.rglob("*"))
    other = Workspace(Settings(library=workspace.library.root))
    other_user = {"geteuid": lambda: os.geteuid() + 1}
    monkeypatch.setattr(guard, "os", SimpleNamespace(**{**vars(os), **other_user}))
    await unpack(other, done.reference, tmp_path / "out", Progress())
    with pytest.raises(RefusedError):
        await pull(other, reference, Progress())
    assert sorted(workspace.library.root.rglob("*")) == before
