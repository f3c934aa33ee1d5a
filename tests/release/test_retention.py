"""Which releases of a target stay, and what processes have open of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rolldeck.kit.tree import Tree
from rolldeck.oci import Digest, digest_of
from rolldeck.release import Generation, MoveVerb, Release, Target, in_use, trail
from rolldeck.release.following import (
    Following,
    read_following,
    stop_following,
    write_following,
)
from rolldeck.release.in_use import look_for_users
from rolldeck.release.retention import survey_releases, wanted
from tests.release import processes

DIGESTS = {letter: digest_of(letter.encode()) for letter in "abcdefgh"}


def pinned(path: Path, letters: str, verb: MoveVerb = "pin") -> Target:
    """A target that those versions were current in, the last one now."""
    target = Target(path)
    target.prepare()
    for letter in letters:
        move(target, letter, verb)
    return target


def move(target: Target, letter: str, verb: MoveVerb) -> None:
    digest = DIGESTS[letter]
    directory = target.directory(digest)
    if not directory.exists():
        directory.mkdir()
        (directory / "weights.bin").write_bytes(letter.encode() * 8192)
        target.record(Release(digest, f"fraud:{letter}", letter, Tree(())))
    number = target.next_number()
    time = "2026-11-21T00:00:00Z"
    target.move(Generation(number, verb, target.current(), digest, "fraud", "test", time))


def letters(digests: object) -> str:
    """The versions by their letters."""
    names = {digest: letter for letter, digest in DIGESTS.items()}
    return "".join(sorted(names[digest] for digest in digests))  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def visible(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is hidden, unless a test hides one."""
    processes.see_all(monkeypatch)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A target with six releases."""
    return pinned(tmp_path / "serving", "abcdef")


def test_the_last_three_stay(target: Target) -> None:
    """Current and previous are two of them."""
    found = survey_releases(target)
    assert letters(item.digest for item in found.surplus) == "abc"
    assert found.size == sum(item.size for item in found.surplus) > 0


def test_what_an_undo_leads_to_stays(target: Target) -> None:
    move(target, "a", "rollback")
    assert "undo" in wanted(target, 1)[DIGESTS["f"]]


def test_the_previous_version_stays_however_long_ago_it_was(tmp_path: Path) -> None:
    """After a rollback, that is the one before on the way back, not the one that was left."""
    target = pinned(tmp_path / "serving", "abcdef")
    move(target, "b", "rollback")
    assert letters(wanted(target, 1)) == "abf"
    assert "previous" in wanted(target, 1)[DIGESTS["a"]]


def test_the_goal_of_a_move_and_what_was_before_it_stay(target: Target) -> None:
    assert letters(wanted(target, 1, DIGESTS["g"])) == "efg"


def test_the_last_known_good_of_a_followed_channel_stays(target: Target) -> None:
    write_following(target, Following("r.example/fraud:production", good=DIGESTS["a"]))
    assert letters(item.digest for item in survey_releases(target).surplus) == "bc"


def test_following_is_remembered_until_it_ends(target: Target) -> None:
    known = Following("r.example/x:y", DIGESTS["a"], DIGESTS["b"], "v1", True, "2026-11-21T00:00Z")
    write_following(target, known)
    assert read_following(target) == known
    stop_following(target)
    assert read_following(target) is None


@pytest.mark.parametrize("how", ["open", "mapped", "working directory"])
def test_what_a_process_has_open_stays(target: Target, how: str) -> None:
    directory = target.directory(DIGESTS["a"])
    with processes.using(directory / "weights.bin", how) as pid:
        found = survey_releases(target)
        assert letters(item.digest for item in found.surplus) == "bc"
        reasons = next(item.reasons for item in found.kept if item.digest == DIGESTS["a"])
        assert f"({pid}): {how}" in reasons[0]
    assert letters(item.digest for item in survey_releases(target).surplus) == "abc"


def test_a_file_that_is_open_under_another_path_counts(target: Target, tmp_path: Path) -> None:
    """As in a container that sees the release somewhere else: name and number tell."""
    inside = tmp_path / "elsewhere"
    inside.mkdir()
    os.link(target.directory(DIGESTS["a"]) / "weights.bin", inside / "weights.bin")
    with processes.using(inside / "weights.bin", "open"):
        assert letters(item.digest for item in survey_releases(target).surplus) == "bc"


def test_another_file_of_the_same_name_does_not_count(target: Target, tmp_path: Path) -> None:
    other = tmp_path / "weights.bin"
    other.write_bytes(b"other")
    with processes.using(other, "open"):
        assert letters(item.digest for item in survey_releases(target).surplus) == "abc"


def test_the_way_back_of_a_follower_is_that_of_its_channel(tmp_path: Path) -> None:
    """After a rollback that it followed, nobody goes back to the version that was left."""
    target = pinned(tmp_path / "serving", "ab", "follow")
    assert trail(target.history()) == (DIGESTS["a"], DIGESTS["b"])
    move(target, "a", "follow")
    assert trail(target.history()) == (DIGESTS["a"],)


@contextmanager
def someone_hidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A process of which nobody may see what it has open."""
    ran = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    real, seen = in_use._opened, in_use._processes

    def opened(pid: int, places: Any) -> Any:
        if pid == ran.pid:
            raise PermissionError(pid)
        return real(pid, places)

    found = list(seen())
    monkeypatch.setattr(in_use, "_processes", lambda: iter(found))
    monkeypatch.setattr(in_use, "_opened", opened)
    try:
        yield ran.pid
    finally:
        ran.communicate(b"\n")


def test_what_cannot_be_seen_keeps_all(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    with someone_hidden(monkeypatch) as pid:
        found = survey_releases(target)
        assert not found.surplus
        kept = next(item for item in found.kept if item.digest == DIGESTS["a"])
        assert f"({pid}) has open cannot be seen by this user" in kept.reasons[0]
        assert letters(item.digest for item in survey_releases(target, blind=True).surplus) == "abc"


def test_a_release_that_is_taken_away_is_none(target: Target) -> None:
    digest = DIGESTS["a"]
    aside = target.take_away(digest)
    assert target.release(digest) is None
    assert digest not in target.unpacked()
    target.put_back(digest, aside)
    assert target.release(digest) is not None


def test_a_removal_that_was_cut_short_is_finished(target: Target) -> None:
    """Its hidden directory goes as any half-made thing does; then what tells of it."""
    digest: Digest = DIGESTS["a"]
    program = (
        "import sys; from pathlib import Path; from rolldeck.release import Target;"
        f"Target(Path({str(target.path)!r})).take_away({digest!r})"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    with target.locked():
        pass
    names = {path.name for path in target.releases.iterdir()}
    records = {path.stem for path in (target.path / ".rolldeck" / "releases").iterdir()}
    assert names == records
    assert len(names) == 5


def test_a_process_that_ended_is_none(tmp_path: Path) -> None:
    file = tmp_path / "releases" / "x"
    file.parent.mkdir()
    file.write_bytes(b"x")
    with processes.using(file, "open"):
        assert any(look_for_users([file.parent]).uses.values())
    assert not any(look_for_users([file.parent]).uses.values())
