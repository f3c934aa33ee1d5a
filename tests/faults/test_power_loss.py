"""Power is lost after any call of an operation, and with it what was never synced."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.operations import OPERATIONS, World
from tests.faults.power_loss import LOSSES, Disk, draw
from tests.faults.seam import Call
from tests.faults.trial import Trial


@pytest.fixture(params=OPERATIONS, ids=lambda operation: operation.name.replace(" ", "-"))
def trial(request: pytest.FixtureRequest, world: World) -> Trial:
    """Each operation of the table."""
    return Trial(request.param, world)


def test_power_lost_after_every_call(trial: Trial) -> None:
    """Old or new, whole; new once the command said so; where most is lost, it then succeeds."""
    trial.begin()
    disk = Disk(trial.root)
    calls = trial.logged()
    wrong, seen = {}, set()
    for number in range(len(calls) + 1):
        if number:
            disk.apply(calls[number - 1])
        for loss in LOSSES:
            image = disk.image(loss)
            is_done = number == len(calls)
            key = (is_done, *sorted(image.items()))
            if key in seen:
                continue
            seen.add(key)
            shutil.rmtree(trial.root)
            draw(image.items(), trial.root)
            found = trial.problems(trial.half_made, must_be_new=is_done)
            if loss == LOSSES[0] or is_done:
                found += trial.again()
            if found:
                wrong[number] = [loss, *found]
    assert len(seen) > 5
    assert not wrong, trial.report(wrong)


def test_a_rename_before_the_sync_would_be_found(tmp_path: Path) -> None:
    """The model itself: bytes without fsync are lost, names without one as well."""
    root = tmp_path / "disk"
    root.mkdir()
    disk = Disk(root)
    place = str(root)
    data = "bmV3"
    for call in (
        Call("create", f"{place}/tmp", mode=0o644),
        Call("write", f"{place}/tmp", data=data),
        Call("rename", f"{place}/tmp", to=f"{place}/file"),
    ):
        disk.apply(call)
    assert disk.image("all that is not synced") == {}
    assert disk.image("bytes that are not synced")["file"][2] == b""
    assert disk.image("half of such bytes")["file"][2] == b"n"
    disk.apply(Call("fsync", f"{place}/file"))
    assert disk.image("all that is not synced") == {}
    assert disk.image("bytes that are not synced")["file"][2] == b"new"
    disk.apply(Call("fsync", place))
    assert disk.image("all that is not synced")["file"][2] == b"new"
