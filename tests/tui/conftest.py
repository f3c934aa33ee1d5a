"""Fixtures of the deck's tests: no waiting for idle, and screens compared as plain text."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot

from rolldeck.fit import Host
from rolldeck.tui.app import Deck
from rolldeck.tui.widgets.cursor_view import CursorView
from tests.fit.readings import a_host
from tests.tui.world import NOW, World, a_world

SNAPSHOTS = Path(__file__).parent / "snapshots"


async def a_recorded_host(python: Path | None = None) -> Host:
    """Return a host with a GPU and an old driver, the same on every machine that runs tests."""
    return a_host("t4-driver470")


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pilot not wait for an idle processor, which is slow and flaky."""

    async def at_once(*_: object) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("textual.pilot.wait_for_idle", at_once)
    monkeypatch.setattr("textual.app.wait_for_idle", at_once)
    monkeypatch.setattr("rolldeck.tui.dialogs.dialog.Dialog.deaf_time", 0.0)
    monkeypatch.setattr("rolldeck.actions.host_here", a_recorded_host)
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("TEXTUAL_THEME", raising=False)
    monkeypatch.setenv("TZ", "UTC")


def grid(app: App[Any]) -> str:
    """Return what is on the screen as text, one line per row."""
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(part.text for part in strip).rstrip() for strip in strips) + "\n"


async def until(condition: Callable[[], bool], pilot: Pilot[Any]) -> None:
    """Wait until something holds; fails after two seconds and shows the screen."""
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.01)
        await pilot.pause(0)
    pytest.fail(f"never happened; the screen shows\n{grid(pilot.app)}")


def at_rest(app: App[Any]) -> bool:
    """Whether every cursor is painted where it is."""
    return all(view.at_rest for view in app.screen.query(CursorView))


def is_judged(deck: Deck) -> bool:
    """Whether the selected version, where there is one that can be read, was judged."""
    assert deck.browser is not None
    row, state = deck.browser.row, deck.browser.state
    return row is None or state.version(row.digest) is None or row.digest in state.fits


class Stage:
    """A running deck in a made-up world, with the words tests use."""

    def __init__(self, deck: Deck, pilot: Pilot[None], world: World) -> None:
        self.deck = deck
        self.pilot = pilot
        self.world = world

    async def press(self, *keys: str) -> None:
        """Press keys and wait until the cursor is painted."""
        for key in keys:
            await self.pilot.press(key)
            await asyncio.sleep(0.01)
            await self.pilot.pause(0)
        await until(lambda: at_rest(self.deck), self.pilot)

    async def see(self, *words: str) -> None:
        """Wait until all words are on the screen."""
        await until(lambda: all(word in grid(self.deck) for word in words), self.pilot)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds."""
        await until(condition, self.pilot)

    async def settle(self) -> None:
        """Wait until nothing on the screen changes any more."""
        before, same = "", 0
        for _ in range(100):
            await asyncio.sleep(0.02)
            await self.pilot.pause(0)
            same = same + 1 if self.grid == before else 0
            before = self.grid
            if same == 10:
                return
        pytest.fail(f"never settled; the screen shows\n{self.grid}")

    async def gone(self, word: str) -> None:
        """Wait until a word is no longer on the screen."""
        await until(lambda: word not in grid(self.deck), self.pilot)

    @property
    def grid(self) -> str:
        """What is on the screen."""
        return grid(self.deck)


Open = Callable[..., Any]


@pytest.fixture
def world() -> World:
    """The world of the test."""
    return a_world()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World) -> Open:
    """Open the deck: ``async with stage(size=(80, 24)) as play``."""
    world.install(monkeypatch)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    @asynccontextmanager
    async def open_deck(
        size: tuple[int, int] = (120, 40),
        reference: str | None = "ghcr.io/acme/fraud",
        read_only: bool = False,
    ) -> AsyncIterator[Stage]:
        workspace = world.workspace(tmp_path)
        deck = Deck(workspace, reference, read_only=read_only, now=lambda: NOW)
        async with deck.run_test(size=size, notifications=True) as pilot:
            play = Stage(deck, pilot, world)
            await play.until(lambda: deck.browser is not None)
            if reference and reference in [item.name for item in world.rows]:
                await play.until(lambda: "reading" not in play.grid.casefold())
                await play.until(lambda: is_judged(deck))
            yield play

    return open_deck


@pytest.fixture
def same_as_snapshot() -> Callable[[str, str], Awaitable[None] | None]:
    """Compare a text with the one stored; ROLLDECK_UPDATE_SNAPSHOTS=1 stores it instead."""

    def check(name: str, text: str) -> None:
        path = SNAPSHOTS / f"{name}.txt"
        if os.environ.get("ROLLDECK_UPDATE_SNAPSHOTS"):
            path.write_text(text, encoding="utf-8")
            return
        assert path.exists(), f"no {path.name}; ROLLDECK_UPDATE_SNAPSHOTS=1 writes it:\n{text}"
        assert text == path.read_text(encoding="utf-8")

    return check
