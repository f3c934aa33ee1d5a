"""Listing the versions of a registry: how many requests, in which order, and what goes wrong."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rolldeck.actions import VersionList, Workspace, list_versions, watch_versions
from rolldeck.actions.version_queue import FIRST
from rolldeck.actions.version_reader import AT_ONCE
from rolldeck.errors import DeniedError, UnavailableError
from rolldeck.oci import Reference
from rolldeck.settings import Settings, cache_home
from tests.servers.registry import RunningRegistry
from tests.servers.repository import MadeUp, a_config, made_up, requests
from tests.servers.scripted import Asked, Scripted, ScriptedServer


@asynccontextmanager
async def open_workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Open a workspace of its own, as each process has one."""
    workspace = Workspace(Settings(library=tmp_path / "library"))
    try:
        yield workspace
    finally:
        await workspace.close()


@pytest.fixture
def ls(tmp_path: Path, scripted: ScriptedServer) -> Callable[..., Any]:
    """List the scripted repository, in a workspace of its own each time."""

    async def list_once(**options: Any) -> VersionList:
        async with open_workspace(tmp_path) as workspace:
            return await list_versions(workspace, reference(scripted), **options)

    return list_once


def reference(server: ScriptedServer) -> Reference:
    return Reference.parse(f"{server.host}/many")


async def test_a_first_listing_asks_once_per_tag(ls: Any, scripted: ScriptedServer) -> None:
    """Tag list, one manifest per tag, one config per version: no HEAD, nothing twice."""
    found = made_up(100)
    found.tags["latest"] = found.tags["v1.0.99"]
    found.serve(scripted)
    listing = await ls()
    assert requests(scripted) == {"GET tags/list": 1, "GET manifests": 101, "GET blobs": 100}
    assert len(listing.rows) == 100
    first = listing.rows[0]
    assert (first.label, first.badges, first.size) == ("v1.0.99", ("latest",), 100)
    assert (first.name, first.version, first.metrics) == ("many", "1.0.99", {"f1": 0.00099})
    assert listing.complete
    assert listing.stale is None


async def test_a_second_listing_asks_for_no_manifest(ls: Any, scripted: ScriptedServer) -> None:
    """What tags name is looked up by HEAD; what they name is in the cache."""
    made_up(100).serve(scripted)
    first = await ls()
    requests(scripted)
    second = await ls()
    assert requests(scripted) == {"GET tags/list": 1, "HEAD manifests": 100}
    assert second.rows == first.rows


async def test_what_moved_is_asked_for_and_nothing_else(ls: Any, scripted: ScriptedServer) -> None:
    """A tag that moved to a new digest, one that is new, and one that is gone."""
    found = made_up(10)
    found.tags["latest"] = found.tags["v1.0.9"]
    found.serve(scripted)
    await ls()
    requests(scripted)
    found.add("v1.0.10", 10)
    found.tags["latest"] = found.tags["v1.0.10"]
    found.add("v1.0.3", 300)
    del found.tags["v1.0.0"]
    listing = await ls()
    counts = requests(scripted)
    assert counts["HEAD manifests"] == 10
    assert 2 <= counts["GET manifests"] <= 3
    assert counts["GET blobs"] == 2
    assert [row.label for row in listing.rows][:2] == ["v1.0.10", "v1.0.9"]
    assert [row.badges for row in listing.rows][:2] == [("latest",), ()]
    by_label = {row.label: row for row in listing.rows}
    assert by_label["v1.0.3"].size == 301
    assert "v1.0.0" not in by_label


async def test_a_damaged_cache_entry_is_asked_for_again(ls: Any, scripted: ScriptedServer) -> None:
    """Whatever lies in the cache is hashed before it is believed; nobody hears of it."""
    found = made_up(10)
    found.serve(scripted)
    first = await ls()
    requests(scripted)
    with sqlite3.connect(cache_home() / "registries.sqlite3") as cache:
        digest = found.tags["v1.0.4"]
        cache.execute("UPDATE entries SET data = x'7b7d' WHERE key = ?", (digest,))
    second = await ls()
    assert requests(scripted) == {
        "GET tags/list": 1,
        "GET manifests": 1,
        "HEAD manifests": 9,
    }
    assert second.rows == first.rows


