"""An app with nothing but a comparison, and the words that its tests use."""

from __future__ import annotations

from pathlib import Path

from textual.app import App
from textual.pilot import Pilot

import rolldeck.tui
from rolldeck.actions import Workspace
from rolldeck.compare import Comparison, Version, compare
from rolldeck.tui.screens.compare import CompareScreen
from rolldeck.tui.widgets.comparison_view import ComparisonView
from tests.golden_kits import load_version
from tests.tui.conftest import at_rest, grid, until

A, B = "wdbc:v1.2.0", "wdbc:v2.0.0"
HOSTILE = "[/][@click=app.quit]x[/]\x1b]52;c;aGk=\x07"


class Host(App[None]):
    """An app with nothing but the comparison."""

    CSS_PATH = Path(rolldeck.tui.__file__).parent / "app.tcss"

    def __init__(self, a: Version, b: Version, comparison: Comparison | None = None) -> None:
        super().__init__()
        self._screen = CompareScreen(comparison or compare(a, b), a, b)
        self.copied: list[str] = []
        self.workspace: Workspace | None = None

    def on_mount(self) -> None:
        """Show the comparison."""
        self.animation_level = "none"
        self.push_screen(self._screen)

    def copy(self, text: str) -> None:
        """Note what was copied."""
        self.copied.append(text)

    @property
    def page(self) -> ComparisonView:
        """The comparison."""
        return self._screen.query_one(ComparisonView)


def host(a: str = A, b: str = B) -> Host:
    """Return an app that compares two golden versions."""
    return Host(load_version(a), load_version(b))


async def ready(pilot: Pilot[None], app: Host) -> None:
    """Wait until the page is laid out and files were compared."""
    await until(lambda: bool(app.page.changes) and app.page.line_count > 0, pilot)


async def press(pilot: Pilot[None], app: Host, *keys: str) -> None:
    """Press keys, and wait until the cursor is painted."""
    for key in keys:
        await pilot.press(key)
    await until(lambda: at_rest(app), pilot)


async def see(pilot: Pilot[None], app: Host, *words: str) -> None:
    """Wait until all words are on screen."""
    await until(lambda: all(word in grid(app) for word in words), pilot)


async def gone(pilot: Pilot[None], app: Host, word: str) -> None:
    """Wait until a word is no longer on screen."""
    await until(lambda: word not in grid(app), pilot)
