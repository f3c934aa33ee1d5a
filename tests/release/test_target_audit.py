"""The audit of a local target's history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rolldeck.errors import NotFoundError
from rolldeck.kit.tree import Tree
from rolldeck.oci import digest_of
from rolldeck.release import Generation, Release, Target
from rolldeck.release.target_audit import audit_target
from rolldeck.units import short_digest

A, B, C = (digest_of(letter.encode()) for letter in "abc")


def line(number: int, start: object, goal: object, verb: str = "pin") -> Generation:
    return Generation(
        number,
        verb,
        start,
        goal,
        "acme/fraud:v1.0.0",
        "mia",
        f"2026-11-0{number}T10:00:00Z",  # type: ignore[arg-type]
    )


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A target that went a, b, a; b is a release no more needed than any."""
    made = Target(tmp_path / "serving")
    made.prepare()
    for digest in (A, B, C):
        made.record(Release(digest, "acme/fraud:v1.0.0", "v1.0.0", Tree(()), {}))
        made.directory(digest).mkdir()
    with made.locked():
        made.move(line(1, None, A))
        made.move(line(2, A, B))
        made.move(line(3, B, A, "rollback"))
    return made


def history(target: Target) -> Path:
    return target.path / ".rolldeck" / "history.jsonl"


def kinds(target: Target) -> list[tuple[str, int | None]]:
    return [(note.kind, note.number) for note in audit_target(target).notes]


def test_a_whole_history_has_no_notes(target: Target) -> None:
    found = audit_target(target)
    assert found.notes == ()
    assert [(row.number, row.verb, row.outcome) for row in found.rows] == [
        (3, "rollback", "made"),
        (2, "pin", "made"),
        (1, "pin", "made"),
    ]


def test_a_line_that_was_taken_out_breaks_it(target: Target) -> None:
    lines = history(target).read_bytes().splitlines()
    history(target).write_bytes(b"\n".join([lines[0], lines[2], b""]))
    assert kinds(target)[0] == ("gap", 2)
    assert audit_target(target).broken


def test_a_line_that_was_copied_breaks_it(target: Target) -> None:
    with history(target).open("ab") as file:
        file.write(replace(line(1, A, A), number=2).to_line() + b"\n")
    assert ("link", 2) in kinds(target)


@pytest.mark.parametrize(
    ("text", "kind"),
    [(b'{"number": 4, "ver', "void"), (b"\xff\xff", "damaged"), (b"[]", "damaged")],
)
def test_what_is_no_line_is_told(target: Target, text: bytes, kind: str) -> None:
    """A crash leaves the beginning of a line, which breaks nothing."""
    with history(target).open("ab") as file:
        file.write(text + b"\n")
    assert kinds(target) == [(kind, None)]
    assert audit_target(target).broken is (kind == "damaged")


def test_a_move_that_was_never_made_is_void(target: Target) -> None:
    with history(target).open("ab") as file:
        file.write(line(4, A, B).to_line() + b"\n")
    assert kinds(target) == [("void", 4)]


def test_a_link_that_somebody_moved_is_drift(target: Target) -> None:
    target.link.unlink()
    target.link.symlink_to(f"releases/{short_digest(C)}")
    assert kinds(target) == [("drift", None)]
    assert not audit_target(target).broken
    target.link.unlink()
    target.link.symlink_to("/etc")
    assert kinds(target) == [("drift", None)]


def test_a_directory_that_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        audit_target(Target(tmp_path))
