"""Opening the deck from the command line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("reference", "said"),
    [("/acme/fraud", "Not a repository name"), ("localhost:5000", "localhost:5000/")],
)
def test_what_cannot_be_a_reference_is_told_in_the_shell(
    rolldeck: Run, monkeypatch: pytest.MonkeyPatch, reference: str, said: str
) -> None:
    """In the deck it would be gone after some seconds; no deck is opened."""
    opened: list[object] = []
    monkeypatch.setattr("rolldeck.cli.terminal.has_terminal", lambda: True)
    monkeypatch.setattr("rolldeck.tui.run_deck", lambda *words, **_: opened.append(words) or 0)
    ran = rolldeck(reference)
    assert (ran.code, opened) == (2, [])
    assert said in ran.err