async def test_versions_that_share_a_config_ask_for_it_once(
    ls: Any, scripted: ScriptedServer
) -> None:
    found = MadeUp()
    for number in range(40):
        found.add(f"v1.0.{number}", number, a_config(0))
    found.serve(scripted)
    listing = await ls()
    assert requests(scripted)["GET blobs"] == 1
    assert {row.version for row in listing.rows} == {"1.0.0"}
    assert listing.loaded == 40


async def test_a_limit_asks_for_the_newest_only(ls: Any, scripted: ScriptedServer) -> None:
    """And for the moving words, which may name one of them."""
    found = made_up(100)
    found.tags["stable"] = found.tags["v1.0.2"]
    found.tags["latest"] = found.tags["v1.0.99"]
    found.serve(scripted)
    listing = await ls(limit=5)
    assert requests(scripted) == {"GET tags/list": 1, "GET manifests": 7, "GET blobs": 6}
    assert [row.label for row in listing.rows] == [f"v1.0.{n}" for n in (99, 98, 97, 96, 95)]
    assert listing.rows[0].badges == ("latest",)
    assert listing.unread == 95


async def test_a_limit_counts_versions_not_tags(ls: Any, scripted: ScriptedServer) -> None:
    found = made_up(10)
    found.tags["v1.0.8"] = found.tags["v1.0.7"] = found.tags["v1.0.9"]
    found.serve(scripted)
    listing = await ls(limit=3)
    assert [row.label for row in listing.rows] == ["v1.0.9", "v1.0.6", "v1.0.5"]
    assert listing.rows[0].badges == ("v1.0.8", "v1.0.7")


