"""Local targets that follow a channel: where they go, where they stay, what that costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from rolldeck.actions import apply, plan_pin, plan_rollback, plan_undo
from rolldeck.actions.follow import follow
from rolldeck.actions.follow_plan import plan_follow
from rolldeck.actions.follower import Follower, FollowEvent
from rolldeck.actions.hooks import Hooks
from rolldeck.actions.mark import plan_unhold, write_mark
from rolldeck.errors import BusyError, NotFoundError, UnavailableError
from rolldeck.oci import Place
from rolldeck.progress import Progress
from rolldeck.release import Target
from rolldeck.release.channel import Records
from rolldeck.release.following import read_following
from tests.actions.channels import Desk, desk_at
from tests.release.channel.places import site_in
from tests.release.processes import see_all
from tests.servers.registry import RunningRegistry


@pytest.fixture(params=["docker", "layout", "library"])
async def desk(
    request: pytest.FixtureRequest,
    docker_registry: RunningRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Desk]:
    """A channel that is at b and was at a for days, in every kind of place."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with site_in(request.param, docker_registry, tmp_path) as site:
        async with desk_at(site) as found:
            await found.record("a", "b", ago=1)
            yield found


@pytest.fixture
async def target(desk: Desk, tmp_path: Path) -> Target:
    """A target that follows it."""
    path = tmp_path / "serving"
    await apply(desk.workspace, await plan_follow(desk.workspace, desk.channel, path), Progress())
    await once(desk, path)
    return Target(path)


async def once(desk: Desk, path: Path) -> list[FollowEvent]:
    """Do one round, as a new process does."""
    async with desk_at(desk.site) as fresh:
        return [item async for item in follow(fresh.workspace, path, Progress(), once=True)]


def kinds(events: list[FollowEvent]) -> list[str]:
    return [event.kind for event in events]


async def test_it_begins_where_the_channel_is_with_the_way_back_prepared(
    desk: Desk, target: Target
) -> None:
    assert target.current() == desk.digest("b")
    assert target.unpacked() == {desk.digest("a"), desk.digest("b")}
    following = read_following(target)
    assert following is not None
    assert (following.goal, following.good) == (desk.digest("b"), desk.digest("a"))


async def test_a_rollback_of_the_channel_moves_no_byte(desk: Desk, target: Target) -> None:
    """What it goes to was unpacked beforehand: nothing is fetched, nothing is written."""
    await desk.roll_back(reason="f1 drop")
    before = {path: path.stat().st_ino for path in target.releases.rglob("*")}
    (event,) = await once(desk, target.path)
    assert (event.kind, event.bytes, event.held) == ("switched", 0, True)
    assert target.current() == desk.digest("a")
    assert {path: path.stat().st_ino for path in target.releases.rglob("*")} == before


async def test_the_history_says_why(desk: Desk, target: Target) -> None:
    await desk.roll_back(reason="f1 drop")
    await once(desk, target.path)
    last = target.history()[-1]
    assert (last.verb, last.to_digest) == ("follow", desk.digest("a"))
    assert last.reason is not None
    assert "held there by mia" in last.reason


async def test_a_held_channel_is_followed_to_the_held_version_only(
    desk: Desk, target: Target
) -> None:
    """Automation moves the tag on; nobody follows it there until the hold ends."""
    await desk.roll_back()
    await desk.retag("c")
    assert kinds(await once(desk, target.path)) == ["switched"]
    assert target.current() == desk.digest("a")
    (event,) = await once(desk, target.path)
    assert (event.kind, event.held, event.goal) == ("current", True, desk.digest("a"))
    assert "the tag is at" in event.detail
    marking = await plan_unhold(desk.workspace, desk.channel)
    await write_mark(desk.workspace, marking)
    assert kinds(await once(desk, target.path))[0] == "switched"
    assert target.current() == desk.digest("c")


async def test_a_bad_version_is_not_followed(desk: Desk, target: Target) -> None:
    await desk.retag("c")
    await desk.mark("c", "bad")
    (event,) = await once(desk, target.path)
    assert event.kind == "refused"
    assert "is marked bad by mia: f1 drop" in event.detail
    assert target.current() == desk.digest("b")


