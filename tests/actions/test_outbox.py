"""A local rollback while the registry is down: queued, published once, or void; never forced."""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from rolldeck import half_made
from rolldeck.actions import Workspace, apply, plan_pin, plan_rollback, plan_undo, watch_triage
from rolldeck.actions.audit import audit
from rolldeck.actions.channel import load_channel
from rolldeck.actions.outbox import Published, apply_and_queue, forget_void, publish, with_channel
from rolldeck.actions.status import status_of
from rolldeck.errors import BusyError, RefusedError, UnavailableError
from rolldeck.progress import Progress
from rolldeck.release import Target
from rolldeck.release.channel import Records, outbox
from rolldeck.release.channel.outbox import Unpublished
from tests.actions.channels import Desk, desk_at
from tests.release.channel import places
from tests.release.channel.calls import Calls, Ended, Step
from tests.servers.registry import RunningRegistry, run_registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A registry of these tests alone, which they stop and start."""
    with run_registry(tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.fixture
async def desk(
    registry: RunningRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """A channel at b, with a local target that went from a to b."""
    monkeypatch.setattr("rolldeck.release.channel.move._WATCHED", 0.0)
    with places.site_in("docker", registry, tmp_path) as site:
        async with desk_at(site) as found:
            await found.record("a", "b")
            for letter in "ab":
                plan = await plan_pin(found.workspace, found.version(letter), serving(found).path)
                await apply(found.workspace, plan, Progress())
            yield found


def serving(desk: Desk) -> Target:
    return Target(desk.site.home / "serving")


async def go_back(desk: Desk) -> Unpublished:
    plan = await plan_rollback(desk.workspace, serving(desk).path)
    _, item = await apply_and_queue(
        desk.workspace, with_channel(plan, desk.channel), Progress(), "f1 drop"
    )
    return item


async def publish_all(desk: Desk) -> tuple[Published, ...]:
    return await publish(desk.workspace, Progress(), settle=0)


async def published_once(desk: Desk, item: Unpublished) -> None:
    """All that a rollback of a channel is, and one generation of it."""
    assert await desk.live() == "a"
    journal = await desk.journal()
    assert [entry.entry.nonce for entry in journal.recorded].count(item.nonce) == 1
    assert journal.rivals == ()
    assert (journal.pending, journal.drift, journal.chain) == (None, False, "ok")
    assert len(journal.stays) == 3
    hold = await desk.hold()
    assert hold is not None
    assert hold.version.digest == desk.digest("a")
    assert await desk.said("b") == ["bad"]
    assert outbox.read_outbox() == ()


async def test_down_queued_and_published_when_it_is_back(
    desk: Desk, registry: RunningRegistry
) -> None:
    """The local target goes back at once; the channel when its registry answers."""
    registry.stop()
    try:
        item = await go_back(desk)
        assert serving(desk).current() == desk.digest("a")
        (found,) = await publish_all(desk)
        assert found.state == "unpublished"
        (path,) = outbox.directory().glob("*.json")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        rows = [row for place in (await audit(desk.workspace)).places for row in place.rows]
        assert ("unpublished", item.channel) in {(row.outcome, row.place) for row in rows}
    finally:
        registry.start()
    assert [x.nonce for x in (await load_channel(desk.workspace, desk.channel)).unpublished] == [
        item.nonce
    ]
    (found,) = await publish_all(desk)
    assert (found.state, found.generation) == ("published", 3)
    await published_once(desk, item)
    entry = (await desk.journal()).recorded[0].entry
    assert (entry.verb, entry.actor, entry.reason) == ("rollback", "mia", "f1 drop")
    assert "queued" in {check.check for check in entry.checks}
    assert await publish_all(desk) == ()


async def test_status_and_triage_tell_what_waits(desk: Desk) -> None:
    """As long as it is unpublished."""
    item = await go_back(desk)
    name = str(desk.channel)
    seen = [view async for view in watch_triage(desk.workspace, name)][-1]
    assert seen.unpublished == (item.line,)
    assert f"unpublished: {item.line}" in (await status_of(desk.workspace, name)).notes
    await publish_all(desk)
    seen = [view async for view in watch_triage(desk.workspace, name)][-1]
    assert seen.unpublished == ()


async def test_a_channel_that_moved_is_left_alone(desk: Desk) -> None:
    """Void, with who moved it, and so until somebody forgets it."""
    item = await go_back(desk)
    await desk.promote("c", reason="hotfix")
    (found,) = await publish_all(desk)
    assert found.state == "void"
    assert "is not at" in found.detail
    assert "by mia: hotfix" in found.detail
    assert await desk.live() == "c"
    assert await publish_all(desk) == ()
    audited = await audit(desk.workspace, str(desk.channel))
    assert [note.kind for note in audited.places[0].notes] == ["void"]
    assert [x.nonce for x in await forget_void()] == [item.nonce]
    assert outbox.read_outbox() == ()


async def test_a_version_that_was_marked_bad_is_not_published(desk: Desk) -> None:
    """What a rollback would refuse is never forced."""
    await go_back(desk)
    await desk.mark("a", "bad")
    (found,) = await publish_all(desk)
    assert (found.state, await desk.live()) == ("void", "b")
    assert "marked bad" in found.detail


async def test_what_was_undone_here_is_not_published(desk: Desk) -> None:
    await go_back(desk)
    await apply(desk.workspace, await plan_undo(desk.workspace, serving(desk).path), Progress())
    (found,) = await publish_all(desk)
    assert (found.state, await desk.live()) == ("void", "b")
    assert found.detail.endswith("again")


async def test_killed_before_the_target_moved_it_is_void(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Target, generation: object) -> None:
        raise Ended

    with monkeypatch.context() as patch:
        patch.setattr(Target, "move", killed)
        with pytest.raises(Ended):
            await go_back(desk)
    (found,) = await publish_all(desk)
    assert (found.state, await desk.live()) == ("void", "b")
    assert found.detail.endswith("did not go back")


async def test_a_rollback_that_fails_leaves_nothing_queued(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: Target, generation: object) -> None:
        raise BusyError("moved while this was planned")

    with monkeypatch.context() as patch:
        patch.setattr(Target, "move", busy)
        with pytest.raises(BusyError):
            await go_back(desk)
    assert outbox.read_outbox() == ()


async def test_read_only_publishes_nothing(desk: Desk) -> None:
    await go_back(desk)
    desk.workspace.read_only = True
    with pytest.raises(RefusedError):
        await publish_all(desk)
    assert await desk.live() == "b"


def end_at_call(last: int, *, after: bool) -> Step:
    """End at a call, counted over all records that are opened."""
    count = itertools.count(1)

    async def step(number: int, name: str, is_after: bool) -> None:
        if is_after is after and next(count) == last:
            raise Ended

    return step


@pytest.mark.parametrize("after", [False, True])
async def test_killed_at_every_call_it_is_published_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """Every call by which the records reach the registry, each kill on what the others left."""
    item = await go_back(desk)
    real = Records.__init__
    for last in range(1, 200):
        step = end_at_call(last, after=after)

        def counted(self: Records, *words: Any, step: Step = step, **named: Any) -> None:
            real(self, *words, **named)
            Calls(self, step)

        with monkeypatch.context() as patch:
            patch.setattr(Records, "__init__", counted)
            try:
                await publish_all(desk)
                break
            except Ended:
                pass
        assert await desk.live() in ("a", "b")
    assert last > 15
    await publish_all(desk)
    await published_once(desk, item)


@pytest.mark.parametrize("method", ["claim", "keep_version", "write_hold", "write_verdict"])
@pytest.mark.parametrize("after", [False, True])
async def test_killed_at_each_step_it_is_published_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, method: str, after: bool
) -> None:
    item = await go_back(desk)
    work = getattr(Records, method)

    async def ends(self: Records, *words: object, **named: object) -> None:
        if after:
            await work(self, *words, **named)
        raise Ended

    with monkeypatch.context() as patch:
        patch.setattr(Records, method, ends)
        with pytest.raises(Ended):
            await publish_all(desk)
    assert [x.nonce for x in outbox.read_outbox()] == [item.nonce]
    (found,) = await publish_all(desk)
    assert found.state == "published"
    await published_once(desk, item)


async def test_killed_before_it_is_taken_out_it_is_published_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await go_back(desk)

    def ends(item: Unpublished) -> None:
        raise Ended

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "remove", ends)
        with pytest.raises(Ended):
            await publish_all(desk)
    (found,) = await publish_all(desk)
    assert (found.state, found.generation) == ("published", 3)
    await published_once(desk, item)


def _publish_in_a_process(home: str, start: object, answers: object) -> None:
    async def run() -> list[str]:
        from rolldeck.settings import Settings

        workspace = Workspace(Settings(library=Path(home) / "library"))
        try:
            return [x.state for x in await publish(workspace, Progress(), settle=0)]
        except BusyError:
            return ["busy"]
        finally:
            await workspace.close()

    start.wait()  # type: ignore[attr-defined]
    answers.put(asyncio.run(run()))  # type: ignore[attr-defined]


async def test_two_processes_publish_it_once(desk: Desk) -> None:
    item = await go_back(desk)
    context = multiprocessing.get_context("spawn")
    start, answers = context.Barrier(2), context.Queue()
    words = (str(desk.site.home), start, answers)
    processes = [context.Process(target=_publish_in_a_process, args=words) for _ in range(2)]
    for process in processes:
        process.start()
    found = [await asyncio.to_thread(answers.get, True, 60) for _ in processes]
    for process in processes:
        await asyncio.to_thread(process.join, 30)
    assert sorted(found) == [[], ["published"]]
    await published_once(desk, item)


async def test_a_damaged_file_stops_no_other(desk: Desk) -> None:
    item = await go_back(desk)
    path = outbox.directory() / f"{'0' * 32}.json"
    half_made.write_atomic(path, json.dumps({"channel": []}).encode(), 0o600)
    (found,) = await publish_all(desk)
    assert found.state == "published"
    await published_once(desk, item)
    assert outbox.damaged() == (path,)
    assert (await audit(desk.workspace)).broken


async def test_a_channel_rollback_says_that_the_registry_is_down(
    desk: Desk, registry: RunningRegistry
) -> None:
    registry.stop()
    try:
        with pytest.raises(UnavailableError):
            await desk.roll_back()
    finally:
        registry.start()
    assert await desk.live() == "b"
