"""Logging in on a terminal: the password is asked for and never shown."""

from __future__ import annotations

import json
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.registry import PASSWORD, USER, RunningRegistry
from tests.terminal.terminal import Terminal, environment


@pytest.fixture
def login_terminal(locked_registry: RunningRegistry, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in which somebody logs in."""
    command = [sys.executable, "-m", "rolldeck", "login", locked_registry.host]
    terminal = Terminal(command, environment(tmp_path))
    yield terminal
    terminal.close()


def echoes(terminal: Terminal) -> bool:
    flags = termios.tcgetattr(terminal._master)[3]
    return bool(flags & termios.ECHO)


def test_the_password_is_typed_unseen(
    login_terminal: Terminal, locked_registry: RunningRegistry, tmp_path: Path
) -> None:
    login_terminal.wait_for("User name")
    login_terminal.send(f"{USER}\n")
    login_terminal.wait_for("Password")
    assert not echoes(login_terminal)
    login_terminal.send(f"{PASSWORD}\n")
    assert login_terminal.wait() == 0
    assert "Logged in" in login_terminal.text
    assert PASSWORD.encode() not in login_terminal.output
    saved = json.loads((tmp_path / ".docker" / "config.json").read_text())
    assert list(saved["auths"]) == [locked_registry.host]


def test_ctrl_c_ends_the_question_and_gives_the_terminal_back(login_terminal: Terminal) -> None:
    login_terminal.wait_for("User name")
    login_terminal.send(f"{USER}\n")
    login_terminal.wait_for("Password")
    login_terminal.signal(signal.SIGINT)
    assert login_terminal.wait() == 130
    assert echoes(login_terminal)
    assert b"Traceback" not in login_terminal.output
