"""A move of a channel that ends at any of its requests, and what the next run makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rolldeck.actions import plan_adopt, plan_channel_rollback, plan_restore
from rolldeck.errors import UnavailableError
from rolldeck.release.channel import Records
from tests.actions.channels import Desk, checks, desk_at
from tests.release.channel import places
from tests.servers.registry import RunningRegistry


class Cut(BaseException):
    """Ends a process at a request: nothing after it is done."""


@pytest.fixture(params=["docker", "layout"])
async def desk(
    request: pytest.FixtureRequest,
    docker_registry: RunningRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Desk]:
    """A channel whose last known good is a."""
    monkeypatch.setattr("rolldeck.release.channel.move._WATCHED", 0.0)
    with places.site_in(request.param, docker_registry, tmp_path) as site:
        async with desk_at(site) as found:
            await found.record("a", "b")
            yield found


async def cut_at(desk: Desk, method: str, *, after: bool, undo: bool = False) -> None:
    """Roll back or undo, ending at a method of the records, before or after it took effect."""
    real: Any = getattr(Records, method)

    async def ends(self: Records, *words: Any, **named: Any) -> None:
        if after:
            await real(self, *words, **named)
        raise Cut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Records, method, ends)
        with pytest.raises(Cut):
            await (desk.undo() if undo else desk.roll_back(reason="f1 drop"))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", ["claim", "keep_version", "write_hold", "write_verdict"])
async def test_the_same_command_again_ends_a_rollback(desk: Desk, method: str, after: bool) -> None:
    """Old or new, never half: and then the whole of it, once, no further back than meant."""
    await cut_at(desk, method, after=after)
    assert await desk.live() in ("a", "b")
    await desk.roll_back(reason="f1 drop") if not (method == "write_verdict" and after) else None
    assert await desk.live() == "a"
    hold = await desk.hold()
    assert hold is not None
    assert hold.version.digest == desk.digest("a")
    assert await desk.said("b") == ["bad"]
    journal = await desk.journal()
    assert (journal.pending, journal.drift, journal.chain) == (None, False, "ok")
    assert len(journal.stays) == 3


async def test_a_claim_without_its_move_is_told_and_passed_over(desk: Desk) -> None:
    await cut_at(desk, "claim", after=True)
    plan = await plan_channel_rollback(desk.workspace, desk.channel)
    ok, detail = checks(plan)["pending"]
    assert ok is None
    assert "g3 (rollback to v1.0.0 by mia) was never made; passed over" in detail
    await desk.do(plan)
    assert (await desk.journal()).recorded[0].entry.number == 4


async def test_a_promote_meets_the_hold_that_a_killed_rollback_did_not_set(desk: Desk) -> None:
    """The entry says that it belongs to the move, so it counts, and whoever comes next sets it."""
    await cut_at(desk, "write_hold", after=False)
    assert await desk.hold() is None
    desk.workspace.settings = desk.site.workspace().settings
    moved = await desk.promote("c", force=True)
    found = checks(moved.plan)
    assert "mia holds" in found["hold"][1]
    assert found["unfinished"] == (None, "g3 did not set its hold and verdict; set first")
    assert await desk.said("b") == ["bad"]


async def test_a_mark_that_cannot_be_written_is_no_failed_move(desk: Desk) -> None:
    async def down(self: Records, hold: object) -> None:
        raise UnavailableError("the registry does not answer")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Records, "write_hold", down)
        with pytest.raises(UnavailableError, match=r"is v1.0.0 \(g3\), but its marks are not set"):
            await desk.roll_back()
    assert await desk.live() == "a"
    again = await plan_channel_rollback(desk.workspace, desk.channel)
    assert not again.records
    assert "g3 did it" in checks(again)["already done"][1]


@pytest.mark.parametrize("method", ["keep_version", "write_hold", "write_verdict"])
async def test_the_same_undo_again_ends_it_and_goes_no_further(desk: Desk, method: str) -> None:
    await desk.roll_back()
    await cut_at(desk, method, after=False, undo=True)
    assert await desk.live() == "b"
    await desk.undo()
    assert await desk.live() == "b"
    hold = await desk.hold()
    assert hold is not None
    assert hold.released
    assert await desk.said("b") == ["bad", "withdrawn"]
    journal = await desk.journal()
    assert journal.made == {1, 2, 3, 4}


async def test_a_cut_undo_of_a_promote_is_not_undone_by_repeating_it(desk: Desk) -> None:
    """Nothing is owed, but its keeper is missing."""
    await cut_at(desk, "keep_version", after=False, undo=True)
    assert await desk.live() == "a"
    await desk.undo()
    assert await desk.live() == "a"
    await desk.undo()
    assert await desk.live() == "b"


@pytest.mark.parametrize("adopts", [False, True], ids=["restore", "adopt"])
async def test_a_restore_that_was_cut_short_hides_no_drift(desk: Desk, adopts: bool) -> None:
    """Its entry is void; the same command again, or an adopt, ends it."""
    await desk.retag("c")
    plan = await plan_restore(desk.workspace, desk.channel)
    real: Any = Records.claim

    async def ends(self: Records, *words: Any) -> None:
        await real(self, *words)
        raise Cut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Records, "claim", ends)
        with pytest.raises(Cut):
            await desk.do(plan)
    assert await desk.live() == "c"
    plan_again = plan_adopt if adopts else plan_restore
    await desk.do(await plan_again(desk.workspace, desk.channel))
    assert await desk.live() == ("c" if adopts else "b")
    journal = await desk.journal()
    assert (journal.pending, journal.drift, journal.chain) == (None, False, "ok")
    assert [stay.entry.number for stay in journal.stays] == [4, 2, 1]
