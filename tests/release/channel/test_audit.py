"""What an audit finds in a journal: every way in which records can be missing, replaced, odd."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rolldeck.release.audit import Audited
from rolldeck.release.channel import Hold, Journal, Recorded, Verdict, assemble
from rolldeck.release.channel.audit import audit_channel
from tests.release.channel.made import START, digest, entries, version

MOVES = ("-a", "ab", "bc")


def audited(found: Journal, hold: Hold | None = None) -> Audited:
    said = {digest("c"): (Verdict(version("c"), "bad", "mia", START, "f1 drop"),)}
    return audit_channel("acme/fraud:production", found, hold, said, {digest("c"): "v3"})


def kinds(found: Journal) -> list[tuple[str, int | None]]:
    return [(note.kind, note.number) for note in audited(found).notes]


def of(*recorded: Recorded, live: str = "c", **more: object) -> Journal:
    return assemble("production", digest(live), recorded, **more)  # type: ignore[arg-type]


def test_a_whole_journal_has_no_notes() -> None:
    found = audited(of(*entries(*MOVES)))
    assert (found.notes, found.broken) == ((), False)
    moves = [(row.number, row.outcome, row.verdict) for row in found.rows if row.kind == "move"]
    assert moves == [(3, "made", "bad"), (2, "made", None), (1, "made", None)]


def test_marks_are_rows() -> None:
    hold = Hold("production", version("c"), "ops", START + timedelta(days=30), reason="audit")
    found = audited(of(*entries(*MOVES)), hold)
    assert [(row.kind, row.verb, row.actor) for row in found.rows[:1]] == [("hold", "hold", "ops")]
    verdict = next(row for row in found.rows if row.kind == "verdict")
    assert (verdict.verb, verdict.to_label, verdict.reason) == ("bad", "v3", "f1 drop")


@pytest.mark.parametrize(
    ("gone", "notes"),
    [(0, [("gap", 1)]), (1, [("gap", 2)]), (2, [("gap", 3), ("drift", None)])],
)
def test_a_missing_entry_breaks_the_chain(gone: int, notes: list[tuple[str, int | None]]) -> None:
    """The newest one, too: its keeper says that it was made."""
    rest = entries(*MOVES)
    del rest[gone]
    if gone == 0:
        rest[0] = Recorded(
            replace(rest[0].entry, previous=None), rest[1].entry.previous or digest("x")
        )
    found = of(*rest, made={1, 2, 3})
    assert kinds(found) == notes
    assert audited(found).broken


def test_an_entry_that_was_replaced_breaks_the_chain() -> None:
    first, second, third = entries(*MOVES)
    other = replace(second.entry, actor="mallory")
    found = of(first, Recorded(other, other.to_manifest().digest), third)
    assert kinds(found) == [("link", 3)]


def test_an_entry_that_cannot_be_read_breaks_the_chain_once() -> None:
    first, _, third = entries(*MOVES)
    assert kinds(of(first, third, unreadable={2})) == [("unreadable", 2)]


def test_pruned_is_not_broken() -> None:
    found = of(*entries(*MOVES)[1:])
    assert kinds(found) == [("pruned", 2)]
    assert not audited(found).broken


def test_a_fork_breaks_nothing_and_is_told() -> None:
    found = entries(*MOVES)
    other = replace(found[2].entry, actor="ci", nonce="0" * 32)
    rival = Recorded(other, other.to_manifest().digest)
    journal = of(*found, rivals=[rival])
    assert kinds(journal) == [("fork", 3)]
    assert not audited(journal).broken
    assert [row.outcome for row in audited(journal).rows if row.number == 3] == ["made", "rival"]


def test_foreign_moves_are_told() -> None:
    """One that nobody adopted, one that somebody did, and what is so at the moment."""
    assert kinds(of(*entries("-a", "ab", "ca"), live="a")) == [("drift", 3)]
    assert kinds(of(*entries("-a", "ab", "bc:external"))) == [("external", 3)]
    assert kinds(of(*entries(*MOVES), live="b", made={3})) == [("drift", None)]


def test_pending_and_void_are_told() -> None:
    assert kinds(of(*entries(*MOVES), live="b")) == [("pending", 3)]
    assert kinds(of(*entries("-a", "ab", "ac"))) == [("void", 2)]


def test_a_clock_that_was_wrong_is_told() -> None:
    assert kinds(of(*entries(*MOVES, hours=-1))) == [("clock", 3), ("clock", 2)]


def test_a_span_of_time_leaves_out_rows_and_no_notes() -> None:
    found = audited(of(*entries("-a", "ab", "ac")))
    cut = found.between(START + timedelta(hours=48), START + timedelta(hours=48))
    assert [row.number for row in cut.rows] == [2]
    assert cut.notes == found.notes
