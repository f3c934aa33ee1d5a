"""Triage: remembered at once, then fresh, with the last known good and why others are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rolldeck.actions import Triage, apply, plan_pin, watch_triage
from rolldeck.actions.triage import triage
from rolldeck.actions.triage_words import (
    cells,
    freshness,
    good_words,
    incident_words,
    row_words,
    target_words,
    warnings,
)
from rolldeck.errors import NotFoundError, UnavailableError, UsageError
from rolldeck.oci import Reference
from rolldeck.oci.call import Call
from rolldeck.oci.transport import HttpTransport
from rolldeck.progress import Progress
from tests.actions.channels import Desk, desk_at
from tests.release.channel.places import Site, site_in
from tests.servers.registry import RunningRegistry


@pytest.fixture
def site(docker_registry: RunningRegistry, tmp_path: Path) -> Site:
    """Three versions in a real registry."""
    with site_in("docker", docker_registry, tmp_path) as found:
        return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request, as method and path."""
    found: list[str] = []
    real = HttpTransport.request

    def request(self: HttpTransport, call: Call, *words: object, **named: object) -> object:
        found.append(f"{call.method} {call.path}")
        return real(self, call, *words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(HttpTransport, "request", request)
    return found


async def look(desk: Desk, since: datetime | None = None) -> list[Triage]:
    return [item async for item in watch_triage(desk.workspace, str(desk.channel), since)]


def down(monkeypatch: pytest.MonkeyPatch) -> None:
    def request(self: HttpTransport, call: Call, *words: object, **named: object) -> object:
        raise UnavailableError("the registry does not answer")

    monkeypatch.setattr(HttpTransport, "request", request)


async def test_the_newest_version_that_stayed_long_enough_is_good(site: Site) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b", "c:ci-bot", hours=48, ago=0.5)
        found = (await look(desk))[-1]
    assert found.live == site.versions["c"]
    assert [row.number for row in found.rows] == [3, 2, 1]
    assert found.good == 2
    good = found.row(2)
    assert good is not None
    assert good.missing
    assert "live 2 days" in good_words(found)
    assert found.summary
    assert found.is_complete


async def test_what_is_passed_over_is_told(site: Site) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b", "c", hours=48, ago=1)
        await desk.mark("b", "bad")
        found = (await look(desk))[-1]
    assert found.good == 1
    passed = found.row(2)
    assert passed is not None
    assert "marked bad by mia" in row_words(found, passed)


async def test_the_incident_is_measured_from_the_move_before_it(site: Site) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b", hours=48, ago=1)
        since = datetime.now(UTC) - timedelta(minutes=48)
        found = (await look(desk, since))[-1]
    assert (incident_words(found) or "").endswith("began 12 min after g2")
    incident = found.incident_row
    assert incident is not None
    assert incident.is_live


async def test_the_second_look_begins_with_what_is_remembered(site: Site, asked: list[str]) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b", "c", hours=48, ago=1)
        await desk.mark("a", "good")
        await desk.freeze("c")
        await look(desk)
    async with desk_at(site) as desk:
        asked.clear()
        steps = watch_triage(desk.workspace, str(desk.channel))
        first = await anext(steps)
        assert asked == []
        rest = [item async for item in steps]
    assert first.is_stale
    assert freshness(first).startswith("remembered from")
    last = rest[-1]
    assert not last.is_stale
    for known in (first, last):
        assert known.good == 2
        assert [row.verdict for row in known.rows] == [None, None, "good"]
        assert [row.label for row in known.rows] == ["v1.0.2", "v1.0.1", "v1.0.0"]
        assert known.hold is not None


async def test_without_the_registry_what_is_remembered_stands(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b", hours=48, ago=1)
        await look(desk)
    down(monkeypatch)
    async with desk_at(site) as desk:
        steps = await look(desk)
    assert [item.problem for item in steps] == [None, "the registry does not answer"]
    assert steps[-1].good == 1
    assert warnings(steps[-1])[0].startswith("registry down")


async def test_without_the_registry_and_a_memory_it_fails(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b")
    down(monkeypatch)
    async with desk_at(site) as desk:
        with pytest.raises(UnavailableError):
            await look(desk)


async def test_drift_is_told(site: Site) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b", hours=48, ago=1)
        await desk.retag("c")
        found = (await look(desk))[-1]
    assert found.live_row is None
    assert any("somebody moved it" in text for text in warnings(found))


async def test_a_local_target_needs_no_registry(
    site: Site, tmp_path: Path, asked: list[str]
) -> None:
    target = tmp_path / "serving"
    async with desk_at(site) as desk:
        for letter in "ab":
            plan = await plan_pin(desk.workspace, desk.version(letter), target)
            await apply(desk.workspace, plan, Progress())
        asked.clear()
        found = await triage(desk.workspace, str(target))
    assert asked == []
    assert found.channel is None
    assert found.live == site.versions["b"]
    assert found.good == 1
    good = found.row(1)
    assert good is not None
    assert good.missing == 0
    assert cells(good, found.now)[6] == "0 B"


async def test_targets_of_the_channel_are_told(site: Site, tmp_path: Path) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b", hours=48, ago=1)
        plan = await plan_pin(desk.workspace, desk.version("a"), tmp_path / "serving")
        await apply(desk.workspace, plan, Progress())
        found = (await look(desk))[-1]
    assert any("NOT what is live" in text for text in target_words(found))
    good = found.row(1)
    assert good is not None
    assert good.is_current


async def test_a_bare_name_is_found_in_what_was_looked_at(site: Site) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b", hours=48, ago=1)
        await look(desk)
    name = site.reference.repository.rpartition("/")[2]
    async with desk_at(site) as desk:
        found = await triage(desk.workspace, name)
    assert found.channel == site.reference.tagged("production")


async def test_a_bare_name_is_found_in_the_settings(site: Site) -> None:
    from rolldeck.settings import RegistrySettings

    async with desk_at(site) as desk:
        await desk.record("a", "b", hours=48, ago=1)
        known = RegistrySettings(repositories=(site.reference.repository,))
        settings = replace(desk.workspace.settings, registries={site.reference.root: known})
        desk.workspace.settings = settings
        name = site.reference.repository.rpartition("/")[2]
        assert (await triage(desk.workspace, name)).good == 1


async def test_a_name_of_nothing_and_one_of_a_version_are_refused(site: Site) -> None:
    async with desk_at(site) as desk:
        with pytest.raises(NotFoundError, match="Nothing here is called"):
            await triage(desk.workspace, "nothing-of-the-kind")
        with pytest.raises(UsageError, match="names one version"):
            await triage(desk.workspace, str(desk.version("a")))


async def test_a_repository_means_its_production(site: Site) -> None:
    async with desk_at(site) as desk:
        await desk.record("a", "b", hours=48, ago=1)
        found = await triage(desk.workspace, site.reference.name)
        same = await triage(desk.workspace, Reference.parse(site.reference.name))
    assert found.channel == same.channel == site.reference.tagged("production")
