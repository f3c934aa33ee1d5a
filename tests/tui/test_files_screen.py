"""Looking into layers in the deck: lists, texts, weights, and what is said while reading."""

from __future__ import annotations

import asyncio

import pytest

from rolldeck.errors import RefusedError
from rolldeck.kit.listing import LayerFile, LayerListing
from rolldeck.tui.screens.files import FileScreen, FilesScreen
from rolldeck.tui.screens.inspect import InspectScreen
from tests.tui.conftest import Open, Stage
from tests.tui.world import World


async def open_layers(play: Stage) -> None:
    """Unfold the layers of the selected version and go to the first."""
    await play.until(lambda: bool(play.deck.browser.state.since))
    await play.press("2", "enter", "j", "enter", "j")


async def open_files(play: Stage) -> None:
    """List the files of the first layer."""
    await open_layers(play)
    await play.press("enter")
    await play.until(lambda: isinstance(play.deck.screen, FilesScreen))


async def test_enter_on_a_layer_lists_its_files(stage: Open, world: World) -> None:
    """In the details; the head of the section still folds."""
    async with stage() as play:
        await open_files(play)
        await play.see("model/weights.safetensors", "4 files", "not verified: read by range")
        assert ("files", "v2.4.1", "model.safetensors") in world.calls
        await play.press("escape", "k", "enter")
        await play.see("▶ Layers")
        assert play.deck.screen is play.deck.browser


async def test_space_on_a_layer_folds_its_section(stage: Open) -> None:
    """As on every other line of a section."""
    async with stage() as play:
        await open_layers(play)
        await play.press("space")
        await play.see("▶ Layers")


async def test_enter_on_a_file_shows_its_text(stage: Open, world: World) -> None:
    """With line numbers; what is long is folded, not hidden."""
    async with stage(size=(80, 24)) as play:
        await open_files(play)
        await play.see("config.json")
        await play.press("j", "j", "enter")
        await play.see('  2    "model_type": "fraud"')
        assert ("look", "model.safetensors", "model/config.json") in world.calls
        await play.press("escape")
        assert isinstance(play.deck.screen, FilesScreen)


async def test_weights_are_shown_as_tensors(stage: Open) -> None:
    """With what all of them hold."""
    async with stage() as play:
        await open_files(play)
        await play.see("weights")
        await play.press("j", "j", "j", "enter")
        await play.see("3 tensors, 131,072,003 parameters", "32000 × 4096", "BF16", "one number")


async def test_hostile_and_cut_text_is_said_to_be_so(stage: Open) -> None:
    """Escapes are shown, and that there is more."""
    async with stage() as play:
        await open_files(play)
        await play.see("run.sh")
        await play.press("G", "enter")
        await play.see("\\x1b[31mtwo", "the first 12 B", "not verified")


async def test_a_directory_does_not_open(stage: Open) -> None:
    """It says where its files are."""
    async with stage() as play:
        await open_files(play)
        await play.see("model/")
        await play.press("j", "enter")
        await play.see("its files stand below it")
        assert isinstance(play.deck.screen, FilesScreen)


async def test_links_of_an_image_are_told_and_not_followed(stage: Open, world: World) -> None:
    """What they name stands beside them, clean."""
    world.listing = LayerListing(
        (
            LayerFile("sh", False, 0o777, None, special="link", target="/bin/\x1b[2Jdash"),
            LayerFile(".wh.old", False, 0o644, None, special="whiteout"),
            LayerFile("app.py", False, 0o644, 7),
        )
    )
    async with stage() as play:
        await open_files(play)
        await play.see("1 file · 2 links or special files", "lrwxrwxrwx", "sh -> /bin/\\x1b[2Jdash")
        await play.press("G", "enter")
        await play.see("This is a symbolic link to /bin/\\x1b[2Jdash; links are", "not followed.")
        assert isinstance(play.deck.screen, FilesScreen)
        assert not any(call[0] == "look" for call in world.calls)


async def test_an_empty_file_is_not_blank(stage: Open) -> None:
    """Empty is said."""
    async with stage() as play:
        await open_files(play)
        await play.see("README.md")
        await play.press("enter")
        await play.see("The file is empty.")


async def test_how_much_was_read_is_shown_and_keys_work(stage: Open, world: World) -> None:
    """The loop is never blocked; closing the page ends the reading."""
    world.reading = asyncio.Event()
    async with stage() as play:
        await open_files(play)
        await play.see("reading … 128.0 KiB")
        screen = play.deck.screen
        assert isinstance(screen, FilesScreen)
        await play.press("escape")
        await play.until(lambda: play.deck.screen is play.deck.browser)
        await play.until(lambda: screen.progress.cancelled)


async def test_a_layer_that_is_refused_says_why(stage: Open, world: World) -> None:
    """And r tries again."""
    world.listing = RefusedError("Refused 'evil': it is a link", hint="Do not use this version.")
    async with stage() as play:
        await open_files(play)
        await play.see("× Refused 'evil'", "Do not use this version.", "r tries again")
        await play.press("r")
        await play.until(lambda: sum(call[0] == "files" for call in world.calls) == 2)


async def test_the_log_has_the_same_as_verbs(stage: Open) -> None:
    """ls --files and cat."""
    async with stage(size=(200, 40)) as play:
        await open_files(play)
        await play.see("config.json")
        await play.press("j", "j", "enter")
        await play.see("model_type")
        lines = [line for _, line in play.deck.done_lines]
        assert any(line.startswith("rolldeck ls ") and "--files" in line for line in lines)
        assert any("rolldeck cat" in line and "model/config.json" in line for line in lines)


async def test_inspect_opens_layers(stage: Open, world: World) -> None:
    """Its layers stand on lines of their own; other lines say so."""
    async with stage() as play:
        await play.until(lambda: bool(play.deck.browser.state.since))
        await play.press("i")
        await play.until(lambda: isinstance(play.deck.screen, InspectScreen))
        await play.press("enter")
        await play.see("enter opens a layer or a file")
        await play.press("j", "j", "j", "j", "j", "enter")
        await play.until(lambda: isinstance(play.deck.screen, FilesScreen))
        assert ("files", "v2.4.1", "src") in world.calls


@pytest.mark.parametrize("path", ["model/config.json"])
async def test_a_file_of_the_small_layers_opens(stage: Open, world: World, path: str) -> None:
    """Whichever layer it is in."""
    async with stage() as play:
        await play.until(lambda: bool(play.deck.browser.state.since))
        version = play.deck.browser.state.version(play.deck.browser.row.digest)
        play.deck.push_screen(FileScreen(version, path))
        await play.see("model_type")
        assert ("find", path) in world.calls
