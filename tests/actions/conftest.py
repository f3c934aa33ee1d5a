"""Fixtures of the tests of actions: workspaces, kits to make, places with versions in them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rolldeck.actions import Delivered, Workspace, deliver, plan_copy
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.actions.looking import Serve
from tests.made_kits import KIT_LAYER, MadeLayout
from tests.servers.fault_proxy import FaultProxy, fault_proxy
from tests.servers.registry import RunningRegistry


@pytest.fixture
def proxy(docker_registry: RunningRegistry) -> Iterator[FaultProxy]:
    """A counting proxy in front of the open registry."""
    with fault_proxy(docker_registry.host) as running:
        yield running


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A workspace with an empty library."""
    opened = Workspace(Settings(library=tmp_path / "library"))
    yield opened
    await opened.close()


@pytest.fixture
def made(tmp_path: Path) -> MadeLayout:
    """An empty layout."""
    return MadeLayout(tmp_path / "layout")


@pytest.fixture
def serve(
    made: MadeLayout, docker_registry: RunningRegistry, proxy: FaultProxy, tmp_path: Path
) -> Serve:
    """Push one layer as a kit; returns its reference behind the proxy."""

    def push(
        data: bytes, media_type: str = f"{KIT_LAYER}.model.v1.tar", path: str = "m"
    ) -> Reference:
        layer = made.blob(media_type, data, **{"org.cncf.model.filepath": path})
        made.kit("v1", {"manifestVersion": "1.0.0", "model": {"path": path}}, [layer])
        name = f"files/{tmp_path.name.casefold().replace('_', '-').strip('-')}"
        docker_registry.push(made.root, name)
        return Reference.parse(f"{proxy.host}/{name}:v1")

    return push


@pytest.fixture
def wdbc(golden: Path, tmp_path: Path) -> str:
    """A layout of its own with the versions of one ModelKit repository, as ``oci:DIRECTORY``."""
    shutil.copytree(golden / "layouts" / "wdbc", tmp_path / "wdbc")
    return f"oci:{tmp_path}/wdbc"


async def copy(workspace: Workspace, a: str, b: str, *, force: bool = False) -> Delivered:
    """Copy a version."""
    source, target = Reference.parse(a), Reference.parse(b)
    delivery = await plan_copy(workspace, source, target, force=force)
    return await deliver(workspace, delivery, Progress())
