"""Every call of an operation that changes the file system fails once, and is once the last one."""

from __future__ import annotations

import errno
import json

import pytest

from tests.conftest import TORTURE
from tests.faults.forked import Ran
from tests.faults.operations import OPERATIONS, World
from tests.faults.seam import KILLED
from tests.faults.trial import Trial

ERRORS = {
    "EIO once": (errno.EIO, False),
    "EDQUOT once": (errno.EDQUOT, False),
    "ENOSPC from there on": (errno.ENOSPC, True),
    "EROFS from there on": (errno.EROFS, True),
}


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
        found += trial.problems(trial.half_made) + trial.again()
        if found:
            wrong[number] = found
    assert not wrong, trial.report(wrong)


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
        # What cannot be written cannot be tidied either.
        left = trial.half_made if number == errno.EROFS else 0
        found = _unlike_an_error(ran) + trial.problems(left) + trial.again()
        if found:
            wrong[call] = found
    assert not wrong, trial.report(wrong)


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


def test_the_seam_sees_something(trial: Trial) -> None:
    """A seam that saw nothing would let every test above pass."""
    assert trial.count > 5
    names = {call.name for call in trial.calls}
    assert {"fsync", "rename"} <= names
    assert {"create", "write"} <= names or "unlink" in names
