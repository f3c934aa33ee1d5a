"""Screens as text at three sizes; a changed screen is a changed file to review."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from rolldeck.actions import Check, RepositoryList
from rolldeck.errors import UnavailableError
from rolldeck.tui.widgets.virtual_table import VirtualTable
from tests.tui.conftest import SNAPSHOTS, Open, Stage
from tests.tui.world import EMPTY, World

SIZES = ((80, 24), (120, 40), (200, 60))

Scene = Callable[[Stage], Awaitable[None]]


async def versions(play: Stage) -> None:
    """The versions, as they come."""


async def marked(play: Stage) -> None:
    """One version is marked, and the cursor went on."""
    await play.press("j", "j", "space")


async def details(play: Stage) -> None:
    """The metrics of a version are unfolded."""
    await play.press("enter", "enter")
    await play.see("▼ Metrics")


async def repositories(play: Stage) -> None:
    """The repositories."""
    await play.press("1")
    await play.see("acme/churn")


async def filtered(play: Stage) -> None:
    """A filter leaves two versions."""
    await play.press("/", *"v2.4")
    await play.see("2 of 8")


async def nothing_matches(play: Stage) -> None:
    """A filter leaves nothing."""
    await play.press("/", *"nope")
    await play.see("No version matches")


async def sorted_by_metric(play: Stage) -> None:
    """The best version is first."""
    assert play.deck.browser is not None
    play.deck.browser.query_one(VirtualTable).set_order("metric", False)
    await play.see("highest f1 first")


async def help_page(play: Stage) -> None:
    """Help."""
    await play.press("?")
    await play.see("Help")


async def inspect(play: Stage) -> None:
    """The documents of a version."""
    await play.press("i")
    await play.see("manifestVersion")


async def layers(play: Stage) -> None:
    """The layers of a version are unfolded, the cursor is on one."""
    await play.press("2", "enter", "j", "enter", "j")
    await play.see("▼ Layers", "enter files")


async def files(play: Stage) -> None:
    """The files of a layer."""
    await layers(play)
    await play.press("enter")
    await play.see("weights.safetensors", "not verified")


async def file_text(play: Stage) -> None:
    """The text of a file."""
    await files(play)
    await play.press("j", "j", "enter")
    await play.see("model_type")


async def file_weights(play: Stage) -> None:
    """The tensors of a weights file."""
    await files(play)
    await play.press("j", "j", "j", "enter")
    await play.see("131,072,003 parameters")


async def rollback(play: Stage) -> None:
    """The plan of a rollback."""
    await play.press("R")
    await play.see("Roll back v2.4.1 → v2.4.0")


async def pulled(play: Stage) -> None:
    """A pull has ended."""
    await play.press("p")
    await play.see("✓ pull")


async def jobs(play: Stage) -> None:
    """The list of jobs."""
    await pulled(play)
    await play.press("5")
    await play.see("rolldeck pull")


async def log(play: Stage) -> None:
    """The log of command lines."""
    await pulled(play)
    await play.press("@")
    await play.see("rolldeck pull")


async def command_line(play: Stage) -> None:
    """A command is typed."""
    await play.press(":", "p")
    await play.see("pull REFERENCE")


async def pin(play: Stage) -> None:
    """The directory to pin to is asked for."""
    await play.press("L")
    await play.see("releases/ and a current link")


async def remove(play: Stage) -> None:
    """What removing a version, or one of its tags, would take away."""
    await play.press("D")
    await play.see("Remove v2.4.1", "Type a tag")


async def moved_tag(play: Stage) -> None:
    """A push would move a tag."""
    await play.press(":", *"push v2.4.1 ghcr.io/acme/other:live", "enter")
    await play.see("moves here")


SCENES: tuple[Scene, ...] = (
    versions, marked, details, repositories, filtered, nothing_matches, sorted_by_metric, help_page,
    inspect, layers, files, file_text, file_weights, rollback, pulled, jobs, log, command_line, pin,
    inspect, rollback, pulled, jobs, log, command_line, pin, remove, moved_tag,
)  # fmt: skip

NAMES = {f"deck-{scene.__name__}-{size[0]}x{size[1]}" for scene in SCENES for size in SIZES} | {
    f"deck-{name}-{width}x{height}"
    for name in ("empty", "failed", "failed_check", "pack", "problem")
    for width, height in SIZES
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_scene(
    scene: Scene, size: tuple[int, int], stage: Open, same_as_snapshot: Callable[[str, str], None]
) -> None:
    """Each scene looks as it was reviewed."""
    async with stage(size=size) as play:
        await play.until(lambda: bool(play.deck.browser.state.since))
        await scene(play)
        await play.settle()
        same_as_snapshot(f"deck-{scene.__name__}-{size[0]}x{size[1]}", play.grid)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_empty_library_says_what_to_do(
    size: tuple[int, int], stage: Open, world: World, same_as_snapshot: Callable[[str, str], None]
) -> None:
    """Where there is nothing, it says how to begin."""
    world.repositories = EMPTY
    async with stage(size=size, reference=None) as play:
        await play.see("rolldeck demo")
        await play.settle()
        same_as_snapshot(f"deck-empty-{size[0]}x{size[1]}", play.grid)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_unreachable_registry_says_what_to_do(
    size: tuple[int, int], stage: Open, world: World, same_as_snapshot: Callable[[str, str], None]
) -> None:
    """An error is a line where the rows would be, with what to do next."""
    world.failure = UnavailableError("ghcr.io does not answer", hint="Check the network.")
    async with stage(size=size, reference="ghcr.io/acme/other") as play:
        await play.see("ghcr.io does not answer", "r tries again")
        await play.settle()
        same_as_snapshot(f"deck-failed-{size[0]}x{size[1]}", play.grid)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_plan_with_a_failed_check_cannot_be_done(
    size: tuple[int, int], stage: Open, world: World, same_as_snapshot: Callable[[str, str], None]
) -> None:
    """A failed check is shown, and ``y`` does nothing."""
    world.checks = (Check("disk space", False, "4.1 GiB of 1.0 GiB free"),)
    async with stage(size=size) as play:
        await play.until(lambda: bool(play.deck.browser.state.since))
        await play.press("R")
        await play.see("× disk space", "A check failed")
        await play.settle()
        same_as_snapshot(f"deck-failed_check-{size[0]}x{size[1]}", play.grid)
        await play.press("y")
        assert ("apply", "rollback", "/srv/fraud") not in world.calls


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_source_that_cannot_be_listed_says_so(
    size: tuple[int, int], stage: Open, world: World, same_as_snapshot: Callable[[str, str], None]
) -> None:
    """A registry that cannot be listed is a problem under its head; the others are shown."""
    listing: RepositoryList = world.repositories
    world.repositories = replace(
        listing,
        problems=(("registry.example.org", "Login was refused. Run docker login."),),
        complete=False,
    )
    async with stage(size=size, reference=None) as play:
        await play.see("Login was")
        await play.settle()
        same_as_snapshot(f"deck-problem-{size[0]}x{size[1]}", play.grid)


@pytest.mark.skipif(
    "ROLLDECK_UPDATE_SNAPSHOTS" in os.environ, reason="the snapshots are being written"
)
def test_no_snapshot_is_stale() -> None:
    """A stored screen that no test compares is removed."""
    stored = {path.stem for path in SNAPSHOTS.glob("deck-*.txt")}
    assert stored == NAMES
