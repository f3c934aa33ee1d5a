"""Running the command line in this process, as a script would see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from rolldeck.cli import main


@dataclass(frozen=True)
class Ran:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The one JSON error on stderr."""
        error: dict[str, Any] = json.loads(self.err)["error"]
        return error


Run = Callable[..., Ran]


@pytest.fixture
def rolldeck(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``rolldeck WORDS`` and return its exit code, stdout and stderr."""

    def run(*words: object) -> Ran:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


def narrow(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Let tables be printed as on a terminal of ``width`` columns without colours."""
    monkeypatch.setattr(
        "rolldeck.cli.columns.console",
        lambda: Console(width=width, force_terminal=True, color_system=None),
    )
