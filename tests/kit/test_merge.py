"""Merging a tree into a directory in use, with somebody else at work there."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rolldeck import fsops
from rolldeck.errors import BusyError, RolldeckError
from rolldeck.kit.merge import MergeRules
from rolldeck.kit.unpack import Unpacking
from rolldeck.progress import Progress
from tests.conftest import TORTURE
from tests.kit.archives import END, directory, file, kit_of, snapshot

ARCHIVE = directory("d") + b"".join(file(f"d/{n}", b"%d" % n * 900) for n in range(8)) + END
ALL = MergeRules(overwrite=True, force=True)


def merge_into(destination: Path, archive: bytes = ARCHIVE, rules: MergeRules = ALL) -> None:
    """Unpack an archive into a directory in use."""
    kit, open_blob = kit_of(archive)
    with Unpacking(kit, destination, Progress(), rules=rules) as unpacking:
        for layer in unpacking.layers:
            unpacking.add(layer, open_blob(layer.blob))
        unpacking.finish()


@contextlib.contextmanager
def at_work(attack: Callable[[], None]) -> Iterator[None]:
    """Do something again and again in another thread while the block runs."""
    done = threading.Event()

    def run() -> None:
        while not done.is_set():
            attack()

    attacker = threading.Thread(target=run)
    attacker.start()
    try:
        yield
    finally:
        done.set()
        attacker.join()


def test_modes_are_those_of_the_version(tmp_path: Path) -> None:
    """Of new directories and of all files that are written; what is there keeps its own."""
    old = os.umask(0o022)
    try:
        (tmp_path / "e").mkdir(mode=0o700)
        (tmp_path / "mine").touch()
        archive = directory("d", 0o750) + file("d/x", mode=0o755) + directory("e", 0o755) + END
        merge_into(tmp_path, archive)
    finally:
        os.umask(old)
    modes = {name: (tmp_path / name).stat().st_mode & 0o7777 for name in ("d", "d/x", "e")}
    assert modes == {"d": 0o750, "d/x": 0o755, "e": 0o700}


@pytest.mark.parametrize("what", ["destination", "directory", "file"])
def test_whoever_swaps_something_for_a_link_gains_nothing(what: str, tmp_path: Path) -> None:
    """A link to a victim comes and goes in the place of something real all the time."""
    victim, destination, aside = tmp_path / "victim", tmp_path / "dest", tmp_path / "aside"
    (victim / "d").mkdir(parents=True)
    for number in range(8):
        (victim / str(number)).write_text("untouched")
        (victim / "d" / str(number)).write_text("untouched")
    (destination / "d").mkdir(parents=True)
    (destination / "mine").touch()
    swapped = {"destination": destination, "directory": destination / "d"}.get(
        what, destination / "d" / "5"
    )
    goal = {"destination": victim, "directory": victim / "d"}.get(what, victim / "d" / "5")
    before = snapshot(victim)

    def attack() -> None:
        with contextlib.suppress(OSError):
            swapped.rename(aside)
        with contextlib.suppress(OSError):
            swapped.symlink_to(goal)
        with contextlib.suppress(OSError):
            swapped.unlink()
        with contextlib.suppress(OSError):
            aside.rename(swapped)

    tried = finished = 0
    with at_work(attack):
        while tried < 40 * TORTURE or not finished:
            tried += 1
            with contextlib.suppress(RolldeckError):
                merge_into(destination)
                finished += 1
    assert snapshot(victim) == before
    merge_into(destination)
    assert (destination / "d/7").read_bytes() == b"7" * 900


@pytest.mark.parametrize("there", ["nothing", "a file", "a directory"])
def test_what_changes_meanwhile_is_not_replaced(
    there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes the last file once the first was moved: theirs stays."""
    goal = tmp_path / "dest"
    (goal / "d").mkdir(parents=True)
    last = goal / "d/7"
    if there == "a file":
        last.write_text("old")
    original = fsops.move

    def moving(name: str, source: int, destination: int) -> None:
        original(name, source, destination)
        if name == "0":
            if there == "a directory":
                last.mkdir()
            else:
                last.write_text("theirs")

    monkeypatch.setattr(fsops, "move", moving)
    with pytest.raises(BusyError, match="d/7"):
        merge_into(goal)
    if there == "a directory":
        assert last.is_dir()
    else:
        assert last.read_text() == "theirs"
    assert (goal / "d/0").read_bytes() == b"0" * 900
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dest", "home"]


def test_where_only_the_directory_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume, or a directory in one of somebody else's: it is staged inside, and tidied."""
    goal = tmp_path / "dest"
    goal.mkdir()
    (goal / "mine").touch()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path and access(path, mode))
    seen = []
    original = fsops.move

    def moving(name: str, source: int, destination: int) -> None:
        seen.append(sorted(os.listdir(goal)))
        original(name, source, destination)

    monkeypatch.setattr(fsops, "move", moving)
    merge_into(goal)
    assert any(name.startswith(".rolldeck-part-dest-") for name in seen[0])
    assert sorted(os.listdir(goal)) == ["d", "mine"]


def test_a_store_is_not_reached_through_what_was_unpacked(tmp_path: Path) -> None:
    """Written over in place afterwards, only that file changes."""
    goal = tmp_path / "dest"
    goal.mkdir()
    merge_into(goal)
    assert {path.stat().st_nlink for path in (goal / "d").iterdir()} == {1}
