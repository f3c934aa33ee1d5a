"""audit, publish and rollback --channel on the command line."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rolldeck.progress import Progress
from rolldeck.release import Target
from rolldeck.release.channel import Verdict, entry_tag, make_move, outbox
from tests.actions.channels import desk_at
from tests.cli.conftest import Run
from tests.release.channel.places import Site, no_wait, planned, site_in
from tests.servers.registry import RunningRegistry, run_registry

HOSTILE = ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"]
MARKUP = (
    "| x | `y` <img src=x onerror=alert(1)> [a](javascript:b) https://evil.example @all \x1b[31m"
)


@pytest.fixture
def site(docker_registry: RunningRegistry, tmp_path: Path) -> Iterator[Site]:
    """A layout with three versions."""
    with site_in("layout", docker_registry, tmp_path) as found:
        yield found


def moved(site: Site, reasons: list[str], actor: str = "mia") -> str:
    """A channel with a generation for each reason."""

    async def make() -> None:
        async with site.records() as records:
            for number, reason in enumerate(reasons):
                journal = await records.journal("production")
                digest = site.versions["abc"[number % 3]]
                entry = await planned(records, journal, digest, reason=reason)
                entry = replace(entry, actor=actor)
                await make_move(records, entry, Progress(), settle=0, sleep=no_wait)
            version = await records.manifest(site.versions["a"])
            now = datetime.now(UTC).replace(microsecond=0)
            await records.write_verdict(Verdict(version.descriptor, "bad", actor, now, reasons[0]))

    asyncio.run(make())
    return str(site.reference.tagged("production"))


def test_an_audit_as_a_document(site: Site, rolldeck: Run) -> None:
    channel = moved(site, ["first", "second"])
    document = rolldeck("audit", channel, "--json").document
    assert document["ok"]
    (place,) = document["places"]
    assert (place["place"], place["ok"], place["notes"]) == (channel, True, [])
    moves = [item for item in place["records"] if item["kind"] == "move"]
    assert [(item["number"], item["outcome"], item["verdict"]) for item in moves] == [
        (2, "made", None),
        (1, "made", "bad"),
    ]
    assert moves[0]["previous"] == moves[1]["record"]
    assert [item["verb"] for item in place["records"] if item["kind"] == "verdict"] == ["bad"]


def test_a_repository_is_audited_channel_by_channel(site: Site, rolldeck: Run) -> None:
    channel = moved(site, ["first"])
    places = rolldeck("audit", site.reference, "--json").document["places"]
    assert channel in [item["place"] for item in places]


def test_times_are_utc_and_spans_count(site: Site, rolldeck: Run) -> None:
    channel = moved(site, ["first"])
    text = rolldeck("audit", channel).out
    assert f"{datetime.now(UTC):%Y-%m-%dT%H}" in text
    assert "chain whole" in text
    later = rolldeck("audit", channel, "--until", "2026-01-01", "--json").document
    assert later["places"][0]["records"] == []
    assert later["until"].endswith("Z")


def test_a_broken_chain_is_code_6_and_still_listed(site: Site, rolldeck: Run) -> None:
    channel = moved(site, ["first", "second", "third"])

    async def remove() -> None:
        async with site.records() as records:
            other = await records.manifest(site.versions["a"])
            await records.writer.push_manifest(
                records.repository, other, [entry_tag("production", 2)]
            )

    asyncio.run(remove())
    ran = rolldeck("audit", channel, "--json")
    assert ran.code == 6
    place = ran.document["places"][0]
    assert [(item["kind"], item["number"]) for item in place["notes"] if item["breaks"]] == [
        ("unreadable", 2)
    ]
    assert {item["number"] for item in place["records"] if item["kind"] == "move"} == {1, 3}
    for form in ("--csv", "--md"):
        ran = rolldeck("audit", channel, form)
        assert (ran.code, "unreadable" in ran.out) == (6, True)
        assert "The chain is broken" in ran.err


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_of_the_csv_is_a_formula(site: Site, rolldeck: Run, text: str) -> None:
    channel = moved(site, [text], actor=text)
    rows = list(csv.DictReader(io.StringIO(rolldeck("audit", channel, "--csv").out)))
    assert rows[0]["reason"]
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


def test_no_text_is_markup_or_an_escape(site: Site, rolldeck: Run) -> None:
    """In Markdown all texts stand in code spans, whose bars are escaped; nowhere is an escape."""
    channel = moved(site, [MARKUP], actor=MARKUP)
    markdown = rolldeck("audit", channel, "--md").out
    (row,) = [line for line in markdown.splitlines() if line.startswith("| g1")]
    assert row.count(" | ") - row.count(r"\|") <= 9
    outside = "".join(row.split("``")[::2])
    for mark in ("<img", "[a]", "https://", "@all"):
        assert mark in row
        assert mark not in outside
    for form in ("--md", "--csv", "--json"):
        assert "\x1b" not in rolldeck("audit", channel, form).out
    assert "\x1b[31m" not in rolldeck("audit", channel).out


def test_forms_exclude_each_other(site: Site, rolldeck: Run) -> None:
    channel = moved(site, ["first"])
    assert rolldeck("audit", channel, "--csv", "--json").code == 2
    assert rolldeck("audit", channel, "--csv", "--md").code == 2
    assert rolldeck("audit", channel, "--since", "tomorrow").code == 2
    assert rolldeck("audit", "./nothing").code == 3


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry that is stopped and started."""
    with run_registry(tmp_path / "own") as running:
        yield running


