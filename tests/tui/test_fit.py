"""Whether a version fits this host, in the deck."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.fit import Host
from rolldeck.tui.screens.fit import FitScreen
from tests.fit.readings import a_host
from tests.tui.conftest import Open

LINE = "fits here: no: torch 2.7.1+cu126 wants driver ≥ 525.60.13, here 470.82.01"


async def test_the_details_say_whether_a_version_fits(stage: Open) -> None:
    """One line with the first reason."""
    async with stage() as play:
        await play.see(LINE)


async def test_the_host_is_read_once_and_a_version_judged_once(
    stage: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Walking back asks nothing; a refresh reads the host again."""
    reads: list[Path | None] = []
    answer = a_host("t4-driver470")

    async def here(python: Path | None = None) -> Host:
        reads.append(python)
        return answer

    monkeypatch.setattr("rolldeck.actions.host_here", here)
    async with stage() as play:
        await play.see(LINE)
        await play.press("j")
        browser = play.deck.browser
        await play.until(lambda: len(browser.state.fits) == 2)
        first = dict(browser.state.fits)
        await play.press("k")
        await play.see(LINE)
        assert len(reads) == 1
        assert all(browser.state.fits[key] is fit for key, fit in first.items())
        answer = a_host("no-gpu")
        await play.press("r")
        await play.see("fits here: yes, but torch 2.7.1+cu126 finds no GPU here")
        assert len(reads) == 2


async def test_a_host_that_cannot_be_read_leaves_the_details(
    stage: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is missing after a refresh, and everything else is there."""

    async def here(python: Path | None = None) -> Host:
        raise OSError("broken")

    async with stage() as play:
        await play.see(LINE)
        monkeypatch.setattr("rolldeck.actions.host_here", here)
        await play.press("r")
        await play.gone("fits here")
        await play.settle()
        assert "fits here" not in play.grid
        assert "Metrics" in play.grid


async def test_env_opens_the_findings(stage: Open) -> None:
    """With what the version was held against, and the verb in the log."""
    async with stage() as play:
        await play.see(LINE)
        await play.press(":", *"env", "enter")
        await play.until(lambda: isinstance(play.deck.screen, FitScreen))
        await play.see(
            "/srv/venv/bin/python: Python 3.11.7", "Tesla T4 14.8 GiB", "It does not fit"
        )
        await play.see("blocked unless cuda-compat is here")
        assert any("rolldeck env check" in line for _, line in play.deck.done_lines)
        await play.press("escape")
        await play.see(LINE)


async def test_env_without_a_version(stage: Open) -> None:
    """It says why not."""
    async with stage(reference="ghcr.io/acme/ranker") as play:
        await play.press(":", *"env", "enter")
        await play.see("Not now: no version is selected")
