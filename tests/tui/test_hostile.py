"""Strings from outside that try to be markup, links or terminal commands are shown as text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rolldeck.actions import Check, RepositoryList, RepositoryRow, TargetState
from rolldeck.errors import UnavailableError
from rolldeck.facts import EnvironmentFact, LineageFact, Metric, Parameter
from rolldeck.oci import Reference
from tests.tui.conftest import Open
from tests.tui.world import FRAUD, World

MARKUP = "[/] [@click=app.quit]x[/] [red]"
ESCAPES = "\x1b]52;c;aGk=\x07\x1b[2J\u202e"
HOSTILE = MARKUP + ESCAPES


def harmless(text: str) -> bool:
    """Whether a screen holds no control characters."""
    return not any((ord(char) < 32 and char != "\n") or char in "\x7f\x9b\u202e" for char in text)


@pytest.fixture
def hostile_world(world: World) -> World:
    """The world with hostile strings wherever a publisher can put one."""
    rows = world.rows[FRAUD]
    world.rows[FRAUD] = tuple(
        replace(
            row,
            name=HOSTILE,
            version=HOSTILE,
            label=f"v{number}{HOSTILE}",
            badges=(HOSTILE,),
            metrics={HOSTILE: 0.5},
        )
        for number, row in enumerate(rows)
    )
    world.facts = {
        "metrics": (Metric(HOSTILE, None, HOSTILE, text=HOSTILE, unit=HOSTILE),),
        "parameters": (Parameter(HOSTILE, HOSTILE, HOSTILE),),
        "environment": (EnvironmentFact("package", HOSTILE, HOSTILE, HOSTILE),),
        "lineage": (LineageFact(HOSTILE, HOSTILE, HOSTILE),),
        "missing": (HOSTILE,),
    }
    listing = world.repositories
    odd = RepositoryRow(Reference.parse("odd"), HOSTILE, HOSTILE, 1)
    world.repositories = RepositoryList(
        (*listing.rows, odd), False, ((f"host {HOSTILE}", HOSTILE),)
    )
    target = world.targets[0]
    world.targets = (target, replace(target, path=Path(f"/srv/{MARKUP}"), label=HOSTILE))
    world.checks = (Check(HOSTILE, True, HOSTILE),)
    return world


async def see_harmless(play: object, *words: str) -> None:
    """Wait for words, and look that the screen holds nothing but text."""
    await play.see(*words)  # type: ignore[attr-defined]
    assert harmless(play.grid)  # type: ignore[attr-defined]


async def test_versions_and_details_show_hostile_text_as_text(
    stage: Open, hostile_world: World
) -> None:
    """Rows, titles, the top line, sections folded and unfolded."""
    async with stage(size=(200, 60)) as play:
        await see_harmless(play, "v0[/] [@click", "▶ Metrics")
        await play.press("tab")
        for _ in range(4):
            await play.press("space", "j", "j")
        await play.settle()
        await see_harmless(play, "[@click=app.quit]x[/]", "\\x1b]52;c;")
        assert play.deck.return_code is None


async def test_jobs_toasts_and_copies_show_hostile_text_as_text(
    stage: Open, hostile_world: World
) -> None:
    """Baseline toast, the name of a job, the log, the list of jobs, marks."""
    async with stage(size=(200, 60)) as play:
        await play.press("m", "space", "p")
        await see_harmless(play, "compares with it.", "1 marked")
        await play.press("5")
        await see_harmless(play, "rolldeck pull")
        await play.press("escape", "@")
        await see_harmless(play, "rolldeck pull")


async def test_plans_choices_and_inspect_show_hostile_text_as_text(
    stage: Open, hostile_world: World
) -> None:
    """The choice of a target, its plan, and the documents."""
    async with stage(size=(120, 40)) as play:
        await play.press("R")
        await see_harmless(play, "which target?", "[@click")
        await play.press("down", "enter")
        await see_harmless(play, "Cancel", "[@click=app.quit]x[/]")
        await play.press("escape", "i")
        await see_harmless(play, "Inspect", "name:")


async def test_errors_show_hostile_text_as_text(stage: Open, world: World) -> None:
    """What a registry answers is in the pane and in the toast as it came, escaped."""
    from rolldeck.text import clean

    world.failure = UnavailableError(clean(HOSTILE), hint=clean(HOSTILE))
    async with stage(size=(120, 40), reference="ghcr.io/acme/other") as play:
        await see_harmless(play, "× [/] [@click=app.quit]x[/]", "r tries again")


async def test_typed_and_filtered_text_is_text(stage: Open, world: World) -> None:
    """What a user types is not markup either."""
    async with stage(size=(120, 40)) as play:
        await play.press("/", *"[red]")
        await see_harmless(play, "No version matches [red]")
        await play.press("escape", ":", *"[/x] y", "enter")
        await see_harmless(play, "No such command: [/x]")


async def test_target_state_with_a_problem_is_no_trap(stage: Open, world: World) -> None:
    """A damaged target is one of the choices, not a crash."""
    broken = TargetState(Path("/srv/broken"), FRAUD.name, None, None, frozenset(), None, HOSTILE)
    world.targets = (broken,)
    async with stage() as play:
        await play.press("R")
        await play.see("· /srv/broken")
