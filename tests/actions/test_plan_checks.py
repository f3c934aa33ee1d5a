"""What plans of channels ask beyond the registry: this machine, and the policy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from rolldeck.actions import plan_promote
from rolldeck.actions.fit_check import as_check
from rolldeck.actions.guardrail_check import guardrail_checks
from rolldeck.compare import Comparison, Row, Section, Side
from rolldeck.fit import judge
from rolldeck.oci import digest_of
from tests.actions.channels import Desk, checks, desk_at
from tests.fit.readings import a_host, a_version
from tests.release.channel.places import site_in
from tests.servers.registry import RunningRegistry

TORCH = {"torch": "2.7.1+cu126"}


@pytest.fixture
async def desk(docker_registry: RunningRegistry, tmp_path: Path) -> AsyncIterator[Desk]:
    """A channel in a layout."""
    with site_in("layout", docker_registry, tmp_path) as site:
        async with desk_at(site) as found:
            yield found


@pytest.mark.parametrize(("runs_here", "ok"), [(True, False), (False, None)])
def test_a_misfit_fails_only_where_the_version_runs(runs_here: bool, ok: bool | None) -> None:
    old = replace(a_host("t4-driver470"), python=None)
    check = as_check(judge(a_version(TORCH), old), runs_here=runs_here)
    assert check.ok is ok
    assert "wants driver ≥ 525.60.13, here 470.82.01" in check.detail
    assert ("no local target here" in check.detail) is not runs_here


def test_what_nothing_speaks_against_fits() -> None:
    new = replace(a_host("h100-driver570"), python=None)
    assert as_check(judge(a_version(TORCH), new), runs_here=True).ok is True


async def test_plans_say_whether_a_version_fits(desk: Desk) -> None:
    await desk.record("a")
    plan = await plan_promote(desk.workspace, desk.version("b"), desk.channel)
    ok, detail = checks(plan)["fits this host"]
    assert ok is not False
    assert "not known" not in detail


def _comparison(a: float, b: float) -> Comparison:
    row = Row(
        *("f1", "changed", a, b, b - a, (b - a) / a, "worse"),
        higher_is_better=True,
        metric="f1",
    )
    side = Side("x:v1", digest_of(b"a"), "v1")
    return Comparison(side, side, False, "", (Section("metrics", (row,)),))


async def test_the_policy_of_the_settings_guards_a_promote(desk: Desk, tmp_path: Path) -> None:
    policy = tmp_path / "gate.toml"
    policy.write_text("[metrics.f1]\nmin = 0.5\nmax_regression = 0.01\n")
    desk.workspace.settings = replace(desk.workspace.settings, policy=policy)
    found = await guardrail_checks(desk.workspace, _comparison(0.9, 0.8))
    assert [item.ok for item in found] == [False, True]
    assert "f1" in found[0].detail
    assert "1 of 2 demands are met" in found[1].detail


async def test_without_a_policy_nothing_is_demanded(desk: Desk) -> None:
    assert await guardrail_checks(desk.workspace, _comparison(0.9, 0.8)) == ()
