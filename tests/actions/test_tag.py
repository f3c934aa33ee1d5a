"""Tagging: names only."""

from __future__ import annotations

import pytest

from rolldeck.actions import Delivered, Workspace, deliver, plan_tag
from rolldeck.errors import RefusedError, UsageError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from tests.actions.conftest import copy
from tests.servers.push_server import push_server
from tests.servers.registry import RunningRegistry


async def tag(workspace: Workspace, reference: str, *names: str) -> Delivered:
    delivery = await plan_tag(workspace, Reference.parse(reference), names)
    return await deliver(workspace, delivery, Progress())


@pytest.mark.parametrize("place", ["registry", "layout", "library"])
async def test_a_version_gets_further_tags(
    workspace: Workspace, wdbc: str, docker_registry: RunningRegistry, place: str
) -> None:
    """In each kind of place, and by a reference in full as well."""
    home = {"registry": f"{docker_registry.host}/tag/wdbc", "layout": wdbc, "library": "mine"}[
        place
    ]
    if home != wdbc:
        await copy(workspace, f"{wdbc}:v1.1.0", f"{home}:v1.1.0")
    done = await tag(workspace, f"{home}:v1.1.0", "live", f"{home}:eu")
    for name in ("live", "eu"):
        found = await workspace.resolve(Reference.parse(f"{home}:{name}"))
        assert found.digest == done.delivery.digest


async def test_no_blob_is_asked_for(workspace: Workspace, wdbc: str) -> None:
    """Manifest requests only."""
    with push_server() as server:
        await copy(workspace, f"{wdbc}:v1.1.0", f"{server.host}/x:v1.1.0")
        server.log.clear()
        await tag(workspace, f"{server.host}/x:v1.1.0", "live")
        assert all("/manifests/" in path for _, path in server.log)
        assert server.manifests["x", "live"] == server.manifests["x", "v1.1.0"]


async def test_other_repositories_are_for_copy(workspace: Workspace, wdbc: str) -> None:
    """Exit code 2 with a hint."""
    with pytest.raises(UsageError, match="no tag of"):
        await tag(workspace, f"{wdbc}:v1.1.0", "ghcr.io/a/b:v1")


async def test_version_tags_stay(workspace: Workspace, wdbc: str) -> None:
    """Moving words move."""
    await tag(workspace, f"{wdbc}:v1.1.0", "live")
    plan = await plan_tag(workspace, Reference.parse(f"{wdbc}:v1.2.0"), ["live"])
    assert [item.tag for item in plan.moved] == ["live"]
    with pytest.raises(RefusedError):
        await tag(workspace, f"{wdbc}:v1.2.0", "v1.1.0")
