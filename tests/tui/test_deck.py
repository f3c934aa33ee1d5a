"""What keys do in the deck."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rolldeck.actions import Check
from rolldeck.commands import COMMANDS
from rolldeck.errors import NotFoundError, UnavailableError
from rolldeck.tui.dialogs.dialog import DEAF_TIME, Dialog
from rolldeck.tui.widgets.details import Details
from rolldeck.tui.widgets.repository_list import RepositoryPane
from rolldeck.tui.widgets.virtual_table import VirtualTable
from tests.tui.conftest import Open, at_rest
from tests.tui.world import World


async def test_open_reference_selects_its_version(stage: Open) -> None:
    """The deck starts at what was named on the command line."""
    async with stage(reference="ghcr.io/acme/fraud:v2.3.8") as play:
        await play.until(lambda: play.deck.browser.row is not None)
        await play.until(lambda: play.deck.browser.row.label == "v2.3.8")


async def test_marks_and_diff_open_the_comparison(stage: Open, world: World) -> None:
    """Two marked versions are compared, the older first."""
    async with stage() as play:
        await play.press("space", "j", "space", "d")
        await play.until(lambda: type(play.deck.screen).__name__ == "CompareScreen")
        assert ("diff", "v2.3.9", "v2.4.1") in world.calls
        await play.press("escape")
        await play.until(lambda: play.deck.screen is play.deck.browser)


async def test_command_after_fast_moves_acts_on_the_right_row(stage: Open, world: World) -> None:
    """The cursor moves at once, even where its painting is summed up."""
    async with stage() as play:
        for key in ("j", "j", "j", "p"):
            await play.pilot.press(key)
        await play.until(lambda: any(call[0] == "pull" for call in world.calls))
        assert "v2.3.8" in next(call[1] for call in world.calls if call[0] == "pull")


async def test_pull_shows_progress_and_what_it_did(stage: Open) -> None:
    """A job ends with what it did and the command line that does the same."""
    async with stage() as play:
        await play.press("p")
        await play.see("✓ pull ghcr.io/acme/fraud:v2.4.1")
        await play.press("5")
        await play.see("rolldeck pull ghcr.io/acme/fraud:v2.4.1@sha256:")
        await play.press("escape")
        await play.gone("✓ pull")


async def test_job_can_be_cancelled(stage: Open, world: World) -> None:
    """``x`` in the jobs cancels."""
    world.pull_steps = 0
    async with stage() as play:
        await play.press("p", "5")
        await play.see("↓ pull")
        await play.press("x")
        await play.until(lambda: not play.deck.jobs.running)
        await play.see("cancelled")


async def test_jobs_list_the_parts_of_a_running_job(stage: Open, world: World) -> None:
    """With their shares, as long as it runs."""
    world.pull_steps = 0
    async with stage() as play:
        await play.press("p", "5")
        await play.see("model 9f3c2ab1d0e7", "100 %", "of 4.1 GiB")
        await play.press("x")
        await play.gone("model 9f3c2ab1d0e7")


async def test_job_that_only_asks_is_cancelled_at_once(stage: Open, world: World) -> None:
    """``x`` does not wait until a registry that does not answer was given up."""
    world.stuck = True
    async with stage() as play:
        await play.press("p", "5")
        await play.see("↓ pull")
        await play.press("x")
        await play.see("cancelled")
        assert not play.deck.jobs.running


async def test_library_stands_there_before_the_registries_answer(stage: Open, world: World) -> None:
    """A registry that does not answer holds up only itself."""
    world.answered = asyncio.Event()
    async with stage(reference=None) as play:
        await play.see("movie-recommend", "ghcr.io", "reading …", "rmse")
        world.answered.set()
        await play.see("acme/fraud")
        await play.gone("reading …")


async def test_a_place_that_failed_is_not_online(stage: Open, world: World) -> None:
    """The top line says that it reads, then that it could not."""
    async with stage() as play:
        await play.see("● online")
        world.failure = UnavailableError("ghcr.io does not answer")
        await play.press("r")
        await play.see("× not read · as of")
        assert "online" not in play.grid


async def test_log_names_another_library(stage: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line runs as it stands, also where the deck runs on another library."""
    async with stage() as play:
        monkeypatch.setenv("XDG_DATA_HOME", "/elsewhere")
        line = play.deck.command_line("unpack", "x:v1", "-d", "/tmp/x y")
        assert line.startswith("rolldeck unpack x:v1 -d '/tmp/x y' --library ")


