"""Draw screenshots/ from the real deck on the demo library: SVG by Textual, PNG by Chromium.

cairosvg stands in where there is no Chromium; it draws bold runs a little too narrow.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rolldeck.actions import Demo, Workspace
from rolldeck.actions.demo import prepare_demo, stage_demo
from rolldeck.settings import Settings

OUT = Path(__file__).resolve().parents[1] / "screenshots"
WIDTH = 1400
"""Width of the PNG files in pixels."""
NOW = datetime(2026, 11, 21, 15, 4, 12, tzinfo=UTC)
"""The deck's clock: ages in the pictures do not depend on when they are drawn."""


@dataclass(frozen=True)
class Shot:
    """One picture: the keys that lead to it, and the terminal's size and environment."""

    name: str
    keys: tuple[str, ...]
    size: tuple[int, int] = (120, 40)
    environment: tuple[tuple[str, str], ...] = ()
    triage: bool = False
    """Whether it begins at triage of the demo's channel."""


SHOTS = (
    Shot("deck", ()),
    Shot("compare", ("d",)),
    Shot("text-diff", ("d", "f", "down", "down", "down", "enter")),
    Shot("rollback", ("R",)),
    Shot("help", ("?",)),
    Shot("triage", (), triage=True),
    Shot("triage-80", (), (80, 24), triage=True),
    Shot("triage-plan-80", ("R",), (80, 24), triage=True),
    Shot("triage-plan-no-color", ("R",), environment=(("NO_COLOR", "1"),), triage=True),
    Shot("triage-note", ("R", "y", "Y"), triage=True),
    Shot("triage-log", ("R", "y", "@"), triage=True),
    Shot("audit", ("a",), triage=True),
    Shot("deck-80", (), (80, 24)),
    Shot("compare-80", ("d",), (80, 24)),
    Shot("compare-no-color", ("d",), environment=(("NO_COLOR", "1"),)),
    Shot("compare-80-no-color", ("d",), (80, 24), (("NO_COLOR", "1"),)),
    Shot("table", ("m", "t")),
    Shot("table-80", ("t",), (80, 24)),
    Shot("plot", ("v",)),
    Shot("plot-80", ("v",), (80, 24)),
    Shot("plot-80-no-color", ("v",), (80, 24), (("NO_COLOR", "1"),)),
    Shot("deck-200", (), (200, 60)),
    Shot("deck-light", (), environment=(("TEXTUAL_THEME", "rolldeck-light"),)),
    Shot("deck-no-color", (), environment=(("NO_COLOR", "1"),)),
)


async def draw(shot: Shot, demo: Demo) -> None:
    """Play the keys on a fresh deck and write both files of a picture."""
    # Imported here: the theme is chosen from the environment when the deck is made.
    from rolldeck.tui.app import Deck

    workspace = Workspace(Settings(library=demo.library))
    since = NOW - timedelta(minutes=23)
    deck = Deck(
        workspace,
        None if shot.triage else str(demo.repository),
        triage=(f"{demo.repository}:production", since) if shot.triage else None,
        now=lambda: NOW,
    )
    try:
        async with deck.run_test(size=shot.size) as pilot:
            await settle(deck.workers.wait_for_complete, pilot.pause)
            for key in shot.keys:
                await pilot.press(key)
                await asyncio.sleep(0.4)  # a dialog takes no key for 300 ms after it opened
                await settle(deck.workers.wait_for_complete, pilot.pause)
            svg = deck.export_screenshot(title="rolldeck", simplify=True)
    finally:
        await workspace.close()
    (OUT / f"{shot.name}.svg").write_text(svg, encoding="utf-8")
    png = OUT / f"{shot.name}.png"
    await asyncio.to_thread(rasterise, OUT / f"{shot.name}.svg", png)
    print(f"{shot.name:16}{shot.size[0]}x{shot.size[1]}  {png.stat().st_size // 1024} KiB")


def rasterise(svg: Path, png: Path) -> None:
    """Draw an SVG file as PNG, 1400 pixels wide."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        import cairosvg

        cairosvg.svg2png(url=str(svg), write_to=str(png), output_width=WIDTH)
        return
    view = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg.read_text("utf-8"))
    assert view is not None
    height = math.ceil(WIDTH * float(view[2]) / float(view[1]))
    page = f'<body style="margin:0"><img src="file://{svg}" style="width:{WIDTH}px;display:block">'
    with tempfile.TemporaryDirectory() as profile:
        html = Path(profile) / "page.html"
        html.write_text(page)
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        options += ["--disable-background-networking", "--disable-component-update"]
        options += [f"--user-data-dir={profile}", "--default-background-color=00000000"]
        options += [f"--window-size={WIDTH},{height}", f"--screenshot={png}", f"file://{html}"]
        subprocess.run([chromium, *options], check=True, capture_output=True)


async def settle(*waits: Callable[..., object]) -> None:
    """Wait until workers are done and the screen is drawn."""
    for wait in waits:
        result = wait()
        if asyncio.iscoroutine(result):
            await result
    await asyncio.sleep(0.3)


def place() -> Path:
    """Where the demo lies while it is drawn; a path that reads well in the pictures."""
    wanted = Path("/srv/movies")
    try:
        wanted.mkdir()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="rolldeck-"))
    return wanted


def main() -> None:
    """Draw every picture."""
    OUT.mkdir(exist_ok=True)
    directory = place()
    home = tempfile.mkdtemp()
    for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
        os.environ[f"XDG_{kind}_HOME"] = f"{home}/{kind.lower()}"
    os.environ["TZ"] = "UTC"
    try:
        for shot in SHOTS:
            for name in ("NO_COLOR", "TEXTUAL_THEME"):
                os.environ.pop(name, None)
            os.environ.update(shot.environment)
            demo = prepare_demo(directory)
            asyncio.run(stage_demo(demo, NOW))
            asyncio.run(draw(shot, demo))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
