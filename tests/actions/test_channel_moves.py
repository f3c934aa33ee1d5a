"""Promote, roll back, undo, adopt and restore, in every kind of place."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rolldeck.actions import (
    NoGoodVersionError,
    plan_adopt,
    plan_channel_rollback,
    plan_channel_undo,
    plan_promote,
    plan_restore,
    rehearse_rollback,
)
from rolldeck.errors import BusyError, NotFoundError, RefusedError, UsageError
from rolldeck.oci import Place, Reference
from rolldeck.progress import Progress
from rolldeck.release.channel import last_made
from tests.actions.channels import Desk, checks, desk_at
from tests.release.channel.places import site_in
from tests.servers.registry import RunningRegistry

KINDS = ("docker", "guarded", "once", "referrers", "layout", "library")


@pytest.fixture(params=KINDS)
async def anywhere(
    request: pytest.FixtureRequest, docker_registry: RunningRegistry, tmp_path: Path
) -> AsyncIterator[Desk]:
    """A channel in each kind of place."""
    with site_in(request.param, docker_registry, tmp_path) as site:
        async with desk_at(site) as desk:
            yield desk


@pytest.fixture
async def desk(docker_registry: RunningRegistry, tmp_path: Path) -> AsyncIterator[Desk]:
    """A channel in a layout."""
    with site_in("layout", docker_registry, tmp_path) as site:
        async with desk_at(site) as found:
            yield found


async def test_the_way_of_an_incident(anywhere: Desk) -> None:
    """Forward, forward, back to the last known good, held and marked; undone without a trace."""
    await anywhere.promote("a")
    await anywhere.mark("a", "good")
    await anywhere.promote("b")
    moved = await anywhere.roll_back(reason="f1 drop")
    assert await anywhere.live() == "a"
    assert moved.recorded is not None
    entry = moved.recorded.entry
    assert (entry.verb, entry.number, entry.actor, entry.reason) == (
        "rollback",
        3,
        "mia",
        "f1 drop",
    )
    assert entry.refers_to == 1
    hold = await anywhere.hold()
    assert hold is not None
    assert (hold.holder, hold.set_by) == ("mia", moved.recorded.digest)
    assert hold.version.digest == anywhere.digest("a")
    assert hold.holds(datetime.now(UTC) + timedelta(hours=23))
    assert not hold.holds(datetime.now(UTC) + timedelta(hours=25))
    assert await anywhere.said("b") == ["bad"]

    undone = await anywhere.undo()
    assert await anywhere.live() == "b"
    assert undone.hold is not None
    assert undone.hold.released
    assert await anywhere.said("b") == ["bad", "withdrawn"]
    await anywhere.promote("c")
    journal = await anywhere.journal()
    assert [item.entry.verb for item in journal.recorded] == [
        "promote",
        "undo",
        "rollback",
        "promote",
        "promote",
    ]
    assert (journal.chain, journal.drift, journal.pending) == ("ok", False, None)


async def test_what_was_live_before_anything_was_recorded_can_be_gone_back_to(
    anywhere: Desk,
) -> None:
    await anywhere.retag("a")
    await anywhere.promote("b")
    journal = await anywhere.journal()
    assert [(item.entry.number, item.entry.verb) for item in journal.recorded] == [
        (2, "promote"),
        (1, "external"),
    ]
    assert (journal.chain, journal.made) == ("ok", {1, 2})
    await anywhere.mark("a", "good")
    await anywhere.roll_back()
    assert await anywhere.live() == "a"


# Which version a rollback goes to.


async def test_a_rollback_skips_what_is_bad_and_says_why(desk: Desk) -> None:
    await desk.record("a", "b", "c")
    await desk.mark("b", "bad", "ops")
    plan = await plan_channel_rollback(desk.workspace, desk.channel)
    assert plan.to_digest == desk.digest("a")
    assert [(item.number, item.digest) for item in plan.skipped] == [(2, desk.digest("b"))]
    assert plan.skipped[0].reason == "marked bad by ops: f1 drop"
    moved = await desk.do(plan)
    assert moved.recorded is not None
    assert moved.recorded.entry.skipped == plan.skipped


async def test_a_rollback_skips_what_is_not_complete(desk: Desk) -> None:
    await desk.record("a", "b", "c")
    records = await desk.workspace.manifest(desk.version("b"))
    root = Path(desk.site.reference.root)
    (root / "blobs" / records.layers[0].digest.replace(":", "/")).unlink()
    plan = await plan_channel_rollback(desk.workspace, desk.channel)
    assert plan.to_digest == desk.digest("a")
    assert "1 of 2 blobs are gone" in plan.skipped[0].reason


async def test_without_a_last_known_good_candidates_are_listed(desk: Desk) -> None:
    await desk.record("a", "b", hours=2)
    with pytest.raises(NoGoodVersionError) as caught:
        await desk.roll_back()
    hint = str(caught.value.hint)
    assert "g1 v1.0.0: live for only 2 h and never marked good" in hint
    assert "--to g1" in hint
    moved = await desk.roll_back("g1")
    assert await desk.live() == "a"
    assert moved.recorded is not None
    assert moved.recorded.entry.refers_to == 1


@pytest.mark.parametrize("name", ["g1", "v1.0.0", "digest", "beginning", "reference"])
async def test_a_rollback_goes_where_it_is_told(desk: Desk, name: str) -> None:
    await desk.record("a", "b", hours=1)
    digest = desk.digest("a")
    named = {
        "digest": digest,
        "beginning": digest.partition(":")[2][:9],
        "reference": str(desk.version("a")),
    }
    plan = await plan_channel_rollback(desk.workspace, desk.channel, named.get(name, name))
    assert (plan.to_digest, plan.refers_to) == (digest, 1)


async def test_a_rollback_to_nowhere_says_so(desk: Desk) -> None:
    await desk.record("a", "b")
    with pytest.raises(NotFoundError, match="no such version"):
        await desk.roll_back("v9")
    with pytest.raises(UsageError, match="live already"):
        await desk.roll_back("g2")
    with pytest.raises(UsageError, match="not in the repository"):
        await desk.roll_back("oci:/elsewhere:v1")


async def test_a_channel_that_nobody_recorded_goes_back_where_it_is_told(desk: Desk) -> None:
    await desk.retag("b")
    with pytest.raises(NoGoodVersionError):
        await desk.roll_back()
    await desk.roll_back("v1.0.0")
    assert await desk.live() == "a"
    assert [item.entry.number for item in (await desk.journal()).recorded] == [2, 1]


async def test_a_bad_version_is_gone_back_to_by_force_alone(desk: Desk) -> None:
    await desk.record("a", "b")
    await desk.mark("a", "bad", "ops")
    with pytest.raises(RefusedError, match="marked bad by ops"):
        await desk.roll_back("g1")
    moved = await desk.roll_back("g1", force=True)
    assert checks(moved.plan)["verdict"] == (None, "marked bad by ops: f1 drop; forced")


# What a rollback sets.


async def test_a_rollback_may_set_no_hold_and_no_mark(desk: Desk) -> None:
    await desk.record("a", "b")
    await desk.roll_back(hold_for=timedelta(0), mark=False)
    assert await desk.hold() is None
    assert await desk.said("b") == []


async def test_a_rollback_holds_as_long_as_it_is_told(desk: Desk) -> None:
    await desk.record("a", "b")
    await desk.roll_back(hold_for=timedelta(hours=2))
    hold = await desk.hold()
    assert hold is not None
    assert hold.until is not None
    assert timedelta(hours=1) < hold.until - datetime.now(UTC) <= timedelta(hours=2)


async def test_a_rollback_is_allowed_while_somebody_else_holds(desk: Desk) -> None:
    await desk.record("a", "b")
    await desk.freeze("b")
    await desk.roll_back()
    hold = await desk.hold()
    assert hold is not None
    assert (hold.holder, hold.version.digest) == ("mia", desk.digest("a"))


async def test_who_else_moves_the_channel_is_told(desk: Desk) -> None:
    await desk.record("a", "b:ci-bot", "a:ci-bot", "b:ops")
    plan = await plan_channel_rollback(desk.workspace, desk.channel)
    ok, detail = checks(plan)["others move it"]
    assert (ok, detail) == (None, "ci-bot 2 times, ops once in 30 days; a hold is set")


# Promote.


async def test_a_hold_refuses_a_promote_of_others(desk: Desk) -> None:
    await desk.record("a")
    await desk.freeze("a", "ops")
    with pytest.raises(RefusedError, match="ops holds"):
        await desk.promote("b")
    assert await desk.live() == "a"
    await desk.promote("b", force=True)
    assert await desk.live() == "b"


async def test_the_holder_may_promote(desk: Desk) -> None:
    await desk.record("a")
    await desk.freeze("a", "mia")
    moved = await desk.promote("b")
    assert checks(moved.plan)["hold"][0] is None
    assert await desk.live() == "b"


async def test_a_bad_version_is_not_promoted(desk: Desk) -> None:
    await desk.record("a")
    await desk.mark("b", "bad", "ops")
    with pytest.raises(RefusedError, match="marked bad by ops: f1 drop"):
        await desk.promote("b")
    assert len((await desk.journal()).recorded) == 1


async def test_an_incomplete_version_cannot_be_forced(desk: Desk) -> None:
    manifest = await desk.workspace.manifest(desk.version("b"))
    root = Path(desk.site.reference.root)
    (root / "blobs" / manifest.layers[0].digest.replace(":", "/")).unlink()
    with pytest.raises(RefusedError, match="1 of 2 blobs are gone"):
        await desk.promote("b", force=True)


async def test_a_promote_of_what_is_live_moves_nothing(desk: Desk) -> None:
    await desk.record("a", "b")
    moved = await desk.promote("b")
    assert moved.recorded is None
    assert len((await desk.journal()).recorded) == 2


async def test_a_promote_backwards_is_told(desk: Desk) -> None:
    await desk.record("a", "b")
    plan = await plan_promote(desk.workspace, desk.version("a"), desk.channel)
    assert checks(plan)["was live before"][0] is None


async def test_a_version_of_another_repository_is_refused(desk: Desk) -> None:
    other = Reference.parse("oci:/elsewhere:v1")
    with pytest.raises(UsageError, match="not in the repository"):
        await plan_promote(desk.workspace, other, desk.channel)
    with pytest.raises(UsageError, match="never moved"):
        await plan_promote(desk.workspace, desk.version("a"), desk.channel.tagged("v1.0.0"))


async def test_a_plan_says_what_it_checked(anywhere: Desk) -> None:
    await anywhere.record("a")
    plan = await plan_promote(anywhere.workspace, anywhere.version("b"), anywhere.channel)
    found = checks(plan)
    assert re.fullmatch(r"all 2 blobs are there, .* to pull to this disk", found["complete"][1])
    assert found["fits this host"][0] is True
    assert found["contract"][0] is None
    assert found["verdict"] == (True, "none")
    assert found["hold"] == (True, "none")
    assert found["signed"] == (None, "none was found")
    assert plan.summary is not None
    assert plan.from_label == "v1.0.0"


# Undo.


async def test_undo_takes_back_its_own_mark_and_hold_alone(desk: Desk) -> None:
    await desk.record("a", "b")
    await desk.roll_back()
    await desk.freeze("a", "ops")
    with pytest.raises(RefusedError, match="ops holds"):
        await desk.undo()
    await desk.undo(force=True)
    hold = await desk.hold()
    assert hold is not None
    assert (hold.holder, hold.released) == ("ops", False)


@pytest.mark.parametrize("first", [True, False])
async def test_another_bad_mark_blocks_undo(desk: Desk, first: bool) -> None:
    """Whichever of the two came first."""
    await desk.record("a", "b")
    if first:
        await desk.mark("b", "bad", "ops")
    await desk.roll_back()
    if not first:
        await desk.mark("b", "bad", "ops")
    with pytest.raises(RefusedError, match="marked bad by ops"):
        await desk.undo()
    await desk.undo(force=True)
    assert await desk.live() == "b"
    assert "withdrawn" not in await desk.said("b")


async def test_undo_of_an_undo_goes_back_again(desk: Desk) -> None:
    await desk.record("a", "b")
    await desk.undo()
    assert await desk.live() == "a"
    await desk.undo()
    assert await desk.live() == "b"


async def test_the_first_move_cannot_be_undone(desk: Desk) -> None:
    await desk.record("a")
    with pytest.raises(RefusedError, match="no version before"):
        await plan_channel_undo(desk.workspace, desk.channel)


# Moves that nobody recorded.


async def test_drift_stops_every_move_until_it_is_settled(desk: Desk) -> None:
    await desk.record("a", "b")
    await desk.retag("c")
    for making in (
        plan_promote(desk.workspace, desk.version("a"), desk.channel),
        plan_channel_rollback(desk.workspace, desk.channel, "g1"),
    ):
        with pytest.raises(RefusedError, match="moved without a record"):
            await desk.do(await making)
    assert await desk.live() == "c"


async def test_adopt_records_what_is_live(anywhere: Desk) -> None:
    await anywhere.record("a", "b")
    await anywhere.retag("c")
    moved = await anywhere.do(await plan_adopt(anywhere.workspace, anywhere.channel))
    assert moved.recorded is not None
    journal = await anywhere.journal()
    assert (journal.drift, journal.pending, journal.chain) == (False, None, "ok")
    assert journal.recorded[0].entry.verb == "external"
    assert journal.current is not None
    assert journal.current.entry.to_digest == anywhere.digest("c")
    assert last_made(journal) == journal.recorded[0]


async def test_a_channel_without_a_record_is_adopted(desk: Desk) -> None:
    await desk.retag("b")
    await desk.do(await plan_adopt(desk.workspace, desk.channel))
    journal = await desk.journal()
    assert journal.current is not None
    assert journal.current.entry.number == 1


async def test_restore_puts_the_recorded_version_back(anywhere: Desk) -> None:
    await anywhere.record("a", "b")
    await anywhere.retag("c")
    await anywhere.do(await plan_restore(anywhere.workspace, anywhere.channel))
    journal = await anywhere.journal()
    assert await anywhere.live() == "b"
    assert (journal.drift, journal.pending, journal.chain) == (False, None, "ok")
    assert journal.recorded[0].entry.verb == "restore"


async def test_without_drift_there_is_nothing_to_settle(desk: Desk) -> None:
    await desk.record("a")
    with pytest.raises(NotFoundError, match="where its journal says"):
        await plan_adopt(desk.workspace, desk.channel)
    with pytest.raises(NotFoundError, match="where its journal says"):
        await plan_restore(desk.workspace, desk.channel)


async def test_a_channel_that_moved_since_the_plan_is_left_alone(anywhere: Desk) -> None:
    await anywhere.record("a", "b")
    plan = await plan_channel_rollback(anywhere.workspace, anywhere.channel)
    await anywhere.record("c")
    with pytest.raises(BusyError, match="moved under you"):
        await anywhere.do(plan)
    assert await anywhere.live() == "c"
    assert await anywhere.hold() is None


async def test_read_only_takes_them_all_away(desk: Desk) -> None:
    await desk.record("a", "b")
    desk.workspace.read_only = True
    for making in (
        plan_promote(desk.workspace, desk.version("a"), desk.channel),
        plan_channel_rollback(desk.workspace, desk.channel),
        plan_channel_undo(desk.workspace, desk.channel),
        plan_adopt(desk.workspace, desk.channel),
        plan_restore(desk.workspace, desk.channel),
    ):
        with pytest.raises(RefusedError, match="read-only"):
            await making
    desk.workspace.read_only = False


async def test_the_soak_time_is_a_setting(desk: Desk) -> None:
    await desk.record("a", "b", hours=2)
    desk.workspace.settings = replace(desk.workspace.settings, soak_hours=1.0)
    assert (await plan_channel_rollback(desk.workspace, desk.channel)).refers_to == 1


async def test_a_rehearsal_pulls_and_moves_nothing(anywhere: Desk) -> None:
    await anywhere.record("a", "b")
    plan = await plan_channel_rollback(anywhere.workspace, anywhere.channel)
    done = await rehearse_rollback(anywhere.workspace, plan, Progress())
    assert done.files == 2
    assert (done.bytes_transferred > 0) == (anywhere.channel.place is Place.REGISTRY)
    assert await anywhere.live() == "b"
    again = await plan_channel_rollback(anywhere.workspace, anywhere.channel)
    if anywhere.channel.place is Place.REGISTRY:
        assert again.bytes_to_pull == 0
