"""The triage screen over a real library: each key, and what it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.widgets import Input

from rolldeck.actions import apply, plan_pin
from rolldeck.actions.follow import follow
from rolldeck.actions.follow_plan import plan_follow
from rolldeck.errors import UnavailableError
from rolldeck.progress import Progress
from rolldeck.tui.app import Deck
from rolldeck.tui.dialogs.channel_plan import ChannelPlanDialog
from rolldeck.tui.screens.compare import CompareScreen
from rolldeck.tui.screens.note import NoteScreen
from rolldeck.tui.screens.triage import TriageScreen
from tests.actions.channels import Desk, desk_at
from tests.release.channel.places import site_in
from tests.tui.conftest import Stage
from tests.tui.world import World

Begin = Callable[..., AbstractAsyncContextManager[tuple[Stage, Desk]]]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Open triage of a channel that went a, b, c; c is live for half an hour."""
    for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))

    @asynccontextmanager
    async def opened(
        size: tuple[int, int] = (120, 40),
        read_only: bool = False,
        since: datetime | None = None,
        bad: str = "",
        what: str | None = None,
    ) -> AsyncIterator[tuple[Stage, Desk]]:
        with site_in("library", None, tmp_path) as site:  # type: ignore[arg-type]
            async with desk_at(site) as desk:
                await desk.record("a", "b", "c:ci-bot", hours=48, ago=0.6)
                if bad:
                    await desk.mark(bad, "bad")
                name = what or str(desk.channel)
                deck = Deck(desk.workspace, read_only=read_only, triage=(name, since))
                async with deck.run_test(size=size, notifications=True) as pilot:
                    play = Stage(deck, pilot, World())
                    await play.until(lambda: isinstance(deck.screen, TriageScreen))
                    await play.until(lambda: is_read(deck))
                    yield play, desk

    return opened


def screen(deck: Deck) -> TriageScreen:
    found = next(item for item in deck.screen_stack if isinstance(item, TriageScreen))
    return found


def is_read(deck: Deck) -> bool:
    found = screen(deck).triage
    return found is not None and found.is_complete


async def live(play: Stage, desk: Desk, letter: str) -> None:
    """Wait until the channel points at a version and no job runs."""
    await play.until(lambda: not play.deck.jobs.running and bool(play.deck.jobs.jobs))
    assert await desk.live() == letter


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_live_and_good_are_seen_at_once(begin: Begin, size: tuple[int, int]) -> None:
    async with begin(size) as (play, _):
        await play.see("LIVE  v1.0.2", "GOOD  v1.0.1", "ci-bot", "g1", "on disk", "R roll back")
        await play.until(lambda: screen(play.deck).query_one("#triage").stop_count == 3)  # type: ignore[attr-defined]
        row = screen(play.deck).query_one("#triage").row  # type: ignore[attr-defined]
        assert row.name == "g2"


async def test_the_incident_is_marked(begin: Begin) -> None:
    since = datetime.now(UTC) - timedelta(minutes=24)
    async with begin(since=since) as (play, _):
        await play.see("began 12 min after g3")
        await play.see("! g3")
        assert "! g2" not in play.grid


async def test_two_keys_roll_back(begin: Begin) -> None:
    async with begin((80, 24)) as (play, desk):
        await play.press("R")
        await play.see("Roll back production: v1.0.2 → v1.0.1", "1 ✓", "moves the tag, holds")
        focused = play.deck.screen.focused
        assert focused is not None
        assert focused.id == "cancel"
        await play.press("y")
        await live(play, desk, "b")
        await play.see("U undo", "Y copy note", "held on", "▌  g4")
        assert await desk.said("c") == ["bad"]


