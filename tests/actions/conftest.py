"""Fixtures of the tests of actions: an empty library, kits to make, a registry that counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rolldeck.actions import (
    Workspace,
)
from rolldeck.oci import Reference
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
