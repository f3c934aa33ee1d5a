"""A real terminal for tests: the deck in a pty, its output in an emulator."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte


class Terminal:
    """Runs a command in a pty of a given size and keeps what it wrote."""

    def __init__(
        self, command: list[str], env: dict[str, str], size: tuple[int, int] = (120, 40)
    ) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.output = b""
        self._master, slave = pty.openpty()
        _set_size(slave, size)
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            start_new_session=True,
            close_fds=True,
        )
        os.close(slave)

    def read(self, seconds: float) -> bytes:
        """Take what is written within some seconds."""
        found = b""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            waiting = select.poll()
            waiting.register(self._master, select.POLLIN)
            if not waiting.poll(left * 1000):
                break
            try:
                data = os.read(self._master, 65536)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                break
            if not data:
                break
            found += data
            self.output += data
            # Emulators differ in private modes that pyte does not know; it may not stumble.
            with contextlib.suppress(Exception):
                self._stream.feed(data)
        return found

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, word: str, seconds: float = 20) -> None:
        """Read until a word is on the screen."""
        end = time.monotonic() + seconds
        while word not in self.text:
            if time.monotonic() > end:
                raise AssertionError(f"{word!r} never came; the screen shows\n{self.text}")
            self.read(0.1)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Change the size as a user does who drags the window."""
        self.screen.resize(lines, columns)
        _set_size(self._master, (columns, lines))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    def wait(self, seconds: float = 10) -> int:
        """Wait for the end; returns the exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        self.read(0.2)
        return self.process.wait(timeout=1)

    def close(self) -> None:
        """End the process if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)


def _set_size(fd: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def deck_command(library: Path, *arguments: str) -> list[str]:
    """Return a command line that runs the deck over a library."""
    script = (
        "import sys; from pathlib import Path; from rolldeck.actions import Workspace; "
        "from rolldeck.settings import Settings; from rolldeck.tui import run_deck; "
        f"sys.exit(run_deck(Workspace(Settings(library=Path({str(library)!r}))), None))"
    )
    return [sys.executable, "-c", script, *arguments]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment that holds nothing of the developer's own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        **kept,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        **more,
    }
