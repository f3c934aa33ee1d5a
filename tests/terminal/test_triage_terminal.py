"""Triage in a real terminal: a rollback in two keys, whatever the line is like."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rolldeck.actions import apply, plan_pin
from rolldeck.progress import Progress
from tests.actions.channels import desk_at
from tests.release.channel.places import Site, site_in
from tests.servers.registry import RunningRegistry
from tests.servers.slow_proxy import SlowProxy, slow_proxy
from tests.terminal.terminal import Terminal, environment

REQUESTS = 75
"""Requests of triage, plan and rollback of a version with two blobs, and the look afterwards."""


@dataclass
class Scene:
    """A channel that went a, b, c behind a narrow line, and a home that knows it or not."""

    site: Site
    direct: Site
    home: Path
    line: SlowProxy
    start: Callable[..., Terminal]

    def live(self) -> str | None:
        """Which version the channel points at, asked past the line."""

        async def ask() -> str | None:
            async with desk_at(self.direct) as desk:
                return await desk.live()

        return asyncio.run(ask())

    def prepare(self, *, target: Path | None = None) -> None:
        """Record the moves; with a target, two versions are pinned to it."""

        async def go() -> None:
            async with desk_at(self.direct) as desk:
                await desk.record("a", "b", "c:ci-bot", hours=48, ago=0.6)
            async with desk_at(self.site) as desk:
                for letter in "bc" if target is not None else "":
                    assert target is not None
                    plan = await plan_pin(desk.workspace, desk.version(letter), target)
                    await apply(desk.workspace, plan, Progress())

        asyncio.run(go())

    def current(self, target: Path) -> str | None:
        """Which version is current in a local target."""
        name = (target / "current").readlink().name
        known = self.site.versions.items()
        return next((letter for letter, digest in known if name in digest), None)


@pytest.fixture
def scene(
    docker_registry: RunningRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    """A registry at 64 kB/s, and what is needed to start triage of it in a terminal."""
    home = tmp_path / "home"
    for kind, place in (
        ("DATA", ".local/share"),
        ("CONFIG", ".config"),
        ("STATE", ".local/state"),
        ("CACHE", ".cache"),
    ):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / place))
    terminals: list[Terminal] = []

    def start(*words: str, size: tuple[int, int] = (80, 24), **more: str) -> Terminal:
        command = [sys.executable, "-m", "rolldeck", *words]
        terminal = Terminal(command, environment(home, **more), size)
        terminals.append(terminal)
        return terminal

    with ExitStack() as stack:
        direct = stack.enter_context(site_in("docker", docker_registry, tmp_path))
        line = stack.enter_context(slow_proxy(docker_registry.host))
        site = replace(direct, reference=replace(direct.reference, root=line.host))
        yield Scene(site, direct, home, line, start)
        for terminal in terminals:
            terminal.close()


def roll_back(terminal: Terminal) -> int:
    """Go back as a tired person does; returns how many keys that took."""
    terminal.wait_for("GOOD  v1.0.1")
    terminal.send("R")
    terminal.wait_for("Cancel", 60)
    time.sleep(0.4)  # a dialog takes no key for 300 ms after it opened
    terminal.send("y")
    return len("Ry")


@pytest.mark.parametrize("colour", ["", "1"], ids=["colour", "no-colour"])
def test_two_keys_at_64_kb_per_second(scene: Scene, colour: str) -> None:
    """At 80x24: triage, R, y, done, and the note is one more."""
    scene.prepare()
    name = f"{scene.site.reference.name}:production"
    scene.line.requests.clear()
    terminal = scene.start(
        "triage", name, "--since", "24m", **({"NO_COLOR": "1"} if colour else {})
    )
    terminal.wait_for("began 12 min after g3")
    assert roll_back(terminal) == 2
    terminal.wait_for("done: v1.0.1 (g4)", 60)
    terminal.wait_for("held on", 60)
    assert scene.live() == "b"
    assert len(scene.line.requests) <= REQUESTS
    terminal.send("Y")
    terminal.wait_for("production rolled back")
    colours = re.findall(rb"\x1b\[[0-9;]*(?:38|48);[25];[0-9;]*m", terminal.output)
    assert bool(colours) is not bool(colour)
    terminal.send("q")
    assert terminal.wait(5) == 0


def test_what_was_seen_before_is_there_before_the_line_answers(scene: Scene) -> None:
    """The cache shows the channel; the registry, stalled here, is asked meanwhile."""
    scene.prepare()
    name = scene.site.reference.repository.rpartition("/")[2]
    first = scene.start("triage", f"{scene.site.reference.name}:production", "--json")
    assert first.wait(60) == 0
    scene.line.stall()
    terminal = scene.start("triage", name)
    terminal.wait_for("remembered from")
    terminal.wait_for("GOOD  v1.0.1")
    terminal.send("q")
    assert terminal.wait(5) == 0


def test_with_the_registry_down_the_host_goes_back(scene: Scene, tmp_path: Path) -> None:
    """What is unpacked here is switched to; the channel is not moved."""
    target = tmp_path / "serving"
    scene.prepare(target=target)
    name = f"{scene.site.reference.name}:production"
    assert scene.start("triage", name, "--json").wait(60) == 0
    scene.line.close()
    terminal = scene.start("triage", name)
    terminal.wait_for("registry down", 60)
    assert roll_back(terminal) == 2
    terminal.wait_for("is current", 30)
    terminal.wait_for("unpublished", 30)
    assert scene.current(target) == "b"
    assert scene.live() == "c"
    terminal.send("q")
    assert terminal.wait(5) == 0
