"""Start-up: the deck against a minimal Textual app, ``show`` against the bare interpreter.

All run interleaved in one go on the demo library. First paint is the time from spawning the
process until the footer stands on a pseudo-terminal; the time until the versions stand there is
told beside it.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

from rolldeck.actions.demo import fill_library
from rolldeck.store import Library

ROUNDS = 11
FIRST_PAINT_LIMIT = 1.4
SHOW_LIMIT_MS = 200

_MINIMAL = """
from textual.app import App, ComposeResult
from textual.widgets import Footer, Static

class Minimal(App):
    BINDINGS = [("q", "quit", "Quit")]
    def compose(self) -> ComposeResult:
        yield Static("minimal")
        yield Footer()

Minimal().run()
"""


def clean_environment(home: Path) -> dict[str, str]:
    """The caller's environment with a home of its own and byte code allowed."""
    environment = {**os.environ, "HOME": str(home), "TERM": "xterm-256color"}
    for name in ("PYTHONDONTWRITEBYTECODE", "NO_COLOR"):
        environment.pop(name, None)
    for name in ("DATA", "CONFIG", "STATE", "CACHE"):
        environment[f"XDG_{name}_HOME"] = str(home / name.lower())
    return environment


def first_paint(command: list[str], needle: bytes, environment: dict[str, str]) -> float:
    """Return seconds from spawning ``command`` on a terminal until it wrote ``needle``."""
    started = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, environment)
    ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    try:
        while needle not in seen:
            ready, _, _ = select.select([terminal], [], [], 30)
            if not ready:
                raise TimeoutError(f"{command} painted nothing")
            seen += os.read(terminal, 65536)
        return time.perf_counter() - started
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)


def run_time(command: list[str], environment: dict[str, str]) -> float:
    """Return the wall time of a command in seconds."""
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> int:
    """Measure and print; exit code 1 where a goal is missed."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        environment = clean_environment(home)
        library = home / "library"
        fill_library(Library(library))
        minimal = home / "minimal.py"
        minimal.write_text(_MINIMAL)
        rolldeck = str(Path(sys.executable).with_name("rolldeck"))
        deck = [rolldeck, "--library", str(library), "movie-recommend"]
        show = [rolldeck, "show", "movie-recommend:v2.0.0", "--library", str(library)]
        bare = [sys.executable, "-c", "pass"]
        rows: dict[str, list[float]] = {
            "minimal": [],
            "deck": [],
            "rows": [],
            "bare": [],
            "show": [],
        }
        for number in range(ROUNDS + 1):
            measured = {
                "minimal": first_paint([sys.executable, str(minimal)], b"palette", environment),
                "deck": first_paint(deck, b"help", environment),
                "rows": first_paint(deck, b"v1.0.0", environment),
                "bare": run_time(bare, environment),
                "show": run_time(show, environment),
            }
            if number:  # the first round compiles byte code
                for key, value in measured.items():
                    rows[key].append(value)
    median = {key: statistics.median(values) * 1000 for key, values in rows.items()}
    paint = median["deck"] / median["minimal"]
    extra = median["show"] - median["bare"]
    print(f"medians of {ROUNDS} interleaved rounds, milliseconds")
    print(f"{'minimal Textual app, first paint':42}{median['minimal']:8.0f}")
    print(f"{'rolldeck on the demo library, first paint':42}{median['deck']:8.0f}")
    print(f"{'  until its versions stand there':42}{median['rows']:8.0f}")
    print(f"{'  ratio of first paints':42}{paint:8.2f}   goal: at most {FIRST_PAINT_LIMIT}")
    print(f"{'python -c pass':42}{median['bare']:8.0f}")
    print(f"{'rolldeck show movie-recommend:v2.0.0':42}{median['show']:8.0f}")
    print(f"{'  more':42}{extra:8.0f}   goal: at most {SHOW_LIMIT_MS}")
    return 0 if paint <= FIRST_PAINT_LIMIT and extra <= SHOW_LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
