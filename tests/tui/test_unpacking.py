"""Unpacking in the deck: what to tick, the command line for it, the plan for a directory in use."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rolldeck.actions import Workspace
from rolldeck.actions.demo import fill_library
from rolldeck.cli.arguments import verb_parser
from rolldeck.kit import Filter, parse_filter
from rolldeck.settings import Settings
from rolldeck.store import Library
from rolldeck.tui.app import Deck
from rolldeck.tui.dialogs.unpack import UnpackDialog
from rolldeck.tui.models.element_choice import (
    Element,
    choice_words,
    elements_of,
    filter_arguments,
    filters_for,
)
from tests.golden_kits import load_kit
from tests.tui.conftest import Stage
from tests.tui.world import World


def element(kind: str, path: str, name: str | None = None, size: int = 1000) -> Element:
    """Return an element of a type that is called like its kind."""
    return Element(Filter((kind,), (path,)), path, size, kind.removesuffix("s"), name, path)


LIST = [
    Element(Filter(("kitfile",)), "Kitfile", 0),
    Element(Filter(("model",), ("m",)), "m", 5000, "model", "base", "m"),
    Element(Filter(("model",), ("p",)), "p", 300, "modelpart", None, "p"),
    element("datasets", "train", "a"),
    element("datasets", "test", "b"),
    Element(Filter(("code",), ("src",)), "src", 10, "code", None, "src"),
]


@pytest.mark.parametrize(
    ("ticked", "filters"),
    [
        ({0, 1, 2, 3, 4, 5}, []),
        ({1, 2}, ["model"]),
        ({1}, ["model:m"]),
        ({0, 1, 2, 5}, ["kitfile,model,code"]),
        ({0, 3}, ["kitfile", "datasets:train"]),
        ({2, 4, 5}, ["code", "model:p", "datasets:test"]),
    ],
)
def test_filters_say_what_is_ticked(ticked: set[int], filters: list[str]) -> None:
    found = filters_for(LIST, ticked)
    assert found is not None
    assert [str(item) for item in found] == filters
    assert filter_arguments(found) == [word for text in filters for word in ("-f", text)]
    if filters:
        taken = {number for number, item in enumerate(LIST) if item.is_taken(found)}
        assert taken == ticked


@pytest.mark.parametrize("path", ["a,b", "s3:x"])
def test_what_no_filter_can_say(path: str) -> None:
    """A separator in a path; and a name that is another element's path."""
    elements = [element("datasets", path), element("datasets", "z")]
    assert filters_for(elements, {0}) is None
    assert filters_for(elements, {0, 1}) == ()
    namesakes = [element("datasets", "x"), element("datasets", "y", name="x"), LIST[5]]
    assert filters_for(namesakes, {0}) is None
    assert filters_for(namesakes, {0, 1}) == (parse_filter("datasets"),)


def test_elements_of_a_kit() -> None:
    kit = load_kit("era:v1.11-none")
    elements = elements_of(kit)
    assert elements[0].label == "Kitfile"
    assert sum(item.size for item in elements) == kit.whole_size
    for number, item in enumerate(elements):
        assert filters_for(elements, {number}) in [(item.own,), (Filter(item.own.types),)]
    assert choice_words(elements, {0}) == f"1 of {len(elements)} ticked, 0 B"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with the demo's versions."""
    path = tmp_path_factory.mktemp("library")
    fill_library(Library(path))
    return path


async def ask(deck: Deck, play: Stage, directory: Path) -> UnpackDialog:
    """Open the dialog for the first version."""
    await play.see("v2.0.0", "v1.0.0")
    await play.until(lambda: deck.browser is not None and deck.browser.row is not None)
    await play.press("2", "u")
    await play.see("enter unpacks")
    dialog = deck.screen
    assert isinstance(dialog, UnpackDialog)
    dialog.query_one("#path").value = str(directory)  # type: ignore[attr-defined]
    return dialog


async def test_only_what_is_ticked(library: Path, tmp_path: Path) -> None:
    """Space takes the Kitfile's tick away; what is written is what the command line shown says."""
    workspace = Workspace(Settings(library=library))
    deck = Deck(workspace)
    async with deck.run_test(size=(160, 40), notifications=True) as pilot:
        play = Stage(deck, pilot, World())
        dialog = await ask(deck, play, tmp_path / "out")
        await play.press("tab", "space")
        assert 0 not in dialog.ticked
        line = shlex.split(str(dialog.query_one("#unpack-line").render()))
        arguments = verb_parser().parse_args(line[1:])
        assert arguments.filters
        assert not any("kitfile" in text for text in arguments.filters)
        await play.press("y")
        await play.see("✓ unpack")
        await play.until(lambda: not deck.jobs.running)
    await workspace.close()
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert written
    assert not (tmp_path / "out" / "Kitfile").exists()


async def test_nothing_ticked_is_not_everything(library: Path, tmp_path: Path) -> None:
    """The dialog stays."""
    workspace = Workspace(Settings(library=library))
    deck = Deck(workspace)
    async with deck.run_test(size=(120, 40), notifications=True) as pilot:
        play = Stage(deck, pilot, World())
        dialog = await ask(deck, play, tmp_path / "out")
        await play.press("tab", *(["space", "down"] * len(dialog.ticked)))
        await play.see("Tick something")
        await play.press("y", "tab", "enter")
        assert deck.screen is dialog
        await play.press("escape")
    await workspace.close()
    assert not (tmp_path / "out").exists()


async def test_a_directory_in_use_gets_a_plan(library: Path, tmp_path: Path) -> None:
    """It names what would be replaced; only ``y`` replaces it, and what else is there stays."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "Kitfile").write_text("mine")
    (out / "notes.txt").write_text("mine")
    workspace = Workspace(Settings(library=library))
    deck = Deck(workspace)
    async with deck.run_test(size=(120, 40), notifications=True) as pilot:
        play = Stage(deck, pilot, World())
        for answer in ("escape", "y"):
            await ask(deck, play, out)
            await play.press("enter")
            await play.see("changed", "Kitfile", "there: 4 bytes", "replace 1 file")
            assert (out / "Kitfile").read_text() == "mine"
            await play.press(answer)
        await play.see("✓ unpack")
        await play.until(lambda: not deck.jobs.running)
        assert any("--overwrite --yes" in line for _, line in deck.done_lines)
        await ask(deck, play, out)
        await play.press("enter")
        await play.see("All of it is there already")
    await workspace.close()
    assert (out / "Kitfile").read_text() != "mine"
    assert (out / "notes.txt").read_text() == "mine"
