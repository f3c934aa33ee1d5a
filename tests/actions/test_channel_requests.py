"""How many requests a rollback takes, from a plan to the marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rolldeck.actions import plan_channel_rollback
from rolldeck.oci.call import Call
from rolldeck.oci.transport import HttpTransport
from tests.actions.channels import desk_at
from tests.release.channel.places import site_in
from tests.servers.registry import RunningRegistry

PLAN, APPLY = 18, 25
"""Measured with two blobs; each further blob takes one more to plan."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request, as method and path."""
    found: list[str] = []
    real = HttpTransport.request

    def request(self: HttpTransport, call: Call, *words: Any, **named: Any) -> Any:
        found.append(f"{call.method} {call.path}")
        return real(self, call, *words, **named)

    monkeypatch.setattr(HttpTransport, "request", request)
    return found


async def test_a_rollback_takes_few_requests(
    docker_registry: RunningRegistry, asked: list[str], tmp_path: Path
) -> None:
    """The journal may be long: its entries come from the cache."""
    with site_in("docker", docker_registry, tmp_path) as site:
        async with desk_at(site) as desk:
            await desk.record(*"ab" * 6)
        async with desk_at(site) as desk:
            asked.clear()
            plan = await plan_channel_rollback(desk.workspace, desk.channel)
            planned = list(asked)
            asked.clear()
            await desk.do(plan)
    assert len(planned) <= PLAN
    assert len(asked) <= APPLY
    assert len([line for line in planned if ".g0" in line]) == 1
