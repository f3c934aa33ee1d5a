"""Moves of a channel, in every kind of place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.channel.places import Site, move, site_in
from tests.servers.registry import RunningRegistry

KINDS = ("docker", "guarded", "once", "referrers", "layout", "library")


@pytest.fixture(params=KINDS)
def site(
    request: pytest.FixtureRequest, docker_registry: RunningRegistry, tmp_path: Path
) -> Iterator[Site]:
    """A repository of each kind."""
    with site_in(request.param, docker_registry, tmp_path) as found:
        yield found


async def test_a_move_is_recorded_and_read_back(site: Site) -> None:
    async with site.records() as records:
        for letter in "abca":
            await move(records, site.versions[letter])
        journal = await records.journal("production")
    assert [site.letter(item.entry.to_digest) for item in journal.recorded] == [*"acba"]
    assert site.letter(journal.live) == "a"
    assert (journal.chain, journal.pending, journal.drift) == ("ok", None, False)
    assert journal.made == {1, 2, 3, 4}
