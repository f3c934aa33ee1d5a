"""SIGKILL at each request and at each file-system call of what moves a channel.

Afterwards the channel is where it was or where it goes, the chain is whole, and the same command
again ends the move with all its marks, once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TORTURE
from tests.faults.channel_operations import (
    DOWN,
    KILL_AT_REQUEST,
    OPERATIONS,
    PUBLISH,
    ChannelOperation,
    ChannelWorld,
    in_repository,
)
from tests.faults.forked import Ran
from tests.faults.operations import World
from tests.faults.seam import KILLED, Plan

WRITES = ("PUT", "POST", "PATCH")
METHODS = WRITES if TORTURE == 1 else (*WRITES, "GET", "HEAD")
"""What ends a process: each request that writes, with torture each request."""

STEP = 5 if TORTURE == 1 else 1
"""Each request, or each fifth one, ends a process."""

MOST_CALLS = 8 if TORTURE == 1 else 10_000
"""File-system calls at which an operation is killed, spread over all of them."""

OFTEN = ("rollback", "publish")
"""What is tried without torture, too: a rollback has all that a move can have."""

ALL = [item for item in (*OPERATIONS, PUBLISH) if TORTURE > 1 or item.name in OFTEN]
LOCAL = [item for item in ALL if item is not PUBLISH]


def _name(operation: ChannelOperation) -> str:
    return operation.name


def ended(operation: ChannelOperation, place: ChannelWorld, ran: Ran, old: Any, new: Any) -> None:
    """Check what a kill left, and that the same command ends it."""
    assert ran.code == KILLED, ran
    left = place.recorded()
    assert left["live"] in (old["live"], new["live"])
    assert left["moves"] in (old["moves"], new["moves"])
    assert set(left["notes"]) <= {*old["notes"], *new["notes"], "pending"}
    if operation.repeats or left != new:
        again = operation.run(place)
        assert again.code == 0, (left, again)
    assert place.recorded() == new


@pytest.fixture
def clean(world: World) -> Iterator[World]:
    """A world whose template is removed."""
    yield world
    shutil.rmtree(world.root.with_name("channel-template"), ignore_errors=True)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", ALL, ids=_name)
def test_killed_at_each_request(
    clean: World, tmp_path: Path, operation: ChannelOperation, after: bool
) -> None:
    number, old, new = 0, None, None
    while True:
        clean.clear()
        name = f"{tmp_path.name.casefold().replace('_', '-')}-{number}"
        place = ChannelWorld(in_repository(clean, name), is_local=False)
        operation.prepare(place)
        if new is None:
            old = place.recorded()
            assert operation.run(place).code == 0
            new = place.recorded()
            assert old != new
            number = 1
            continue
        script = KILL_AT_REQUEST.format(methods=METHODS, number=number, after=after, code=KILLED)
        ran = operation.run(place, script)
        if ran.code == 0:
            break
        ended(operation, place, ran, old, new)
        number += STEP
    assert number > 3


@pytest.mark.parametrize("operation", LOCAL, ids=_name)
def test_killed_at_each_file_system_call(clean: World, operation: ChannelOperation) -> None:
    """In the library, which is nothing but files."""
    place = ChannelWorld(clean, is_local=True)
    for tag in ("v1", "v2"):
        clean.must("pull", clean.version(tag))
    operation.prepare(place)
    _try_calls(operation, place)
    assert clean.problems() == []


def test_killed_at_each_file_system_call_of_a_publish(clean: World, tmp_path: Path) -> None:
    """Of its outbox; the registry is another one each time."""
    name = tmp_path.name.casefold().replace("_", "-")
    calls = 1
    number = 0
    old = new = None
    while number <= calls:
        clean.clear()
        place = ChannelWorld(in_repository(clean, f"{name}-{number}"), is_local=False)
        PUBLISH.prepare(place)
        if new is None:
            old = place.recorded()
            calls = _count(PUBLISH, place)
            new = place.recorded()
        else:
            ran = PUBLISH.run(place, plan=Plan(str(clean.root), kill=number))
            ended(PUBLISH, place, ran, old, new)
            assert not list(clean.root.glob("home/**/outbox/*.json"))
        number += max(calls // MOST_CALLS, 1) if number else 1
    assert calls > 1


def test_killed_at_each_call_of_a_rollback_that_is_queued(clean: World, tmp_path: Path) -> None:
    """The target is old or new, and what is published is what it is."""
    name = tmp_path.name.casefold().replace("_", "-")
    place = ChannelWorld(in_repository(clean, name), is_local=False)
    place.must("verdict", place.at("v1"), "good")
    for tag in ("v1", "v2"):
        place.must("promote", place.at(tag), "production", "--yes")
        place.must("pin", place.at(tag), clean.target.path, "--yes")
    words = ("rollback", clean.target.path, "--channel", "production", "--yes")
    template = clean.root.with_name("channel-template")
    shutil.copytree(clean.root, template, symlinks=True)
    started = clean.target.current()
    log = clean.root.with_name("calls.json")
    ran = place.run(*words, script=DOWN, plan=Plan(str(clean.root), log=str(log)))
    assert ran.code == 0, ran
    calls = _below(log)
    for number in range(1, calls + 1, max(calls // MOST_CALLS, 1)):
        shutil.rmtree(clean.root)
        shutil.copytree(template, clean.root, symlinks=True)
        ran = place.run(*words, script=DOWN, plan=Plan(str(clean.root), kill=number))
        assert ran.code == KILLED, ran
        went_back = clean.target.current() != started
        waits = place.must("publish", "--dry-run", "--json").document["rollbacks"]
        assert len(waits) in ((1,) if went_back else (0, 1))
        assert clean.problems() == []
        assert place.live() == started
        if not went_back:
            # Nothing went back here, so nothing goes back there.
            place.must("publish")
            assert place.live() == started
    # Once it has moved, the registry is another one: so this is the end.
    assert calls > 10


def _try_calls(operation: ChannelOperation, place: ChannelWorld) -> None:
    root = place.world.root
    template = root.with_name("channel-template")
    shutil.rmtree(template, ignore_errors=True)
    shutil.copytree(root, template, symlinks=True)
    old = place.recorded()
    calls = _count(operation, place)
    new = place.recorded()
    assert old != new
    for number in range(1, calls + 1, max(calls // MOST_CALLS, 1)):
        shutil.rmtree(root)
        shutil.copytree(template, root, symlinks=True)
        ran = operation.run(place, plan=Plan(str(root), kill=number))
        ended(operation, place, ran, old, new)
        assert place.world.problems() == []
    assert calls > 10


def _count(operation: ChannelOperation, place: ChannelWorld) -> int:
    """Run an operation to its end, and count its calls below the world's root."""
    log = place.world.root.with_name("calls.json")
    ran = operation.run(place, plan=Plan(str(place.world.root), log=str(log)))
    assert ran.code == 0, ran
    return _below(log)


def _below(log: Path) -> int:
    return sum(call["below_root"] for call in json.loads(log.read_bytes()))