async def test_marks_are_of_one_repository_and_one_compare(stage: Open, world: World) -> None:
    """A mark and the cursor are a pair; marks go with the compare and with the repository."""
    async with stage() as play:
        await play.press("space", "j", "d")
        await play.until(lambda: ("diff", "v2.3.9", "v2.4.1") in world.calls)
        await play.until(lambda: type(play.deck.screen).__name__ == "CompareScreen")
        await play.press("escape")
        assert not play.deck.browser.state.marks
        await play.press("space", "1", "space")
        assert len(play.deck.browser.state.marks) == 1
        await play.see("Versions are marked; 2 goes to them.")
        await play.press("g")
        await play.until(lambda: not play.deck.browser.state.marks)


async def test_what_was_typed_in_vain_leaves_no_row(stage: Open, world: World) -> None:
    """It is told of where it would stand, and is gone once something else is looked at."""
    async with stage() as play:
        world.failure = NotFoundError("There is no nonesuch")
        await play.press(":", *"open nonesuch", "enter")
        await play.see("× There is no nonesuch", "r tries again")
        world.failure = None
        await play.press("1", "g")
        await play.gone("nonesuch")
        assert "nonesuch" not in play.deck.browser.known_repositories()


async def test_a_typed_tag_is_one_of_the_shown_repository(stage: Open, world: World) -> None:
    """``:diff v2.4.0 nope`` says that there is no such tag here."""
    async with stage() as play:
        await play.press(":", *"diff v2.4.0 nope", "enter")
        await play.see("There is no tag nope in ghcr.io/acme/fraud")
        await play.press(":", *"diff v2.4.0 v2.4.1", "enter")
        await play.until(lambda: ("diff", "v2.4.0", "v2.4.1") in world.calls)


async def test_toasts_do_not_stack(stage: Open) -> None:
    """The same is told once, however often the key is pressed."""
    async with stage() as play:
        await play.press("n", "n", "n")
        await play.see("There is no filter")
        assert play.grid.count("There is no filter") == 1


async def test_ended_job_is_told_of_until_the_next_act(stage: Open) -> None:
    """What was seen does not stay."""
    async with stage() as play:
        await play.press("p")
        await play.see("✓ pull")
        await play.press("r")
        await play.gone("✓ pull")


async def test_no_timer_runs_once_jobs_are_done(stage: Open) -> None:
    """Idle costs nothing."""
    async with stage() as play:
        await play.press("p")
        await play.see("✓ pull")
        assert play.deck._ticker is None


async def test_quit_asks_while_a_job_runs(stage: Open, world: World) -> None:
    """``q`` asks first; ``n`` goes on, ``y`` cancels and quits."""
    world.pull_steps = 0
    async with stage() as play:
        await play.press("p", "q")
        await play.see("Quit?", "1 job still runs")
        await play.press("n")
        await play.gone("Quit?")
        await play.press("q")
        await play.see("Quit?")
        await play.press("y")
        await play.until(lambda: play.deck.return_code == 0)


async def test_quit_without_jobs_is_at_once(stage: Open) -> None:
    """``q`` quits."""
    async with stage() as play:
        await play.press("q")
        await play.until(lambda: play.deck.return_code == 0)