async def test_keys_are_ignored_at_first(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rolldeck.tui.dialogs.dialog.Dialog.deaf_time", 60.0)
    async with begin() as (play, desk):
        await play.press("R")
        await play.see("Roll back production")
        await play.press("y", "enter")
        assert isinstance(play.deck.screen, ChannelPlanDialog)
        assert await desk.live() == "c"


async def test_escape_and_enter_change_nothing(begin: Begin) -> None:
    async with begin() as (play, desk):
        for key in ("escape", "n", "enter"):
            await play.press("R")
            await play.see("Roll back production")
            await play.press(key)
            await play.until(lambda: isinstance(play.deck.screen, TriageScreen))
        assert not play.deck.jobs.jobs
        assert await desk.live() == "c"


async def test_b_spares_the_version(begin: Begin) -> None:
    async with begin() as (play, desk):
        await play.press("R")
        await play.see("marks v1.0.2 bad")
        await play.press("b")
        await play.see("does not mark v1.0.2")
        await play.press("y")
        await live(play, desk, "b")
        assert await desk.said("c") == []


async def test_a_reason_is_reached_with_tab(begin: Begin) -> None:
    async with begin() as (play, desk):
        await play.press("R")
        await play.see("Roll back production")
        await play.press("tab", *"f1 by", "enter", "y")
        await live(play, desk, "b")
        newest = (await desk.journal()).newest
        assert newest is not None
        assert newest.entry.reason == "f1 by"


async def test_an_older_one_is_chosen_with_brackets(begin: Begin) -> None:
    async with begin() as (play, desk):
        await play.press("[", "R")
        await play.see("v1.0.2 → v1.0.0")
        await play.press("escape", "]", "]", "R")
        await play.see("is live; [ selects")
        await play.press("[", "[", "R")
        await play.see("v1.0.2 → v1.0.0")
        await play.press("y")
        await live(play, desk, "a")


async def test_a_failed_check_wants_the_channels_name(begin: Begin) -> None:
    async with begin(bad="a") as (play, desk):
        await play.press("[", "R")
        await play.see("✗ verdict", "A check failed. Type production to roll back")
        await play.press("y")
        await play.press(*"staging", "enter")
        await play.see("Not its name")
        assert await desk.live() == "c"
        play.deck.screen.query_one("#typed", Input).value = "production"
        await play.press("enter")
        await live(play, desk, "a")


async def test_undo_takes_it_back(begin: Begin) -> None:
    async with begin() as (play, desk):
        await play.press("R")
        await play.see("Roll back production")
        await play.press("y")
        await live(play, desk, "b")
        await play.see("held on")
        await play.press("U")
        await play.see("Undo production: v1.0.1 → v1.0.2")
        await play.press("y")
        await play.until(lambda: len(play.deck.jobs.jobs) == 2)
        await live(play, desk, "c")
        hold = await desk.hold()
        assert hold is not None
        assert hold.released


async def test_promote_wants_the_typed_name(begin: Begin) -> None:
    async with begin() as (play, desk):
        await play.press("P")
        await play.see("Promote to production")
        await play.press(*"v1.0.0", "enter")
        await play.see("Promote production: v1.0.2 → v1.0.0", "Type production to promote")
        await play.press("y", *"production", "enter")
        await live(play, desk, "a")


async def test_hold_and_release(begin: Begin) -> None:
    async with begin() as (play, desk):
        await play.press("H")
        await play.see("hold it on v1.0.2")
        await play.press("enter")
        await play.see("held on")
        hold = await desk.hold()
        assert hold is not None
        assert not hold.released
        await play.press("H")
        await play.see("release the hold")
        await play.press("enter")
        await play.gone("held on")


async def test_verdict_on_the_selected_version(begin: Begin) -> None:
    async with begin() as (play, desk):
        await play.press("V")
        await play.see("Verdict on v1.0.1")
        await play.press("down", "enter")
        await play.see("v1.0.1: bad")
        await play.press(*"f1 drop", "enter")
        await play.see("GOOD  v1.0.0", "bad")
        assert await desk.said("b") == ["bad"]


async def test_compare_and_back(begin: Begin) -> None:
    async with begin() as (play, _):
        await play.press("d")
        await play.until(lambda: isinstance(play.deck.screen, CompareScreen))
        await play.press("escape")
        await play.until(lambda: isinstance(play.deck.screen, TriageScreen))
        await play.press("R")
        await play.see("Cancel")
        await play.press("d")
        await play.until(lambda: isinstance(play.deck.screen, CompareScreen))


async def test_the_note_says_what_was_done(begin: Begin) -> None:
    since = datetime.now(UTC) - timedelta(minutes=24)
    async with begin(since=since) as (play, desk):
        await play.press("Y")
        await play.until(lambda: isinstance(play.deck.screen, NoteScreen))
        await play.see("Done:** nothing yet", "Last known good")
        await play.press("escape", "R")
        await play.see("Roll back production")
        await play.press("y")
        await live(play, desk, "b")
        await play.see("held on")
        await play.press("Y")
        await play.see("production rolled back", "UTC", "From:** v1", "rolldeck rollback")
        copied = play.deck.clipboard
        assert "began 12 min after g3" in copied
        assert "--to g2" in copied
        assert desk.digest("b").partition(":")[2][:12] in copied


async def test_a_shows_what_was_recorded(begin: Begin) -> None:
    async with begin() as (play, _):
        await play.press("a")
        await play.see("Audit · ", "g3", "ci-bot")
        await play.press("escape")
        await play.see("GOOD  v1.0.1")


async def test_a_read_only_deck_only_looks(begin: Begin) -> None:
    async with begin(read_only=True) as (play, desk):
        await play.press("R", "U", "P", "H", "V")
        assert isinstance(play.deck.screen, TriageScreen)
        assert "R roll back" not in play.grid
        assert await desk.live() == "c"


async def test_the_browser_reads_nothing_before_it_is_seen(begin: Begin) -> None:
    async with begin() as (play, _):
        assert play.deck.browser is not None
        assert play.deck.browser.state.repositories is None
        await play.press("escape")
        await play.see("acme/fraud")


async def test_the_exclamation_mark_opens_it_for_the_selection(begin: Begin) -> None:
    async with begin() as (play, _):
        await play.press("escape")
        await play.see("acme/fraud")
        await play.until(lambda: play.deck.browser.state.repository is not None)  # type: ignore[union-attr]
        await play.press("!")
        await play.see("GOOD  v1.0.1")


async def test_the_channels_lead_to_it(begin: Begin) -> None:
    async with begin() as (play, _):
        await play.press("escape")
        await play.until(lambda: play.deck.browser.state.repository is not None)  # type: ignore[union-attr]
        await play.press("3")
        await play.see("3 Channels", "production", "ci-bot", " 1 channel · ")
        await play.press("down", "enter")
        await play.see("GOOD  v1.0.1")


async def test_a_local_target_goes_back(begin: Begin, tmp_path: Path) -> None:
    target = tmp_path / "serving"
    async with begin() as (play, desk):
        for letter in "ab":
            plan = await plan_pin(desk.workspace, desk.version(letter), target)
            await apply(desk.workspace, plan, Progress())
        play.deck.show_triage(str(target))
        await play.see("GOOD  ", "g1", "the release before")
        await play.press("R")
        await play.see("Roll back", "✓ unpacked here")
        await play.press("y")
        digest = desk.digest("a").partition(":")[2][:12]
        await play.until(lambda: (target / "current").readlink().name == digest)
        await play.until(lambda: not play.deck.jobs.running)
        await play.press("U")
        await play.see("takes back")
        await play.press("y")
        digest = desk.digest("b").partition(":")[2][:12]
        await play.until(lambda: (target / "current").readlink().name == digest)


async def test_a_rollback_takes_the_targets_of_this_host_along(
    begin: Begin, tmp_path: Path
) -> None:
    target = tmp_path / "serving"
    async with begin() as (play, desk):
        plan = await plan_follow(desk.workspace, desk.channel, target)
        await apply(desk.workspace, plan, Progress())
        events = [item async for item in follow(desk.workspace, target, Progress(), once=True)]
        assert [event.kind for event in events] == ["current", "prepared"]
        await play.press("R")
        await play.see("switches 1 local target here")
        await play.press("y")
        digest = desk.digest("b").partition(":")[2][:12]
        await play.until(lambda: (target / "current").readlink().name == digest)
        await play.see("on 1/1 here")
        assert await desk.live() == "b"


async def test_without_the_registry_the_host_goes_back(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel cannot move; what is unpacked here can."""
    target = tmp_path / "serving"
    async with begin() as (play, desk):
        for letter in "bc":
            plan = await plan_pin(desk.workspace, desk.version(letter), target)
            await apply(desk.workspace, plan, Progress())

        async def fail(*_: object, **__: object) -> None:
            raise UnavailableError("the registry does not answer")

        monkeypatch.setattr("rolldeck.actions.triage.load_channel", fail)
        await play.press("r")
        await play.see("registry down", "the release before")
        await play.press("R")
        await play.see("✓ unpacked here")
        await play.press("y")
        digest = desk.digest("b").partition(":")[2][:12]
        await play.until(lambda: (target / "current").readlink().name == digest)
        assert await desk.live() == "c"


async def test_why_nothing_is_shown_stays_on_the_page(begin: Begin) -> None:
    """And a key says that nothing was read, not that it is being read."""
    async with begin((80, 24)) as (play, _):
        play.deck.show_triage("nowhere")
        await play.see("× ", "r tries again.")
        play.deck.clear_notifications()
        await play.press("d")
        await play.see("Nothing was read; r tries again.")
        assert "× " in play.grid


@pytest.mark.parametrize("held", [False, True])
async def test_the_keys_of_an_incident_fit_in_80_columns(begin: Begin, held: bool) -> None:
    async with begin((80, 24)) as (play, desk):
        if held:
            await desk.freeze("c")
            await play.press("r")
            await play.see("held on")
        wanted = ("R roll back", "H release" if held else "H hold", "U undo", "esc back", "? help")
        await play.see(*wanted)


async def test_channels_that_cannot_be_read_lead_to_it(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On call with the registry down: the page says what is there all the same."""

    async def fail(*_: object, **__: object) -> None:
        raise UnavailableError("the registry does not answer")

    async with begin((80, 24)) as (play, _):
        await play.press("escape")
        await play.until(lambda: play.deck.browser.state.repository is not None)  # type: ignore[union-attr]
        monkeypatch.setattr("rolldeck.actions.load_channels", fail)
        await play.press("3")
        await play.see("does not answer", "! shows triage, from what was seen last.")
        await play.press("!")
        await play.see("GOOD  v1.0.1")
