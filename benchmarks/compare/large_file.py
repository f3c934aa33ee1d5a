"""How long a large file takes from the key to its lines, and how long the loop stands still."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from textual.app import App

import rolldeck.tui
from rolldeck.tui.models.file_texts import FilePair
from rolldeck.tui.screens.text_diff import TextDiffScreen
from rolldeck.tui.widgets.side_by_side import SideBySide

LINES = 20_000


def pair(kind: str) -> FilePair:
    """Return a file on both sides that differs in one of three ways."""
    old = [f"    value_{n} = compute({n}, {n * 7 % 13})" for n in range(LINES)]
    new = list(old)
    if kind == "every line changed":
        new = [line.replace("compute", "calculate") for line in old]
    elif kind == "lines in another order":
        random.Random(20261121).shuffle(new)
    else:
        for number in range(0, LINES, LINES // 100):
            new[number] = new[number].replace("compute", "calculate")
    return FilePair("src/train.py", *("\n".join(side).encode() for side in (old, new)))


class _Host(App[None]):
    CSS_PATH = Path(rolldeck.tui.__file__).parent / "app.tcss"


async def open_large_file(kind: str) -> tuple[float, float, float]:
    """Return seconds until the lines are shown (wall, CPU), and of the loop's longest stall."""
    screen = TextDiffScreen(pair(kind), ("v1", "v2"))
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            longest = max(longest, time.perf_counter() - before - 0.002)

    async with _Host().run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        watching = asyncio.create_task(watch())
        started, worked = time.perf_counter(), time.process_time()
        pilot.app.push_screen(screen)
        # Looked at, not waited for: what is measured is when the loop comes to show it.
        while not (screen.compared and screen.query_one(SideBySide).changes):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        seconds, work = time.perf_counter() - started, time.process_time() - worked
        watching.cancel()
    return seconds, work, longest
