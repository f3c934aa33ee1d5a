"""Local targets: the link is old or new, and the way back is what people did."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from rolldeck import fsops, half_made
from rolldeck.errors import BusyError, IntegrityError, NotFoundError, RefusedError, StorageError
from rolldeck.kit.tree import Tree
from rolldeck.oci import Digest, digest_of
from rolldeck.release import Generation, MoveVerb, Release, Target, trail

A, B, C = (digest_of(name.encode()) for name in "abc")


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A target in which three versions are unpacked."""
    found = Target(tmp_path / "serving")
    found.prepare()
    for digest in (A, B, C):
        found.directory(digest).mkdir()
        found.record(Release(digest, "fraud:v1", "v1", Tree(())))
    return found


def move(
    target: Target, verb: MoveVerb, to: Digest | None, undoes: int | None = None
) -> Generation:
    """Make one move as an action would."""
    generation = Generation(
        number=target.next_number(),
        verb=verb,
        from_digest=target.current(),
        to_digest=to,
        reference="fraud:v1",
        actor="test",
        time="2026-11-21T00:00:00Z",
        undoes=undoes,
    )
    target.move(generation)
    return generation


def test_current_is_a_relative_link(target: Target) -> None:
    """The target can be mounted elsewhere and still works."""
    move(target, "pin", A)
    assert target.link.readlink() == Path("releases") / A.partition(":")[2][:12]
    assert target.current() == A
    assert target.previous() is None


def test_rollback_goes_back_and_then_further_back(target: Target) -> None:
    """Two rollbacks do not swap two versions for ever."""
    for digest in (A, B, C):
        move(target, "pin", digest)
    assert target.previous() == B
    move(target, "rollback", B)
    assert target.previous() == A
    move(target, "rollback", A)
    assert target.previous() is None


def test_undo_restores_the_way_back(target: Target) -> None:
    """After an undo everything is as it was before the move."""
    move(target, "pin", A)
    move(target, "pin", B)
    rolled = move(target, "rollback", A)
    move(target, "undo", B, undoes=rolled.number)
    assert target.current() == B
    assert target.previous() == A


def test_undo_of_the_first_pin_leaves_nothing_current(target: Target) -> None:
    """The state before the first pin is no version."""
    first = move(target, "pin", A)
    move(target, "undo", None, undoes=first.number)
    assert target.current() is None
    assert not target.link.is_symlink()


def test_a_move_from_a_stale_plan_is_busy(target: Target) -> None:
    """What was shown is what is done, or nothing is."""
    move(target, "pin", A)
    stale = Generation(2, "pin", None, B, "fraud:v1", "test", "2026-11-21T00:00:00Z")
    with pytest.raises(BusyError):
        target.move(stale)
    assert target.current() == A


@pytest.mark.parametrize(("module", "name"), [(half_made, "switch_link"), (fsops, "append_line")])
def test_a_move_cut_short_is_passed_over(
    target: Target, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    """A crash between journal and link leaves the old version current and the way back right."""
    move(target, "pin", A)
    move(target, "pin", B)
    with monkeypatch.context() as patched:

        def fail(*args: object) -> None:
            raise StorageError("killed")

        patched.setattr(module, name, fail)
        with pytest.raises(StorageError):
            move(target, "pin", C)
    assert target.current() == B
    assert target.previous() == A
    move(target, "pin", C)
    assert [item.to_digest for item in target.history()] == [A, B, C]
    assert target.previous() == B


def test_a_torn_last_line_is_ignored_and_closed(target: Target) -> None:
    """Half a line of a crash does not spoil the next one."""
    move(target, "pin", A)
    journal = target.path / ".rolldeck" / "history.jsonl"
    with journal.open("a") as file:
        file.write('{"number": 2, "ver')
    move(target, "pin", B)
    assert [item.to_digest for item in target.history()] == [A, B]


def test_a_link_changed_by_hand_is_told(target: Target) -> None:
    """Someone's `ln -sfn` is never taken for a release."""
    move(target, "pin", A)
    half_made.switch_link(target.link, "releases/elsewhere")
    with pytest.raises(IntegrityError):
        target.current()
    half_made.switch_link(target.link, "/etc")
    with pytest.raises(IntegrityError):
        target.current()


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    """A target is a directory of its own."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(RefusedError):
        Target(tmp_path / "thesis").prepare()
    with pytest.raises(NotFoundError):
        Target(tmp_path / "thesis").require()


def test_a_damaged_record_is_an_integrity_error(target: Target) -> None:
    """The record of a release is checked as anything else."""
    path = target.path / ".rolldeck" / "releases" / f"{A.partition(':')[2][:12]}.json"
    path.write_text(json.dumps({"digest": A}))
    with pytest.raises(IntegrityError):
        target.release(A)


def test_half_made_things_of_a_dead_process_are_swept(target: Target) -> None:
    """Temporary names of a killed process are gone after the next move; others stay."""
    dead = target.releases / f"{half_made.TEMPORARY_PREFIX}999999999-abc"
    dead.mkdir()
    ours = half_made.temporary_name(target.releases)
    ours.mkdir()
    with target.locked():
        pass
    assert not dead.exists()
    assert ours.exists()


def test_the_trail_of_repeated_pins_has_no_doubles() -> None:
    """Pinning the same version again is no step."""
    moves = [
        Generation(1, "pin", None, A, "r", "a", "t"),
        Generation(2, "pin", A, A, "r", "a", "t"),
        Generation(3, "pin", A, B, "r", "a", "t"),
    ]
    assert trail(moves) == (A, B)
