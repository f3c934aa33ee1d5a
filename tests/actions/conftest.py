"""Fixtures of the room's tests: workspaces, places with the same versions in them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rolldeck.actions import Delivered, Workspace, deliver, plan_copy
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A workspace with an empty library."""
    opened = Workspace(Settings(library=tmp_path / "library"))
    yield opened
    await opened.close()


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
