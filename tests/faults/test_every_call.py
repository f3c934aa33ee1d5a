"""Every call of an operation that changes the file system fails once, and is once the last one."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import TORTURE
from tests.faults.forked import Ran
from tests.faults.operations import OPERATIONS, Operation, World
from tests.faults.seam import KILLED, Call, Plan

ERRORS = {
    "EIO once": (errno.EIO, False),
    "EDQUOT once": (errno.EDQUOT, False),
    "ENOSPC from there on": (errno.ENOSPC, True),
    "EROFS from there on": (errno.EROFS, True),
}


class Trial:
    """One operation, tried again and again from the same beginning."""

    def __init__(self, operation: Operation, world: World) -> None:
        self._operation = operation
        self._world = world
        self.root = world.root
        self._template = world.root.with_name("template")
        shutil.rmtree(self._template, ignore_errors=True)
        operation.prepare(world)
        world.root.rename(self._template)
        self.begin()
        self.old = operation.state(world)
        log = world.root.with_name("calls.json")
        ran = operation.run(world, Plan(str(world.root), log=str(log)))
        assert ran.code == 0, ran
        self.calls = [Call(**entry) for entry in json.loads(log.read_bytes())]
        self.count = sum(call.below_root for call in self.calls)
        self.new = operation.state(world)
        assert self.new != self.old
        assert self.problems() == []

    def begin(self) -> None:
        """Put the world back to where the operation begins."""
        shutil.rmtree(self._world.root, ignore_errors=True)
        shutil.copytree(self._template, self._world.root, symlinks=True)

    def run(self, **fault: object) -> Ran:
        """Run the operation from its beginning, with a fault."""
        self.begin()
        return self._operation.run(self._world, Plan(str(self._world.root), **fault))  # type: ignore[arg-type]

    def problems(self, kills: int = 0) -> list[str]:
        """What is not as it may be after a fault."""
        found = self._world.problems()
        state = self._operation.state(self._world)
        if state not in (self.old, self.new):
            found.append(f"neither old nor new: {state}")
        temporaries = self._world.temporaries()
        return found if len(temporaries) <= kills else [*found, f"left: {temporaries}"]

    def again(self) -> list[str]:
        """Run the same command once more, without a fault; what is not as it should be then."""
        operation, world = self._operation, self._world
        if operation.after and operation.state(world) == self.new:
            ran = world.run(*operation.after(world))
        else:
            ran = operation.run(world)
            if ran.code == 0 and operation.state(world) != self.new:
                return ["again: not the new state"]
        if ran.code != 0:
            return [f"again: {ran}"]
        left = [f"left: {path}" for path in world.temporaries()]
        return [f"again: {problem}" for problem in [*world.problems(), *left]]


@pytest.fixture(params=OPERATIONS, ids=lambda operation: operation.name.replace(" ", "-"))
def trial(request: pytest.FixtureRequest, world: World) -> Trial:
    """Each operation of the table."""
    return Trial(request.param, world)


def test_killed_at_every_call(trial: Trial) -> None:
    """Old or new, whole, at most one thing half-made; and the same command then succeeds."""
    wrong = {}
    for number in range(1, trial.count + 1):
        ran = trial.run(kill=number)
        found = [] if ran.code == KILLED else [f"not killed: {ran}"]
        found += trial.problems(kills=1) + trial.again()
        if found:
            wrong[number] = found
    assert not wrong, report(trial, wrong)


@pytest.mark.parametrize("error", ERRORS)
def test_failing_at_every_call(trial: Trial, error: str) -> None:
    """Exit code 7 and one line, or success where the call did not matter; then as above.

    Each call meets one of the errors, with torture all of them.
    """
    number, lasting = ERRORS[error]
    first, step = (list(ERRORS).index(error) + 1, len(ERRORS)) if TORTURE == 1 else (1, 1)
    wrong = {}
    for call in range(first, trial.count + 1, step):
        ran = trial.run(fail=call, number=number, lasting=lasting)
        found = _unlike_an_error(ran) + trial.problems() + trial.again()
        if found:
            wrong[call] = found
    assert not wrong, report(trial, wrong)


def report(trial: Trial, wrong: dict[int, list[str]]) -> str:
    """Say at which calls what went wrong."""
    below = [call for call in trial.calls if call.below_root]
    lines = [f"{len(wrong)} of {trial.count} calls"]
    for number, found in wrong.items():
        call = below[min(number, len(below)) - 1]
        lines.append(f"{number} ({call.name} {call.path} in {call.source}): {'; '.join(found)}")
    return "\n".join(lines).replace(f"{trial.root}/", "")


def _unlike_an_error(ran: Ran) -> list[str]:
    one_line = len(ran.err.splitlines()) == 1 and ran.err.startswith("rolldeck: ")
    if ran.code == 0 or (ran.code == 7 and (one_line or json.loads(ran.err))):
        return []
    return [f"no error of the storage: {ran}"]


def test_all_changes_go_through_one_module(trial: Trial) -> None:
    """The seam sees what goes around it; nothing does, and nothing is changed elsewhere."""
    assert {call.source for call in trial.calls} == {"fsops.py"}
    assert [call for call in trial.calls if not call.below_root] == []


def test_the_event_loop_waits_for_no_disk(trial: Trial) -> None:
    """The deck stays alive: whatever changes the disk is done in another thread."""
    assert [call for call in trial.calls if call.main_thread] == []


def test_the_log_is_where_it_was_asked_for(trial: Trial, memory: Path) -> None:
    """A seam that saw nothing would let every test above pass."""
    assert trial.count > 5
    names = {call.name for call in trial.calls}
    assert {"create", "write", "fsync", "rename"} <= names
