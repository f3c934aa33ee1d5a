"""The verbs that look at channels, and what ls says of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rolldeck.progress import Progress
from rolldeck.release.channel import Hold, Verdict, make_move
from tests.cli.conftest import Run
from tests.release.channel.made import START
from tests.release.channel.places import Site, move, no_wait, planned, site_in
from tests.servers.registry import RunningRegistry


@pytest.fixture(params=["docker", "layout"])
def moved(
    request: pytest.FixtureRequest, docker_registry: RunningRegistry, tmp_path: Path
) -> Iterator[Site]:
    """production: a, b, then c pending; staging: moved without any record."""
    with site_in(request.param, docker_registry, tmp_path) as site:
        asyncio.run(_prepare(site))
        yield site


async def _prepare(site: Site) -> None:
    async with site.records() as records:
        await move(records, site.versions["a"])
        journal = await records.journal("production")
        entry = await planned(
            records, journal, site.versions["b"], reason="weekly retrain", to_label="v1.0.1"
        )
        await make_move(records, entry, Progress(), sleep=no_wait)
        version = await records.manifest(site.versions["c"])
        await records.writer.push_manifest(records.repository, version, ["staging"])
        await records.claim(
            await planned(records, await records.journal("production"), site.versions["c"])
        )
        held = (await records.manifest(site.versions["b"])).descriptor
        await records.write_hold(Hold("production", held, "mia", START, reason="incident"))
        await records.write_verdict(Verdict(held, "good", "mia", START))


def channel(site: Site, name: str = "production") -> str:
    """A channel as it is typed."""
    return str(site.reference.tagged(name))


def test_channels_tells_what_each_is(moved: Site, rolldeck: Run) -> None:
    document = rolldeck("channels", moved.reference, "--json").document
    assert document["repository"] == moved.reference.name
    production, staging = document["channels"]
    assert production["name"] == "production"
    assert production["digest"] == moved.versions["b"]
    assert (production["generation"], production["actor"], production["pending"]) == (2, "mia", 3)
    assert (production["drift"], production["tags"]) == (False, ["v1.0.1"])
    assert production["hold"]["digest"] == moved.versions["b"]
    assert (staging["name"], staging["generation"]) == ("staging", None)
    shown = rolldeck("channels", moved.reference).out
    assert "⚠ g3 pending, held by mia" in shown


def test_log_tells_every_move_newest_first(moved: Site, rolldeck: Run) -> None:
    document = rolldeck("log", channel(moved), "--json").document
    found: list[dict[str, Any]] = document["generations"]
    assert [(item["number"], item["outcome"]) for item in found] == [
        (3, "pending"),
        (2, "made"),
        (1, "made"),
    ]
    assert found[1]["from"] == moved.versions["a"]
    assert found[1]["to"] == moved.versions["b"]
    assert (found[1]["verdict"], found[1]["reason"]) == ("good", "weekly retrain")
    assert found[1]["previous"] == found[2]["digest"]
    assert document["chain"] == "ok"
    lines = rolldeck("log", channel(moved)).out.splitlines()
    assert [line.split()[0] for line in lines[-3:]] == ["g3", "g2", "g1"]
    assert lines[-2].split()[1] == "v1.0.1"
    assert "pending" in lines[-3]
    assert lines[1:3] == ["⚠ g3 to v1.0.2 is pending", "held by mia: incident"]


def test_at_tells_what_it_was(moved: Site, rolldeck: Run) -> None:
    answer = rolldeck("at", channel(moved), "0s ago", "--json").document
    assert (answer["digest"], answer["generation"], answer["certain"]) == (
        moved.versions["b"],
        2,
        True,
    )
    before = rolldeck("at", channel(moved), "2026-01-01T00:00Z")
    assert before.code == 3
    assert "g1" in before.err
    assert rolldeck("at", channel(moved), "tomorrow").code == 2


def test_after_a_move_that_nobody_recorded_it_is_unknown(moved: Site, rolldeck: Run) -> None:
    async def drift() -> None:
        async with moved.records() as records:
            version = await records.manifest(moved.versions["c"])
            await records.writer.push_manifest(records.repository, version, ["production"])
            entry = await planned(records, await records.journal("production"), moved.versions["a"])
            await make_move(records, entry, Progress(), sleep=no_wait)
            await records.writer.push_manifest(records.repository, version, ["production"])

    asyncio.run(drift())
    shown = rolldeck("at", channel(moved), "0s ago")
    assert "unknown since drift" in shown.out
    assert rolldeck("channels", moved.reference, "--json").document["channels"][0]["drift"]
    assert "moved without a record" in rolldeck("log", channel(moved)).out


@pytest.mark.parametrize("verb", ["log", "at"])
def test_what_is_no_channel_is_told(moved: Site, rolldeck: Run, verb: str) -> None:
    time = ["1h ago"] if verb == "at" else []
    assert rolldeck(verb, channel(moved, "canary"), *time).code == 3
    assert rolldeck(verb, channel(moved, "v1.0.0"), *time).code == 2
    assert rolldeck(verb, moved.reference, *time).code == 2


def test_records_are_no_versions(moved: Site, rolldeck: Run) -> None:
    document = rolldeck("ls", moved.reference, "--json").document
    versions = {item["digest"]: item for item in document["versions"]}
    assert set(versions) == set(moved.versions.values())
    tags = [tag for item in versions.values() for tag in item["tags"]]
    assert sorted(tags) == ["production", "staging", "v1.0.0", "v1.0.1", "v1.0.2"]
    assert versions[moved.versions["b"]]["channels"] == ["production"]
    assert versions[moved.versions["c"]]["channels"] == ["staging"]
    assert document["referrers"] >= 6
    hint = rolldeck("show", str(moved.reference)).err
    assert ".g0" not in hint
    assert ".g0" not in rolldeck("show", channel(moved, "nothing")).err


def test_a_dated_tag_is_a_version(tmp_path: Path, rolldeck: Run) -> None:
    from tests.made_kits import MadeLayout

    made = MadeLayout(tmp_path / "dated")
    made.model("fraud.v202611", {"m": b"x"})
    document = rolldeck("ls", f"oci:{made.root}", "--json").document
    assert document["versions"][0]["tags"] == ["fraud.v202611"]