@pytest.fixture
def pinned(own: RunningRegistry, tmp_path: Path, rolldeck: Run) -> Iterator[tuple[Site, str, Path]]:
    """A channel at v1.0.1, and a local target that was pinned to it by its name."""
    with site_in("docker", own, tmp_path) as site:

        async def make() -> None:
            async with desk_at(site) as desk:
                await desk.record("a", "b")

        asyncio.run(make())
        target = tmp_path / "serving"
        for tag in ("v1.0.0", "production"):
            assert rolldeck("pin", site.reference.tagged(tag), target, "--yes").code == 0
        yield site, str(site.reference.tagged("production")), target


def live(site: Site) -> str | None:
    async def read() -> str | None:
        async with desk_at(site) as desk:
            return await desk.live()

    return asyncio.run(read())


def test_with_the_registry_down_the_target_goes_back_and_the_channel_later(
    pinned: tuple[Site, str, Path], own: RunningRegistry, rolldeck: Run
) -> None:
    site, channel, target = pinned
    own.stop()
    try:
        ran = rolldeck("rollback", target, "--channel", "production", "--yes", "--reason", "f1")
        assert ran.code == 0, ran.err
        assert "goes back, too" in ran.out
        assert f"{channel}: rollback to v1.0.0 is unpublished" in ran.out
        assert Target(target).current() == site.versions["a"]
        (waits,) = rolldeck("publish", "--dry-run", "--json").document["rollbacks"]
        assert (waits["channel"], waits["state"], waits["reason"]) == (channel, "unpublished", "f1")
        assert rolldeck("publish").code == 5
        noted = rolldeck("audit", "--json").document["places"]
        assert "unpublished" in {note["kind"] for place in noted for note in place["notes"]}
    finally:
        own.start()
    for words in (["log", channel, "--read-only"], ["audit", channel, "--read-only"]):
        assert "unpublished" in rolldeck(*words).out
    assert live(site) == "b"
    ran = rolldeck("log", channel, "--json")
    assert "rollback to v1.0.0 published as g3" in ran.err
    assert ran.document["generations"][0]["verb"] == "rollback"
    assert ran.document["unpublished"] == []
    assert live(site) == "a"
    assert "Nothing waits" in rolldeck("publish").err


def test_with_the_registry_up_both_go_back(pinned: tuple[Site, str, Path], rolldeck: Run) -> None:
    site, channel, target = pinned
    ran = rolldeck("rollback", target, "--channel", channel, "--yes", "--json")
    told: dict[str, Any] = ran.document["channel"]
    assert (told["state"], told["generation"], live(site)) == ("published", 3, "a")
    assert outbox.read_outbox() == ()


def test_what_is_void_is_shown_until_it_is_forgotten(
    pinned: tuple[Site, str, Path], own: RunningRegistry, rolldeck: Run
) -> None:
    site, channel, target = pinned
    own.stop()
    try:
        assert rolldeck("rollback", target, "--channel", "production", "--yes").code == 0
    finally:
        own.start()

    async def promote() -> None:
        async with desk_at(site) as desk:
            await desk.promote("c", reason="hotfix")

    asyncio.run(promote())
    assert "is void" in rolldeck("publish").out
    assert live(site) == "c"
    assert "is void: " in rolldeck("log", channel).out
    assert rolldeck("publish", "--forget", "--json").document["forgotten"]
    assert "is void" not in rolldeck("log", channel).out


def test_channel_options_that_make_no_sense(pinned: tuple[Site, str, Path], rolldeck: Run) -> None:
    _, channel, target = pinned
    assert rolldeck("rollback", channel, "--channel", "production").code == 2
    assert rolldeck("rollback", target, "--channel", "v1.0.0", "--yes").code == 2
    assert rolldeck("rollback", target, "--channel", "oci:/x:production", "--yes").code == 2
