"""SIGKILL at each request of what moves a local target, and of what takes it along.

Afterwards the target is where it was or where it goes, whole; the same command again gets it there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import TORTURE
from tests.faults.channel_operations import (
    KILL_AT_REQUEST,
    ChannelWorld,
    in_repository,
)
from tests.faults.operations import ELSEWHERE, World
from tests.faults.seam import KILLED, Plan

READS = ("GET", "HEAD")
"""Nothing here writes to a registry, so each trial finds it as the one before did."""


@dataclass(frozen=True)
class TargetOperation:
    """``words`` after ``prepare`` bring the target to ``goal``; again they change nothing."""

    name: str
    prepare: Callable[[ChannelWorld], None]
    words: Callable[[ChannelWorld], list[object]]
    goal: str = "v2"


def _nothing(place: ChannelWorld) -> None:
    """Begin with an empty disk."""


def _pinned(place: ChannelWorld) -> None:
    place.must("pin", place.at("v1"), place.world.target.path)


def _channel(place: ChannelWorld) -> None:
    place.must("verdict", place.at("v1"), "good")
    for tag in ("v1", "v2"):
        place.must("promote", place.at(tag), "production", "--yes")


def _behind(place: ChannelWorld) -> None:
    """A target that follows a channel, which moved on elsewhere."""
    place.must("promote", place.at("v1"), "production", "--yes")
    place.must("verdict", place.at("v1"), "good")
    place.must("pin", "--follow", place.at("production"), place.world.target.path)
    place.must("promote", place.at("v2"), "production", "--yes", script=ELSEWHERE)


def _ahead(place: ChannelWorld) -> None:
    """One whose channel was rolled back elsewhere."""
    _behind(place)
    place.must("follow", place.world.target.path, "--once")
    place.must("rollback", place.at("production"), "--yes", script=ELSEWHERE)


def _follow_once(place: ChannelWorld) -> list[object]:
    return ["follow", place.world.target.path, "--once"]


OPERATIONS = [
    TargetOperation(
        "first pin", _nothing, lambda place: ["pin", place.at("v2"), place.world.target.path]
    ),
    TargetOperation(
        "pin", _pinned, lambda place: ["pin", place.at("v2"), place.world.target.path, "--yes"]
    ),
    TargetOperation(
        "pin --follow",
        _channel,
        lambda place: ["pin", "--follow", place.at("production"), place.world.target.path],
    ),
    TargetOperation("follow", _behind, _follow_once),
    TargetOperation("follow a rollback", _ahead, _follow_once, goal="v1"),
]


@pytest.fixture
def clean(world: World) -> Iterator[World]:
    """A world whose template is removed."""
    yield world
    shutil.rmtree(world.root.with_name("target-template"), ignore_errors=True)


def _keep(world: World) -> Path:
    template = world.root.with_name("target-template")
    shutil.rmtree(template, ignore_errors=True)
    shutil.copytree(world.root, template, symlinks=True)
    return template


def _again(world: World, template: Path) -> None:
    shutil.rmtree(world.root)
    shutil.copytree(template, world.root, symlinks=True)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name.replace(" ", "-"))
def test_killed_at_each_request(
    clean: World, tmp_path: Path, operation: TargetOperation, after: bool
) -> None:
    name = tmp_path.name.casefold().replace("_", "-")
    place = ChannelWorld(in_repository(clean, name), is_local=False)
    shown = place.run("show", place.at(operation.goal), "--json")
    operation.prepare(place)
    template, old, new = _keep(clean), clean.target.current(), shown.document["digest"]
    assert old != new
    number = 0
    while True:
        number += 1
        _again(clean, template)
        script = KILL_AT_REQUEST.format(methods=READS, number=number, after=after, code=KILLED)
        ran = place.run(*operation.words(place), script=script)
        assert clean.problems() == []
        if ran.code == 0:
            break
        assert ran.code == KILLED, ran
        assert clean.target.current() in (old, new)
        place.must(*operation.words(place))
        assert clean.target.current() == new
        assert clean.problems() == []
        assert clean.temporaries() == []
    assert clean.target.current() == new
    assert number > 4


def test_a_killed_rollback_of_a_channel_leaves_its_follower_whole(clean: World) -> None:
    """At each file-system call, in the library; a round of a follower then goes where that is."""
    place = ChannelWorld(clean, is_local=True)
    for tag in ("v1", "v2"):
        clean.must("pull", clean.version(tag))
    _behind(place)
    place.must(*_follow_once(place))
    template, old = _keep(clean), clean.target.current()
    words = ("rollback", place.at("production"), "--yes")
    place.must(*words)
    new = clean.target.current()
    assert new not in (None, old)
    number, ended = 1, set()
    while True:
        _again(clean, template)
        ran = place.run(*words, plan=Plan(str(clean.root), kill=number))
        if ran.code == 0:
            break
        assert clean.target.current() in (old, new)
        assert clean.problems() == []
        place.must(*_follow_once(place))
        assert clean.target.current() == place.live()
        ended.add(place.live())
        number += 1 if TORTURE > 1 else 5
    assert ended == {old, new}
