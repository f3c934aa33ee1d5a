"""Running the deck in a terminal, and leaving it in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING

from rolldeck.tui.app import Deck

if TYPE_CHECKING:
    from datetime import datetime

    from rolldeck.actions import Workspace

_GRACE = 1.0
"""Seconds after the terminal is restored in which threads may end by themselves."""


def run_deck(
    workspace: Workspace,
    open_reference: str | None,
    read_only: bool = False,
    mouse: bool = True,
    triage: tuple[str, datetime | None] | None = None,
) -> int:
    """Run the deck until it is quit; returns the exit code and closes the workspace.

    ``triage`` names what it opens at, and when the incident began.

    A bug that ended the deck is raised, after the terminal was restored.
    """
    deck = Deck(workspace, open_reference, read_only=read_only, triage=triage)
    watchdog: list[threading.Timer] = []
    try:
        asyncio.run(_run(deck, workspace, mouse, watchdog))
    finally:
        for timer in watchdog:
            timer.cancel()
    if deck.crash is not None:
        raise deck.crash
    return deck.return_code or 0


async def _run(
    deck: Deck, workspace: Workspace, mouse: bool, watchdog: list[threading.Timer]
) -> None:
    try:
        await deck.run_async(mouse=mouse)
    finally:
        if deck.crash is None:
            watchdog.append(_end_in_time(deck.return_code or 0))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(workspace.close(), _GRACE / 2)


def _end_in_time(code: int) -> threading.Timer:
    """End the process soon even if a thread hangs in the network, which nothing can interrupt.

    The terminal is restored by now, and files that are half written have no name yet.
    """

    def end() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    timer = threading.Timer(_GRACE, end)
    timer.daemon = True
    timer.start()
    return timer
