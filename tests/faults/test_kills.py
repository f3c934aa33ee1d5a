"""SIGKILL from outside at any instant: a target is always old or new, and always works again."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rolldeck.kit import verify_tree
from rolldeck.progress import Progress
from rolldeck.release import Target
from tests.conftest import TORTURE

KILLS = 25 * TORTURE


def start(*words: object) -> subprocess.Popen[bytes]:
    """Start a command line in a process of its own."""
    command = [sys.executable, "-m", "rolldeck", *(str(word) for word in words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(*words: object) -> int:
    """Run a command line to its end and return its exit code."""
    with start(*words) as process:
        return process.wait(60)


@pytest.fixture
def layout(golden: Path, tmp_path: Path) -> str:
    """A layout with two versions that are pinned in turn."""
    shutil.copytree(golden / "layouts" / "wdbc", tmp_path / "layout")
    return f"oci:{tmp_path}/layout"


def test_a_target_survives_kills_at_any_time(layout: str, tmp_path: Path) -> None:
    """Pins, rollbacks and undos killed at random: current is whole, the next command works."""
    target, chance = Target(tmp_path / "serving"), random.Random(7)
    for tag in ("v1.1.0", "v1.2.0"):
        assert run("pin", f"{layout}:{tag}", target.path, "--yes") == 0
    started = time.monotonic()
    assert run("pin", f"{layout}:v2.0.0", target.path, "--yes") == 0
    longest = time.monotonic() - started
    known = target.unpacked()
    verbs = ["pin", "pin", "rollback", "undo"]
    for number in range(KILLS):
        verb, tag = chance.choice(verbs), chance.choice(["v1.1.0", "v1.2.0", "v2.0.0"])
        if number % 5 == 0:
            _forget_one(target)
        words = [verb, f"{layout}:{tag}", target.path] if verb == "pin" else [verb, target.path]
        with start(*words, "--yes") as process:
            time.sleep(chance.uniform(0.3, 1.0) * longest)
            process.kill()
        _check(target)
    assert run("pin", f"{layout}:v1.2.0", target.path, "--yes") == 0
    assert run("verify", target.path) == 0
    assert target.unpacked() <= known
    # A temporary of the very last kill may wait for the next command; older ones were swept.
    strays = [path.name for path in target.releases.iterdir() if path.name.startswith(".")]
    assert strays == []


def _forget_one(target: Target) -> None:
    """Remove a release that is not current, so that unpacking is among what is killed."""
    current = target.current()
    others = [digest for digest in target.unpacked() if digest != current]
    if others:
        shutil.rmtree(target.directory(others[0]))


def _check(target: Target) -> None:
    """The invariants: one version is current, its files are whole, the history can be read."""
    current = target.current()
    assert current is not None
    release = target.release(current)
    assert release is not None
    assert verify_tree(target.directory(current), release.tree, Progress()) == []
    history = target.history()
    assert history[-1].to_digest == current
    for digest in target.unpacked():
        recorded = target.release(digest)
        assert recorded is not None
        assert verify_tree(target.directory(digest), recorded.tree, Progress()) == []
