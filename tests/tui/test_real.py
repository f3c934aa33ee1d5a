"""The deck over a real library: pin, look, roll back and undo, on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from rolldeck.actions import Workspace, pull
from rolldeck.actions.demo import fill_library
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from rolldeck.store import Library
from rolldeck.tui.app import Deck
from tests.tui.conftest import Stage
from tests.tui.world import World


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with the demo's versions."""
    path = tmp_path_factory.mktemp("library")
    fill_library(Library(path))
    return path


async def begin(deck: Deck, pilot: Pilot[None]) -> Stage:
    """Wait until the versions are listed."""
    play = Stage(deck, pilot, World())
    await play.see("v2.0.0", "v1.0.0")
    await play.press("2")
    return play


def live(target: Path) -> str:
    """Return the release that is current."""
    return (target / "current").readlink().name


async def test_pin_roll_back_and_undo(library: Path, tmp_path: Path) -> None:
    """An on-call evening: two pins, one rollback, and back again."""
    target = tmp_path / "serving"
    workspace = Workspace(Settings(library=library))
    deck = Deck(workspace)
    async with deck.run_test(size=(120, 40), notifications=True) as pilot:
        play = await begin(deck, pilot)
        for key, label in (("j", "v1.1.0"), ("k", "v2.0.0")):
            await play.press(key, "L")
            await play.see("To the local target")
            deck.screen.query_one("#path").value = str(target)  # type: ignore[attr-defined]
            await play.press("enter")
            await play.see("Pin ", "Cancel")
            await play.press("y")
            await play.see(f"pin {label} in")
            await play.until(lambda: not deck.jobs.running)
        new = live(target)
        assert new.startswith(deck.browser.row.digest.partition(":")[2][:12])  # type: ignore[union-attr]
        await play.until(lambda: bool(deck.browser and deck.browser.state.targets_here()))
        await play.press("R")
        await play.see("v2.0.0 → v1.1.0", "✓ unpacked here: 0 B to move")
        await play.press("y")
        await play.until(lambda: live(target) != new)
        await play.until(lambda: not deck.jobs.running)
        await asyncio.sleep(0.1)
        await play.press("U")
        await play.see("Undo v1.1.0 → v2.0.0")
        await play.press("y")
        await play.until(lambda: live(target) == new)
        await play.until(lambda: not deck.jobs.running)
    await workspace.close()


async def test_unpack_writes_files(library: Path, tmp_path: Path) -> None:
    """``u`` asks for a directory and fills it."""
    workspace = Workspace(Settings(library=library))
    deck = Deck(workspace)
    async with deck.run_test(size=(80, 24), notifications=True) as pilot:
        play = Stage(deck, pilot, World())
        await play.see("movie-recommend")
        await play.until(lambda: deck.browser is not None and deck.browser.row is not None)
        await play.press("enter", "u")
        await play.see("where it has files")
        deck.screen.query_one("#path").value = str(tmp_path / "out")  # type: ignore[attr-defined]
        await play.press("enter")
        await play.see("✓ unpack")
        assert (tmp_path / "out" / "Kitfile").exists()
    await workspace.close()


async def test_files_of_a_container_image(tmp_path: Path, golden: Path) -> None:
    """From the list of versions down to what is in a layer."""
    workspace = Workspace(Settings(library=tmp_path / "library"))
    image = Reference.parse(f"oci:{golden}/layouts/other:image-amd64")
    await pull(workspace, image, Progress())
    deck = Deck(workspace)
    async with deck.run_test(size=(120, 40), notifications=True) as pilot:
        play = Stage(deck, pilot, World())
        await play.see("container image", "fits here: unknown")
        await play.press("2", "enter")
        await play.see("▌▶ Metrics")
        await play.press("j")
        await play.see("▌▶ Layers")
        await play.press("enter", "j")
        await play.see("tar gzip")
        await play.press("enter")
        await play.see("1 file", "hello.txt")
        await play.press("enter")
        await play.see("1  hi")
    await workspace.close()