async def test_a_round_without_news_asks_two_small_questions(
    desk: Desk, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(desk.workspace, target.path, Progress())
    await follower.step()
    asked: list[str] = []
    real = Records.point

    async def point(self: Records, tag: str) -> object:
        asked.append(tag)
        return await real(self, tag)

    async def journal(self: Records, channel: str, limit: int | None = 50) -> object:
        raise AssertionError("nothing moved, so no journal is read")

    monkeypatch.setattr(Records, "point", point)
    monkeypatch.setattr(Records, "journal", journal)
    assert [event.kind for event in await follower.step()] == ["current"]
    assert sorted(asked) == ["production", "production.hold"]


async def test_a_hold_that_is_set_while_the_rest_is_read_counts(
    desk: Desk, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tag is read after automation moved it, the hold before it was set."""
    await desk.retag("c")
    real = Records.hold
    frozen: list[bool] = []

    async def hold(self: Records, channel: str) -> object:
        found = await real(self, channel)
        if not frozen:
            frozen.append(True)
            await desk.freeze("b")
        return found

    follower = Follower(desk.workspace, target.path, Progress())
    monkeypatch.setattr(Records, "hold", hold)
    events = await follower.step()
    assert frozen
    assert [event.kind for event in events] == ["current"]
    assert target.current() == desk.digest("b")


async def test_a_channel_that_moves_while_its_version_is_unpacked_is_asked_again(
    desk: Desk, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rolldeck.actions import follower as room

    real = room.make_ready
    await desk.retag("c")

    async def make_ready(*words: object) -> None:
        await real(*words)  # type: ignore[arg-type]
        await desk.freeze("b")

    monkeypatch.setattr(room, "make_ready", make_ready)
    follower = Follower(desk.workspace, target.path, Progress())
    with pytest.raises(BusyError, match="moved while its version was unpacked"):
        await follower.step()
    assert target.current() == desk.digest("b")


@pytest.mark.parametrize("by_hand", ["pin", "rollback", "undo"])
async def test_a_move_by_hand_ends_it(desk: Desk, target: Target, by_hand: str) -> None:
    """Else the next round would take it back."""
    workspace = desk.workspace
    if by_hand == "pin":
        plan = await plan_pin(workspace, desk.version("a"), target.path)
    elif by_hand == "rollback":
        plan = await plan_rollback(workspace, target.path)
    else:
        plan = await plan_undo(workspace, target.path)
    assert any(item.check == "follows" and "stops" in item.detail for item in plan.checks)
    await apply(workspace, plan, Progress())
    assert read_following(target) is None
    with pytest.raises(NotFoundError, match="follows no channel"):
        await once(desk, target.path)


async def test_a_rollback_by_hand_goes_to_the_last_known_good(desk: Desk, target: Target) -> None:
    """The target never was at a: the channel was."""
    plan = await plan_rollback(desk.workspace, target.path)
    assert (plan.to_digest, plan.bytes_to_move) == (desk.digest("a"), 0)


async def test_a_follower_that_is_stopped_by_hand_ends(desk: Desk, target: Target) -> None:
    follower = Follower(desk.workspace, target.path, Progress())
    await follower.step()
    plan = await plan_rollback(desk.workspace, target.path)
    await apply(desk.workspace, plan, Progress())
    assert [event.kind for event in await follower.step()] == ["stopped"]
    assert target.current() == desk.digest("a")


async def test_a_plan_made_before_it_was_stopped_is_not_carried_out(
    desk: Desk, target: Target
) -> None:
    """Whoever moved the target by hand meanwhile meant it."""
    plan = await plan_follow(desk.workspace, desk.channel, target.path)
    by_hand = await plan_rollback(desk.workspace, target.path)
    await apply(desk.workspace, by_hand, Progress())
    with pytest.raises(BusyError, match="does not follow"):
        await apply(desk.workspace, replace(plan, begins=False), Progress())
    assert target.current() == desk.digest("a")


async def test_one_follower_per_target(desk: Desk, target: Target) -> None:
    rounds = follow(desk.workspace, target.path, Progress())
    await anext(rounds)
    with pytest.raises(BusyError, match="Another process follows"):
        await once(desk, target.path)
    await rounds.aclose()
    assert kinds(await once(desk, target.path)) == ["current"]


async def test_it_goes_on_through_an_outage_in_longer_pauses(
    desk: Desk, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Records.point
    down = True

    async def point(self: Records, tag: str) -> object:
        if down:
            raise UnavailableError("the registry does not answer")
        return await real(self, tag)

    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal down
        slept.append(seconds)
        down = len(slept) < 7

    monkeypatch.setattr(Records, "point", point)
    rounds = follow(
        desk.workspace, target.path, Progress(), interval=30, sleep=sleep, chance=lambda: 0.5
    )
    seen = [(await anext(rounds)).kind for _ in range(8)]
    await rounds.aclose()
    assert seen == ["unreachable"] * 7 + ["current"]
    assert slept == [60, 120, 240, 480, 600, 600, 600]


async def test_older_releases_go_after_a_round(
    desk: Desk, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Current and the last known good are all that there is to keep."""
    see_all(monkeypatch)
    desk.workspace.settings = replace(desk.workspace.settings, keep_releases=1)
    await desk.promote("c", force=True)
    follower = Follower(desk.workspace, target.path, Progress())
    await follower.step()
    assert target.unpacked() == {desk.digest(letter) for letter in "abc"}
    await desk.mark("a", "bad")
    await desk.mark("b", "good")
    fresh = Follower(desk.workspace, target.path, Progress())
    events = await fresh.step()
    assert target.unpacked() == {desk.digest(letter) for letter in "bc"}
    assert [event.removed for event in events if event.kind == "removed"] == [(desk.digest("a"),)]


async def test_a_layout_is_remembered_by_its_whole_path(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower may be started in another directory."""
    if desk.channel.place is not Place.LAYOUT:
        pytest.skip("other places have no path")
    monkeypatch.chdir(tmp_path)
    relative = replace(desk.channel, root="./made")
    plan = await plan_follow(desk.workspace, relative, tmp_path / "serving")
    assert plan.follows == f"oci:{tmp_path}/made:production"


def noting(path: Path, code: str = "") -> tuple[str, ...]:
    """A hook that notes for which version it ran, and may fail."""
    return ("sh", "-c", f'echo "$ROLLDECK_LABEL" >> {path}; {code}')


async def with_hooks(desk: Desk, target: Target, hooks: Hooks) -> list[FollowEvent]:
    async with desk_at(desk.site) as fresh:
        rounds = follow(fresh.workspace, target.path, Progress(), hooks=hooks, once=True)
        return [item async for item in rounds]


async def test_hooks_run_after_a_switch_and_only_then(
    desk: Desk, target: Target, tmp_path: Path
) -> None:
    hooks = Hooks(noting(tmp_path / "reload"), noting(tmp_path / "check"))
    assert kinds(await with_hooks(desk, target, hooks)) == ["current"]
    await desk.roll_back()
    assert kinds(await with_hooks(desk, target, hooks)) == ["switched"]
    assert kinds(await with_hooks(desk, target, hooks)) == ["current"]
    for name in ("reload", "check"):
        assert (tmp_path / name).read_text() == "v1.0.0\n"


async def test_a_failed_check_puts_the_release_before_back(
    desk: Desk, target: Target, tmp_path: Path
) -> None:
    """Once: the next rounds leave that version alone, until somebody wants it tried again."""
    await desk.record("c")
    fails = 'echo "cannot load" >&2; test "$ROLLDECK_LABEL" = v1.0.1'
    hooks = Hooks(noting(tmp_path / "reload"), noting(tmp_path / "check", fails))
    events = await with_hooks(desk, target, hooks)
    assert kinds(events) == ["switched", "reverted"]
    assert events[1].detail == "check failed: exit code 1: cannot load; v1.0.1 is back"
    assert target.current() == desk.digest("b")
    assert [move.verb for move in target.history()] == ["follow", "follow", "revert"]
    assert (tmp_path / "reload").read_text() == "v1.0.2\nv1.0.1\n"
    (refused,) = await with_hooks(desk, target, hooks)
    assert refused.kind == "refused"
    assert "failed its hooks here before" in refused.detail
    plan = await plan_follow(desk.workspace, desk.channel, target.path)
    await apply(desk.workspace, plan, Progress())
    assert kinds(await with_hooks(desk, target, Hooks())) == ["current"]
    assert target.current() == desk.digest("c")


async def test_a_follower_that_ended_before_its_hooks_did_runs_them_again(
    desk: Desk, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A switch that nobody has proven is never taken for a good one."""
    await desk.roll_back()
    with monkeypatch.context() as patch:

        async def killed(self: Hooks, told: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(Hooks, "run", killed)
        follower = Follower(desk.workspace, target.path, Progress(), Hooks(("true",)))
        with pytest.raises(KeyboardInterrupt):
            await follower.step()
    assert target.current() == desk.digest("a")
    hooks = Hooks((), noting(tmp_path / "check"))
    assert kinds(await with_hooks(desk, target, hooks)) == ["current"]
    assert (tmp_path / "check").read_text() == "v1.0.0\n"


async def test_a_hook_that_does_not_end_is_ended(desk: Desk, target: Target) -> None:
    """With all that it started."""
    await desk.record("c")
    hooks = Hooks((), ("sh", "-c", 'test "$ROLLDECK_LABEL" = v1.0.1 || sleep 1000'), 0.2)
    events = await with_hooks(desk, target, hooks)
    assert kinds(events) == ["switched", "reverted"]
    assert events[1].detail.startswith("check failed: not done after")


async def test_a_hook_that_is_not_there_fails(desk: Desk, target: Target) -> None:
    await desk.record("c")
    events = await with_hooks(desk, target, Hooks(("/nowhere/reload",)))
    assert kinds(events) == ["switched", "reverted"]
    assert "reload failed: /nowhere/reload: No such file" in events[1].detail


@pytest.mark.parametrize("kind", ["held", "bad"])
async def test_a_failed_hook_goes_back_to_nothing_that_nobody_should_be_at(
    desk: Desk, target: Target, tmp_path: Path, kind: str
) -> None:
    """To no other version than the held one, and to none that is marked bad; it is tried again."""
    await (desk.roll_back() if kind == "held" else desk.record("c"))
    if kind == "bad":
        await desk.mark("b", "bad")
    hooks = Hooks(check=noting(tmp_path / "check", "false"))
    for first in ("switched", "current"):
        events = await with_hooks(desk, target, hooks)
        assert kinds(events)[:2] == [first, "unproven"]
    assert target.current() == desk.digest("a" if kind == "held" else "c")
    assert len((tmp_path / "check").read_text().splitlines()) == 2