async def test_rollback_shows_its_plan_and_y_does_it(stage: Open, world: World) -> None:
    """Cancel has the focus; ``y`` rolls back."""
    async with stage() as play:
        await play.press("R")
        await play.see("v2.4.1 → v2.4.0", "Cancel")
        assert play.deck.focused is not None
        assert play.deck.focused.id == "cancel"
        await play.press("y")
        await play.until(lambda: ("apply", "rollback", "/srv/fraud") in world.calls)
        await play.see("is current (g4) in /srv/fraud")


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
async def test_plan_is_refused_by(key: str, stage: Open, world: World) -> None:
    """Everything but ``y`` changes nothing."""
    async with stage() as play:
        await play.press("R")
        await play.see("Cancel")
        await play.press(key)
        await play.until(lambda: play.deck.screen is play.deck.browser)
        assert not [call for call in world.calls if call[0] == "apply"]


async def test_keys_right_after_opening_are_ignored(
    stage: Open, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key meant for what was there before does not answer the question."""
    assert DEAF_TIME == 0.3
    monkeypatch.setattr(Dialog, "deaf_time", 1_000.0)  # a busy machine must not end it early
    async with stage() as play:
        await play.press("R")
        await play.see("Cancel")
        await play.press("y", "enter", "escape")
        assert play.deck.screen is not play.deck.browser
        monkeypatch.setattr(Dialog, "deaf_time", 0.0)
        await play.press("y")
        await play.until(lambda: ("apply", "rollback", "/srv/fraud") in world.calls)


async def test_undo_and_pin_show_plans(stage: Open, world: World) -> None:
    """``U`` and ``L`` change nothing without a plan."""
    async with stage() as play:
        await play.press("U")
        await play.see("Undo v2.4.1 → v2.4.0 · /srv/fraud")
        await play.press("escape", "L")
        await play.see("To the local target")
        await play.press("enter")
        await play.see("Pin v2.4.1 → v2.4.0")
        await play.press("y")
        await play.until(lambda: ("apply", "pin", "/srv/fraud") in world.calls)


async def test_rollback_without_a_target_says_how_to_get_one(stage: Open, world: World) -> None:
    """A key that does not apply says why."""
    world.targets = ()
    async with stage() as play:
        await play.press("R")
        await play.see("L pins one")


async def test_read_only_takes_the_changing_keys_away(stage: Open, world: World) -> None:
    """Nothing that adds or changes is reachable or shown."""
    async with stage(read_only=True) as play:
        await play.press("p", "u", "L", "R", "U")
        assert play.deck.screen is play.deck.browser
        assert {call[0] for call in world.calls} <= {"diff"}
        assert "pull" not in play.grid
        await play.press("?")
        await play.see("Help")
        assert "Copy a version into the library" not in play.grid


async def test_filter_is_emptied_by_escape(stage: Open) -> None:
    """Typing filters live; escape brings everything back."""
    async with stage() as play:
        await play.press("/", *"v2.4")
        await play.see("2 of 8")
        await play.press("enter", "n")
        assert play.deck.browser.row.label == "v2.4.0"
        await play.press("escape")
        await play.see("8 versions")


async def test_sorting_cycles_and_reverses(stage: Open) -> None:
    """``s`` sorts by the next column, ``S`` turns the order."""
    async with stage() as play:
        table = play.deck.browser.query_one(VirtualTable)
        await play.press("s")
        assert table.sort == "version"
        await play.press("S")
        assert table.reverse
        await play.see("oldest first")


async def test_click_on_a_head_sorts(stage: Open) -> None:
    """The mouse works for all."""
    async with stage() as play:
        table = play.deck.browser.query_one(VirtualTable)
        await play.pilot.click("#versions", offset=(48, 1))
        await play.until(lambda: table.sort == "size")
        await play.pilot.click("#versions", offset=(48, 1))
        await play.until(lambda: table.reverse)


async def test_narrow_shows_one_pane_and_goes_deeper(stage: Open) -> None:
    """``enter`` goes deeper, ``escape`` and ``backspace`` back."""
    async with stage(size=(80, 24), reference=None) as play:
        browser = play.deck.browser
        await play.see("acme/fraud")
        assert not browser.query_one("#right").display
        await play.press("enter")
        assert browser.query_one(VirtualTable).has_focus
        await play.press("enter")
        assert browser.query_one(Details).has_focus
        await play.press("backspace", "escape")
        assert browser.query_one(RepositoryPane).has_focus


async def test_registry_is_read_only_when_asked(stage: Open, world: World) -> None:
    """A cursor that passes a registry's repository sends no request."""
    async with stage(reference=None) as play:
        await play.see("rmse")
        await play.press("j", "j")
        await play.see("enter lists the versions of ghcr.io/acme/fraud")
        await play.press("enter")
        await play.see("v2.4.1")


async def test_answer_of_another_repository_is_not_shown(stage: Open, world: World) -> None:
    """A late answer only fills what is kept."""
    async with stage() as play:
        await play.press("1", "g")
        await play.see("rmse")
        browser = play.deck.browser
        browser.reading._load(browser.state.repositories.rows[2].reference)
        await asyncio.sleep(0.05)
        assert "v2.4.1" not in play.grid


async def test_typed_commands_run(stage: Open, world: World) -> None:
    """``:`` takes a command with arguments; a wrong one is answered in place."""
    async with stage() as play:
        await play.press(":", *"pull", "enter")
        await play.see("Write it as: pull REFERENCE")
        await play.press("escape", ":", *"rollback /srv/x", "enter")
        await play.until(lambda: ("plan_rollback", str(Path("/srv/x"))) in world.calls)


async def test_palette_finds_commands(stage: Open) -> None:
    """ctrl+p offers commands by name and runs them."""
    async with stage() as play:
        await play.press("ctrl+p", *"reverse")
        await play.see("Reverse the order")
        await play.press("enter")
        await play.until(lambda: play.deck.browser.query_one(VirtualTable).reverse)


async def test_copy_shows_what_it_copied(stage: Open) -> None:
    """No terminal tells whether it took it, so the text is shown."""
    async with stage() as play:
        await play.press("y")
        await play.see("Copied", "ghcr.io/acme/fraud:v2.4.1@sha256:")
        assert play.deck.clipboard.startswith("ghcr.io/acme/fraud:v2.4.1@sha256:")


async def test_details_unfold_and_stay_so(stage: Open) -> None:
    """Space unfolds a section; the next version shows it unfolded too."""
    async with stage() as play:
        await play.see("▶ Metrics")
        await play.press("tab", "space")
        await play.see("▼ Metrics", "higher is better")
        await play.press("2", "j")
        await play.see("fraud 2.4.0", "▼ Metrics")


async def test_every_key_of_the_browser_does_something(stage: Open) -> None:
    """Each command with a key has a method on the screen, a pane or the app."""
    async with stage() as play:
        for item in COMMANDS:
            if item.keys and item.scope in ("everywhere", "move", "browse"):
                assert play.deck._doer(item, play.deck.screen) is not None, item.id


async def test_a_hundred_thousand_versions_are_few_widgets(stage: Open, world: World) -> None:
    """Only what is seen is drawn."""
    from tests.tui.world import FRAUD, a_row

    world.rows[FRAUD] = tuple(
        a_row(FRAUD, f"v{number}", number / 100, metrics={}) for number in range(20_000)
    )
    async with stage() as play:
        await play.until(lambda: len(play.deck.browser.query("*")) < 150)
        await play.press("G")
        assert play.deck.browser.row.label == "v19999"
        assert at_rest(play.deck)


async def test_failed_job_says_what_to_do(stage: Open, world: World) -> None:
    """An error is told with its hint; the deck goes on."""
    world.checks = (Check("x", True, "y"),)
    async with stage() as play:
        await play.press(":", *"open no such", "enter")
        await play.see("Write it as: open REFERENCE")
        await play.press("escape", ":", *"open ???", "enter")
        await play.see("Not a")
