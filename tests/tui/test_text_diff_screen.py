"""The text of a file on screen, driven by keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.strip import Strip

import rolldeck.tui
from rolldeck.tui.models.file_texts import FilePair
from rolldeck.tui.screens.text_diff import TextDiffScreen
from rolldeck.tui.widgets.side_by_side import SideBySide
from tests.tui.conftest import grid, until

OLD = "".join(f"line {number}\n" for number in range(1, 201))
NEW = OLD.replace("line 10\n", "line ten\n").replace("line 150\n", "line 150\nadded\n")
PAIR = FilePair("src/train.py", OLD.encode(), NEW.encode())


class Host(App[None]):
    """An app with nothing but one file."""

    CSS_PATH = Path(rolldeck.tui.__file__).parent / "app.tcss"

    def __init__(self, pair: FilePair = PAIR, labels: tuple[str, str] = ("v1", "v2")) -> None:
        super().__init__()
        self.text = TextDiffScreen(pair, labels)

    def on_mount(self) -> None:
        """Show the file."""
        self.push_screen(self.text)

    @property
    def page(self) -> SideBySide:
        """The lines."""
        return self.text.query_one(SideBySide)


async def ready(pilot: Pilot[None], app: Host) -> None:
    """Wait until the lines were compared and are shown."""
    await until(lambda: app.text.compared and app.text.is_active, pilot)
    await pilot.pause()


async def see(pilot: Pilot[None], app: Host, *words: str) -> None:
    """Wait until all words are on one line of the screen."""
    await until(
        lambda: any(all(word in line for word in words) for line in grid(app).splitlines()), pilot
    )


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_page(
    size: tuple[int, int], same_as_snapshot: Callable[[str, str], None]
) -> None:
    """The whole screen, as people see it."""
    app = Host()
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await see(pilot, app, "change 1 of 2")
        same_as_snapshot(f"text-{size[0]}x{size[1]}", grid(app))


async def test_changes_are_gone_through() -> None:
    """``n`` goes to the next change, ``N`` back; the border says which one it is."""
    app = Host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await see(pilot, app, "change 1 of 2")
        await see(pilot, app, "▌", "line ten")
        await pilot.press("n")
        await see(pilot, app, "▌", "+ added")
        await pilot.press("n")
        assert app.page.change == 1
        await pilot.press("N")
        await see(pilot, app, "change 1 of 2")


async def test_the_context_grows_and_shrinks() -> None:
    """Equal lines between changes are folded, and can be seen."""
    app = Host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await see(pilot, app, "… 134 equal lines")
        await pilot.press("}")
        await see(pilot, app, "… 128 equal lines")
        await see(pilot, app, "6 lines of context")
        for _ in range(3):
            await pilot.press("{")
        assert app.page.context == 0
        for _ in range(9):
            await pilot.press("}")
        assert app.page.line_count == 1 + 201


async def test_next_change_follows_what_is_looked_at() -> None:
    """After scrolling away the next change is the one below what is seen."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        await ready(pilot, app)
        for _ in range(9):
            await pilot.press("}")
        await pilot.press("G", "N")
        assert app.page.change == 1
        await pilot.press("g", "n")
        assert app.page.change == 0


async def test_below_100_columns_there_is_one_column() -> None:
    """Both sides stand below each other, and a wider terminal puts them beside each other."""
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        assert not any("│" in line[5:-5] for line in grid(app).splitlines())
        await pilot.resize_terminal(120, 24)
        await until(lambda: any("│" in line[5:-5] for line in grid(app).splitlines()), pilot)


async def test_long_lines_move_to_the_side() -> None:
    """``l`` and ``h`` show what lies further right, and come back."""
    pair = FilePair("a", ("x" * 150 + "END\n").encode(), b"y\n")
    app = Host(pair)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        assert "END" not in grid(app)
        for _ in range(30):
            await pilot.press("l")
        await see(pilot, app, "END")
        for _ in range(30):
            await pilot.press("h")
        assert app.page.shift == 0


async def test_a_binary_file_is_described() -> None:
    """Sizes and digests say what differs."""
    app = Host(FilePair("model.bin", b"\0" * 2048, b"\0" * 1024))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        shown = grid(app)
        assert "not UTF-8 text" in shown
        assert "v1  2.0 KiB  sha256:e5a00aa9991a" in shown
        for key in ("n", "N", "{", "}", "l", "G"):
            await pilot.press(key)
        assert app.is_running


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (FilePair("a", None, b"one\ntwo\n"), "+2 -0"),
        (FilePair("a", b"one\n", None), "+0 -1"),
        (FilePair("a", b"one\n", b"one\n"), "both sides are equal"),
        (FilePair("a", b"one\r\n", b"one\n"), "line endings"),
    ],
)
async def test_what_there_is_to_say_is_at_the_bottom(pair: FilePair, words: str) -> None:
    """A file on one side, equal sides, and a difference without a line."""
    app = Host(pair)
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot, app)
        await see(pilot, app, words)


async def test_hostile_text_does_nothing() -> None:
    """Markup, links and control sequences are text."""
    bad = "[/][@click=app.quit]x[/]\x1b]52;c;aGk=\x07"
    app = Host(FilePair(bad, f"{bad}1\n".encode(), f"{bad}2\n".encode()), (bad, bad))
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot, app)
        shown = grid(app).replace("\n", "")
        assert "[@click=app.quit]x[/]" in shown
        assert all(ord(character) >= 32 for character in shown)
        await pilot.click(SideBySide, offset=(20, 2))
        assert app.is_running


async def test_back_leaves_the_text() -> None:
    """esc goes back."""
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("escape")
        assert not isinstance(app.screen, TextDiffScreen)


async def test_a_long_file_draws_only_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 lines cost as many drawn lines as the screen has, and no second."""
    old = "".join(f"value {number} = {number * 7}\n" for number in range(20_000))
    new = "".join(
        f"value {number} = {number * 7}{'0' if number % 20 == 0 else ''}\n"
        for number in range(20_000)
    )
    drawn: list[int] = []
    original = SideBySide.render_line

    def counted(self: SideBySide, y: int) -> Strip:
        drawn.append(y)
        return original(self, y)

    monkeypatch.setattr(SideBySide, "render_line", counted)
    app = Host(FilePair("long.txt", old.encode(), new.encode()))
    async with app.run_test(size=(120, 40)) as pilot:
        start = time.monotonic()
        await ready(pilot, app)
        assert time.monotonic() - start < 2
        await see(pilot, app, "+1000 -1000")
        drawn.clear()
        await pilot.press("G")
        await pilot.pause()
        assert max(drawn) < 40
        assert len(drawn) <= 160
