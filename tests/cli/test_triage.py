"""The verb triage without a terminal: text and JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actions.channels import desk_at
from tests.cli.conftest import Run
from tests.release.channel.places import Site, site_in
from tests.servers.registry import RunningRegistry


@pytest.fixture
def moved(docker_registry: RunningRegistry, tmp_path: Path) -> Iterator[Site]:
    """production went a, b, c, and b is bad."""

    async def prepare(site: Site) -> None:
        async with desk_at(site) as desk:
            await desk.record("a", "b", "c:ci-bot", hours=48, ago=0.6)
            await desk.mark("b", "bad")

    with site_in("docker", docker_registry, tmp_path) as site:
        asyncio.run(prepare(site))
        yield site


def test_text_says_what_is_live_and_what_was_good(moved: Site, rolldeck: Run) -> None:
    text = rolldeck("triage", f"{moved.reference.name}:production", "--since", "24m").out
    assert "LIVE  v1.0.2" in text
    assert "GOOD  v1.0.0" in text
    assert "began 12 min after g3" in text
    assert "passed over: marked bad by mia: f1 drop" in text


def test_plain_is_taken_where_there_is_no_terminal(moved: Site, rolldeck: Run) -> None:
    name = f"{moved.reference.name}:production"
    told = rolldeck("triage", name, "--plain").out.splitlines()
    # The first line has the time, with seconds.
    assert told[1:] == rolldeck("triage", name).out.splitlines()[1:]
    assert len(told) > 5


def test_json_is_the_same_as_data(moved: Site, rolldeck: Run) -> None:
    document = rolldeck("triage", moved.reference.name, "--since", "24m", "--json").document
    assert document["channel"] == f"{moved.reference.name}:production"
    assert document["good"] == 1
    assert document["incident"]["generation"] == 3
    assert [row["verdict"] for row in document["generations"]] == [None, "bad", None]
    assert document["generations"][0]["live"] is True
    assert document["stale"] is False


def test_a_name_of_nothing_is_not_found(rolldeck: Run) -> None:
    result = rolldeck("triage", "nothing-of-the-kind")
    assert result.code == 3
    assert "Nothing here is called" in result.err


def test_a_moment_in_the_future_is_refused(moved: Site, rolldeck: Run) -> None:
    name = f"{moved.reference.name}:production"
    assert rolldeck("triage", name, "--since", "2999-01-01").code == 2