async def test_the_first_screen_is_read_before_the_rest(ls: Any, scripted: ScriptedServer) -> None:
    """Newest first, and their configs before the manifests of the others."""
    found = made_up(300)
    found.tags["production"] = found.tags["v1.0.5"]
    found.serve(scripted)
    await ls()
    kinds = [one.path for one in scripted.asked if "tags/list" not in one.path]
    newest = {f"/v2/many/manifests/v1.0.{number}" for number in range(300 - FIRST, 300)}
    assert newest < set(kinds[: FIRST + 100])
    configs = [position for position, path in enumerate(kinds) if "/blobs/" in path]
    assert configs[FIRST // 2] < 150
    assert kinds.index("/v2/many/manifests/production") < 100


async def test_rows_that_are_looked_at_are_read_next(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    """Who scrolls to the oldest versions waits for none of those in between."""
    made_up(400).serve(scripted)
    oldest = [f"v1.0.{number}" for number in range(10)]
    async with open_workspace(tmp_path) as workspace:
        async for found in watch_versions(workspace, reference(scripted), lambda: oldest):
            by_label = {row.label: row for row in found.rows}
            if all(by_label[label].loaded for label in oldest):
                break
    paths = scripted.paths("GET")
    assert max(paths.index(f"/v2/many/manifests/{label}") for label in oldest) < 60
    assert len(paths) < 800


async def test_two_processes_share_the_cache(tmp_path: Path, scripted: ScriptedServer) -> None:
    """Two at once, each with a connection of its own; a third asks for no manifest."""
    made_up(60).serve(scripted)
    async with open_workspace(tmp_path) as one, open_workspace(tmp_path) as other:
        both = await asyncio.gather(
            list_versions(one, reference(scripted)), list_versions(other, reference(scripted))
        )
    assert both[0] == both[1]
    requests(scripted)
    async with open_workspace(tmp_path) as third:
        assert (await list_versions(third, reference(scripted))).rows == both[0].rows
    assert requests(scripted) == {"GET tags/list": 1, "HEAD manifests": 60}


async def test_one_broken_manifest_is_a_row(ls: Any, scripted: ScriptedServer) -> None:
    """Its row says so, the list goes on."""
    found = made_up(20)
    found.answers["v1.0.7"] = Scripted(body=b"{", headers={"Content-Type": "application/json"})
    found.answers["v1.0.8"] = Scripted(403)
    found.blobs[found.blobs and list(found.blobs)[9]] = b"tampered"
    found.serve(scripted)
    listing = await ls()
    assert len(listing.rows) == 20
    problems = {row.label: row.problem for row in listing.rows if row.problem}
    assert set(problems) == {"v1.0.7", "v1.0.8", "v1.0.9"}
    assert "not valid JSON" in (problems["v1.0.7"] or "")
    unreadable = next(row for row in listing.rows if row.label == "v1.0.9")
    assert (unreadable.digest, unreadable.size) == (found.tags["v1.0.9"], 10)
    assert listing.loaded == 20


async def test_a_tag_deleted_meanwhile_is_no_row(ls: Any, scripted: ScriptedServer) -> None:
    """And the registry is not asked for its tags again to suggest others."""
    found = made_up(5)
    found.tags["v1.0.9"] = "sha256:" + "0" * 64
    found.serve(scripted)
    listing = await ls()
    assert [row.label for row in listing.rows] == [f"v1.0.{n}" for n in (4, 3, 2, 1, 0)]
    assert requests(scripted)["GET tags/list"] == 1


async def test_bytes_of_another_digest_are_refused(ls: Any, scripted: ScriptedServer) -> None:
    found = made_up(3)
    other = found.manifests[found.tags["v1.0.0"]]
    headers = {
        "Content-Type": "application/vnd.oci.image.manifest.v1+json",
        "Docker-Content-Digest": found.tags["v1.0.2"],
    }
    found.answers["v1.0.2"] = Scripted(body=other, headers=headers)
    found.serve(scripted)
    listing = await ls()
    assert [row.label for row in listing.rows if row.problem] == ["v1.0.2"]


async def test_who_may_read_nothing_is_told_once(ls: Any, scripted: ScriptedServer) -> None:
    """A registry that lists its tags and denies every manifest is not asked 300 times."""
    found = made_up(300)
    found.answers = {tag: Scripted(403) for tag in found.tags}
    found.serve(scripted)
    with pytest.raises(DeniedError):
        await ls()
    assert len(scripted.asked) < 100


async def test_who_may_no_longer_read_gets_nothing_from_the_cache(
    ls: Any, scripted: ScriptedServer
) -> None:
    """A remembered answer is for a registry that cannot be reached, not for one that says no."""
    found = made_up(100)
    found.serve(scripted)
    await ls()
    requests(scripted)
    found.answers = {tag: Scripted(403) for tag in found.tags}
    with pytest.raises(DeniedError):
        await ls()
    assert requests(scripted)["HEAD manifests"] < 60


async def test_a_registry_that_went_away_is_given_up(ls: Any, scripted: ScriptedServer) -> None:
    """What was read stands there; of the rest the reason is told."""
    found = made_up(300)
    found.answers = {f"v1.0.{number}": Scripted(403) for number in range(200)}
    found.serve(scripted)
    listing = await ls()
    assert len(listing.rows) == 300
    assert sum(row.size is not None for row in listing.rows) == 100
    assert all("denied" in (row.problem or "denied") for row in listing.rows)
    assert len(scripted.paths()) < 300


async def test_without_the_registry_the_answer_is_what_was_seen(
    tmp_path: Path, start_scripted: Callable[[], ScriptedServer]
) -> None:
    """It is marked with its age, and every row as remembered."""
    server = start_scripted()
    made_up(30).serve(server)
    async with open_workspace(tmp_path) as workspace:
        first = await list_versions(workspace, reference(server))
    server.close()
    async with open_workspace(tmp_path) as workspace:
        second = await list_versions(workspace, reference(server))
    assert second.stale is not None
    assert "cannot be reached" in (second.reason or "")
    assert all(row.remembered for row in second.rows)
    assert [(row.label, row.digest, row.metrics) for row in second.rows] == [
        (row.label, row.digest, row.metrics) for row in first.rows
    ]


async def test_what_was_never_seen_is_an_error(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        with pytest.raises(UnavailableError):
            await list_versions(workspace, Reference.parse("127.0.0.1:1/many"))


async def test_remembered_rows_stand_there_before_the_registry_answers(
    ls: Any, tmp_path: Path, scripted: ScriptedServer
) -> None:
    """They are marked until they were looked up again."""
    found = made_up(40)
    answered = asyncio.Event()
    loop = asyncio.get_running_loop()

    def late(asked: Asked) -> Scripted:
        if seen:
            asyncio.run_coroutine_threadsafe(answered.wait(), loop).result(10)
        return found._list(asked)

    seen: list[VersionList] = []
    scripted.on("GET", "/v2/many/tags/list.*", late)
    found.serve(scripted)
    await ls()
    seen.append(VersionList(reference(scripted), (), True, 0))
    async with open_workspace(tmp_path) as workspace:
        async for listing in watch_versions(workspace, reference(scripted)):
            seen.append(listing)
            if listing.loaded == 40:
                answered.set()
    before = next(one for one in seen if one.loaded == 40)
    assert all(row.remembered for row in before.rows)
    assert before.looked_up == 0
    assert not any(row.remembered for row in seen[-1].rows)


async def test_a_cancelled_listing_stops_asking(tmp_path: Path, scripted: ScriptedServer) -> None:
    """No more than was on its way; and what it read is not read again."""
    found = made_up(300)
    hold, enough = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(asked: Asked) -> Scripted:
        if len(scripted.asked) > 100:
            loop.call_soon_threadsafe(enough.set)
            asyncio.run_coroutine_threadsafe(hold.wait(), loop).result(10)
        return found._manifest(asked)

    scripted.on("GET", "/v2/many/manifests/.*", slow)
    found.serve(scripted)
    async with open_workspace(tmp_path) as workspace:
        listing = asyncio.create_task(list_versions(workspace, reference(scripted)))
        await enough.wait()
        listing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listing
        hold.set()
    assert len(scripted.asked) <= 101 + AT_ONCE
    requests(scripted)
    async with open_workspace(tmp_path) as workspace:
        assert (await list_versions(workspace, reference(scripted))).loaded == 300
    assert requests(scripted)["HEAD manifests"] > 30


async def test_a_slow_down_is_obeyed_and_every_row_is_read(
    ls: Any, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused requests wait for their turn; none becomes a row without facts."""
    monkeypatch.setattr("rolldeck.oci.throttle._PAUSE", 0.01)
    found = made_up(60)
    refused: set[str] = set()

    def busy(asked: Asked) -> Scripted:
        if len(refused) < 6 and asked.path not in refused:
            refused.add(asked.path)
            return Scripted(429)
        return found._manifest(asked)

    scripted.on("GET", "/v2/many/manifests/.*", busy)
    found.serve(scripted)
    listing = await ls()
    assert [row.problem for row in listing.rows] == [None] * 60
    assert requests(scripted)["GET manifests"] == 60 + 6


async def test_a_real_registry_is_listed_twice(
    golden: Path, docker_registry: RunningRegistry, tmp_path: Path
) -> None:
    """The same rows from the registry and from the cache."""
    docker_registry.push(golden / "layouts" / "wdbc", "listed/wdbc")
    place = Reference.parse(f"{docker_registry.host}/listed/wdbc")
    rows = []
    for _ in range(2):
        async with open_workspace(tmp_path) as workspace:
            rows.append((await list_versions(workspace, place)).rows)
    assert rows[0] == rows[1]
    assert {row.kind for row in rows[0]} == {"modelkit"}


async def test_the_settings_say_how_tags_are_meant(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    """``1.2.3-1`` is before ``1.2.3`` in one scheme and after it in another."""
    found = made_up(2)
    first, second = found.tags.values()
    found.tags = {"1.2.3": first, "1.2.3-1": second}
    found.serve(scripted)
    orders = []
    for schemes in ({}, {"*/many": "pep440"}):
        settings = Settings(library=tmp_path / "library", schemes=schemes)  # type: ignore[arg-type]
        workspace = Workspace(settings)
        listing = await list_versions(workspace, reference(scripted))
        await workspace.close()
        orders.append([row.label for row in listing.rows])
    assert orders == [["1.2.3", "1.2.3-1"], ["1.2.3-1", "1.2.3"]]
