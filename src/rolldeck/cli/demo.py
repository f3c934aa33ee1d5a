"""The verb demo: the deck on example versions, or without a terminal the same story as text."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from rolldeck.actions import (
    Demo,
    Workspace,
    apply,
    make_demo,
    plan_pin,
    plan_rollback,
    stage_channel,
    stage_demo,
    verify,
)
from rolldeck.cli.arguments import verb_parser
from rolldeck.cli.browse import run_ls
from rolldeck.cli.channels import run_log
from rolldeck.cli.compare import run_diff
from rolldeck.cli.moves import print_plan, run_rollback
from rolldeck.cli.terminal import console, has_terminal, message
from rolldeck.errors import IntegrityError, UsageError
from rolldeck.progress import Progress
from rolldeck.settings import Settings, state_home
from rolldeck.units import short_digest

_SCORING_SECONDS = 60


async def run_demo(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Fill a fresh library, then open the deck on it or tell the story."""
    directory = (arguments.directory or state_home() / "demo").expanduser().absolute()
    if arguments.json:
        raise UsageError("demo prints no JSON", hint="Use the other verbs on the demo's library.")
    workspace.require_writable("demo")
    demo = await make_demo(directory)
    if arguments.headless or not has_terminal():
        return await _tell(demo, progress)
    await stage_demo(demo)
    message(f"The demo's library: {demo.library}; its target: {demo.target}")
    words = ["--library", str(demo.library)]
    # The deck replaces this process: signals reach it, and it has an event loop of its own.
    os.execv(sys.executable, [sys.executable, "-m", "rolldeck", *words, str(demo.repository)])


async def _tell(demo: Demo, progress: Progress) -> int:
    """Do the main job step by step; returns 0 only if every step held."""
    workspace = Workspace(Settings(library=demo.library))
    try:
        _step("A fresh library", f"export ROLLDECK_LIBRARY={demo.library}")
        _step("Which versions are there?", f"rolldeck ls {demo.repository}")
        listed = verb_parser().parse_args(["ls", str(demo.repository)])
        await run_ls(workspace, listed, progress)

        good, bad = demo.version("v1.1.0"), demo.version("v2.0.0")
        _step("v1.1.0 is live", f"rolldeck pin {good} {demo.target}")
        await apply(workspace, await plan_pin(workspace, good, demo.target), progress)
        _step("v2.0.0 goes live", f"rolldeck pin {bad} {demo.target}")
        plan = await plan_pin(workspace, bad, demo.target)
        print_plan(plan)
        await apply(workspace, plan, progress)
        _expect(await _score(demo), "2.0.0")

        _step("Recommendations got worse. What changed?", f"rolldeck diff {good} v2.0.0")
        asked = verb_parser().parse_args(["diff", str(good), str(bad)])
        await run_diff(workspace, asked, progress)

        _step("Put the last good version back", f"rolldeck rollback {demo.target}")
        plan = await plan_rollback(workspace, demo.target)
        print_plan(plan)
        moved = await apply(workspace, plan, progress, reason="ranking got worse")
        if moved.digest is None or (demo.target / "current").readlink().name != short_digest(
            moved.digest
        ):
            raise IntegrityError("current does not name the version that was put back")

        _step("Is every file what it should be?", f"rolldeck verify {demo.target}")
        verified = await verify(workspace, str(demo.target), progress)
        if not verified.ok:
            raise IntegrityError(f"{len(verified.problems)} files are not as they should be")
        console().print(f"{verified.checked} files checked, all as they should be")

        _step("Does it serve?", f"python {demo.target}/current/src/recommend.py --user 1")
        _expect(await _score(demo), "1.1.0")

        await stage_channel(workspace, demo.repository)
        channel = str(demo.channel)
        _step("Whoever pulls production has v2.0.0, too. Since when?", f"rolldeck log {channel}")
        await run_log(workspace, verb_parser().parse_args(["log", channel]), progress)
        words = ["rollback", channel, "--yes", "--reason", "ranking got worse"]
        _step("Back to the last known good", f"rolldeck {shlex.join(words)}")
        await run_rollback(workspace, verb_parser().parse_args(words), progress)
        _step("And it stays there: held, and v2.0.0 marked bad", f"rolldeck log {channel}")
        await run_log(workspace, verb_parser().parse_args(["log", channel]), progress)
    finally:
        await workspace.close()
    message("")
    message("The deck shows the same on a terminal: rolldeck demo")
    return 0


def _step(title: str, command: str) -> None:
    out = console()
    out.print()
    out.print(f"━━ {title}", style="bold")
    out.print(f"$ {command}", style="dim")


async def _score(demo: Demo) -> dict[str, object]:
    """Run the recommender that is current now, with the standard library alone."""
    script = Path(demo.target / "current" / "src" / "recommend.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-B", str(script), "--user", "1", "--json",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), _SCORING_SECONDS)
    except TimeoutError:
        process.kill()
        raise IntegrityError("The recommender did not answer", reference=str(script)) from None
    if process.returncode != 0:
        last = err.decode(errors="replace").strip().rpartition("\n")[2]
        raise IntegrityError(f"The recommender failed: {last}", reference=str(script))
    answer: dict[str, object] = json.loads(out)
    return answer


def _expect(answer: dict[str, object], version: str) -> None:
    if answer.get("version") != version or not answer.get("recommendations"):
        raise IntegrityError(f"The recommender answered as {answer.get('version')}")
    found = answer["recommendations"]
    titles = [str(item["title"]) for item in found[:3]] if isinstance(found, list) else []
    console().print(f"version {version} recommends to user 1: {', '.join(titles)}")
