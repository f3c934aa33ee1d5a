"""The deck in a real terminal: it comes up, stays quiet, and always leaves it as it was."""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rolldeck.actions.demo import fill_library
from rolldeck.store import Library
from tests.terminal.terminal import Terminal, deck_command, environment

ENTER_ALTERNATE = b"\x1b[?1049h"
LEAVE_ALTERNATE = b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"

Start = Callable[..., Terminal]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with the demo's versions."""
    path = tmp_path_factory.mktemp("library")
    fill_library(Library(path))
    return path


@pytest.fixture
def start(library: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a deck in a terminal; it is ended with the test."""
    terminals: list[Terminal] = []

    def begin(size: tuple[int, int] = (120, 40), **more: str) -> Terminal:
        terminal = Terminal(deck_command(library), environment(tmp_path, **more), size)
        terminals.append(terminal)
        terminal.wait_for("movie-recommend")
        terminal.wait_for("v2.0.0" if size[0] >= 100 else "help")
        return terminal

    yield begin
    for terminal in terminals:
        terminal.close()


def restored(terminal: Terminal) -> bool:
    """Whether the last thing done to the terminal was to restore it."""
    output = terminal.output
    return (
        output.rfind(LEAVE_ALTERNATE) > output.rfind(ENTER_ALTERNATE) >= 0
        and output.rfind(SHOW_CURSOR) > output.rfind(b"\x1b[?25l")
        and b"Traceback" not in output
    )


def test_quit_restores_the_terminal(start: Start) -> None:
    """``q`` leaves with 0 within a second or two."""
    terminal = start()
    terminal.send("q")
    assert terminal.wait(5) == 0
    assert restored(terminal)


def test_the_demo_rolls_back_and_ends_like_any_deck(tmp_path: Path) -> None:
    """On a terminal the demo is the deck: ``R``, ``y`` put v1.1.0 back; a signal restores."""
    directory = tmp_path / "demo"
    command = [sys.executable, "-m", "rolldeck", "demo", "--directory", str(directory)]
    terminal = Terminal(command, environment(tmp_path), (120, 40))
    try:
        terminal.wait_for("v2.0.0")
        terminal.wait_for("since v1.1.0")
        before = (directory / "serving" / "current").readlink()
        terminal.send("R")
        terminal.wait_for("Cancel")
        time.sleep(0.4)  # a dialog takes no key for 300 ms after it opened
        terminal.send("y")
        deadline = time.monotonic() + 20
        while (directory / "serving" / "current").readlink() == before:
            assert time.monotonic() < deadline
            terminal.read(0.1)
        terminal.signal(signal.SIGTERM)
        assert terminal.wait(5) == 143
        assert restored(terminal)
    finally:
        terminal.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signal_restores_the_terminal(start: Start, number: signal.Signals, code: int) -> None:
    """Ended from outside, it restores the terminal and says so in its exit code."""
    terminal = start()
    terminal.signal(number)
    assert terminal.wait(5) == code
    assert restored(terminal)


def test_quit_does_not_wait_for_a_stuck_thread(library: Path, tmp_path: Path) -> None:
    """A thread that hangs in the network cannot hold the terminal."""
    words = deck_command(library)
    stuck = (
        "import asyncio, time, rolldeck.actions as a\n"
        "async def stuck(workspace):\n"
        "    await asyncio.to_thread(time.sleep, 30)\n"
        "    yield\n"
        "a.watch_repositories = stuck\n"
    )
    terminal = Terminal([*words[:2], stuck + words[2]], environment(tmp_path))
    try:
        terminal.wait_for("Reading")
        terminal.read(0.5)
        terminal.send("q")
        started = time.monotonic()
        assert terminal.wait(6) == 0
        assert time.monotonic() - started < 3
        assert restored(terminal)
    finally:
        terminal.close()


def test_bug_restores_the_terminal_and_is_raised(library: Path, tmp_path: Path) -> None:
    """A bug ends the deck with the terminal restored; the caller writes the report."""
    words = deck_command(library)
    broken = (
        "import rolldeck.tui.screens.deck as d\n"
        "def action(self): raise KeyError('a bug')\n"
        "d.DeckScreen.action_sort_next = action\n"
    )
    terminal = Terminal([*words[:2], broken + words[2]], environment(tmp_path))
    try:
        terminal.wait_for("v2.0.0")
        terminal.send("s")
        assert terminal.wait(6) == 1
        assert terminal.output.rfind(LEAVE_ALTERNATE) > terminal.output.rfind(ENTER_ALTERNATE)
        # Later Pythons colour a traceback, so the two words need not stand together.
        assert b"KeyError" in terminal.output
        assert b"'a bug'" in terminal.output
    finally:
        terminal.close()


def test_idle_writes_nothing(start: Start) -> None:
    """Nothing blinks, ticks or spins."""
    terminal = start()
    terminal.read(1.5)
    assert terminal.read(2.0) == b""


def test_cursor_move_is_cheap(start: Start) -> None:
    """A move within a list repaints two rows and the details, not the screen."""
    terminal = start()
    terminal.send("2")
    terminal.read(1.5)
    terminal.send("?")
    terminal.wait_for("Help")
    terminal.read(1.0)
    terminal.send("j")
    assert len(terminal.read(0.7)) <= 800


def test_no_color_sends_no_colour(start: Start) -> None:
    """NO_COLOR is obeyed from the first byte on: bold and reverse only."""
    terminal = start(NO_COLOR="1")
    terminal.send("2j")
    terminal.read(1.0)
    colours = re.findall(rb"\x1b\[[0-9;]*(?:38|48);[25];[0-9;]*m", terminal.output)
    assert not colours
    terminal.send("q")
    assert terminal.wait(5) == 0


def test_small_terminal_is_useful(start: Start) -> None:
    """80x24 shows one pane with its keys."""
    terminal = start((80, 24))
    assert "? help" in terminal.text
    terminal.send("\r")
    terminal.wait_for("v1.0.0")


def test_a_storm_of_sizes(start: Start) -> None:
    """From one cell to a wall of text, a thousand times: it lives, and draws the last size."""
    terminal, chance = start(), random.Random(7)
    for number in range(1000):
        terminal.resize(chance.randint(1, 300), chance.randint(1, 200))
        if number % 10 == 0:
            terminal.read(0.01)
    terminal.resize(120, 40)
    terminal.send("?")
    terminal.wait_for("Help")
    terminal.send("?")
    terminal.read(0.3)
    terminal.send("q")
    assert terminal.wait(10) == 0
    assert restored(terminal)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_deck_in_tmux(library: Path, tmp_path: Path) -> None:
    """In tmux it comes up, copies into tmux's buffer, and leaves a usable shell."""
    socket = f"rolldeck-{tmp_path.name}-{time.monotonic_ns()}"
    env = environment(tmp_path, TERM="xterm-256color")

    def tmux(*words: str) -> str:
        command = ["tmux", "-L", socket, "-f", "/dev/null", *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=10)
        return done.stdout

    def wait_for(word: str) -> None:
        for _ in range(150):
            if word in tmux("capture-pane", "-p"):
                return
            time.sleep(0.1)
        raise AssertionError(f"{word!r} never came:\n{tmux('capture-pane', '-p')}")

    script = tmp_path / "deck.sh"
    words = deck_command(library)
    script.write_text(f'{words[0]} -c "$(cat {tmp_path}/deck.py)"; echo left with $?\n')
    (tmp_path / "deck.py").write_text(words[2])
    try:
        tmux("new-session", "-d", "-x", "120", "-y", "40", f"sh {script}; sleep 60")
        wait_for("v2.0.0")
        tmux("send-keys", "2")
        tmux("send-keys", "y")
        wait_for("also in tmux")
        assert tmux("show-buffer").startswith("movie-recommend:v2.0.0@sha256:")
        tmux("send-keys", "q")
        wait_for("left with 0")
    finally:
        tmux("kill-server")
