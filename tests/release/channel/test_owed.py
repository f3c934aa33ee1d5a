"""Marks that a generation owes: set once, by whoever comes next, and never over a person's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from rolldeck.release.channel import Entry, Hold, Recorded, Verdict, owed, ruling
from tests.release.channel.made import START, digest, version

SECOND = timedelta(seconds=1)
UNTIL = START + timedelta(hours=24)
BACK = Entry(
    channel="production",
    number=3,
    verb="rollback",
    from_digest=digest("b"),
    version=version("a"),
    actor="mia",
    time=START,
    reason="f1 drop",
    sets_hold=UNTIL,
    marks_bad=digest("b"),
)


def recorded(entry: Entry) -> Recorded:
    return Recorded(entry, entry.to_manifest().digest)


def undo_of(back: Recorded) -> Recorded:
    entry = replace(BACK, number=4, verb="undo", sets_hold=None, marks_bad=None, refers_to=3)
    return recorded(replace(entry, previous=back.digest, nonce="e" * 32))


def test_a_rollback_owes_its_hold_and_its_mark() -> None:
    back = recorded(BACK)
    found = owed(back, None, version("b"), None, [], START)
    assert found.hold is not None
    assert found.verdict is not None
    assert (found.hold.version.digest, found.hold.until) == (digest("a"), UNTIL)
    assert (found.verdict.opinion, found.verdict.version.digest) == ("bad", digest("b"))
    assert found.hold.set_by == found.verdict.set_by == back.digest


def test_whoever_sets_them_writes_the_same_bytes() -> None:
    one, two = (owed(recorded(BACK), None, version("b"), None, [], START) for _ in range(2))
    assert one.hold is not None
    assert two.hold is not None
    assert one.hold.to_manifest().digest == two.hold.to_manifest().digest


def test_what_is_set_is_not_owed() -> None:
    first = owed(recorded(BACK), None, version("b"), None, [], START)
    assert first.verdict is not None
    again = owed(recorded(BACK), None, version("b"), first.hold, [first.verdict], START)
    assert not again


def test_a_released_hold_is_not_set_again() -> None:
    hold = owed(recorded(BACK), None, version("b"), None, [], START).hold
    assert hold is not None
    released = replace(hold, released=True, holder="ops", time=START + SECOND)
    assert owed(recorded(BACK), None, version("b"), released, [], START).hold is None


def test_a_hold_that_a_person_set_since_stays() -> None:
    later = Hold("production", version("a"), "ops", START)
    earlier = replace(later, time=START - SECOND)
    assert owed(recorded(BACK), None, version("b"), later, [], START).hold is None
    assert owed(recorded(BACK), None, version("b"), earlier, [], START).hold is not None


def test_a_hold_that_would_have_ended_is_not_set() -> None:
    assert owed(recorded(BACK), None, version("b"), None, [], UNTIL).hold is None


def test_a_mark_rules_over_a_good_verdict_of_a_clock_that_goes_fast() -> None:
    good = Verdict(version("b"), "good", "ops", START + timedelta(hours=1))
    bad = owed(recorded(BACK), None, version("b"), None, [good], START).verdict
    assert bad is not None
    assert ruling([good, bad]) is bad


def test_an_undo_owes_the_release_and_the_withdrawal() -> None:
    back = recorded(BACK)
    marks = owed(back, None, version("b"), None, [], START)
    assert marks.verdict is not None
    found = owed(undo_of(back), back, version("b"), marks.hold, [marks.verdict], START)
    assert found.hold is not None
    assert found.hold.released
    assert found.verdict is not None
    assert ruling([marks.verdict, found.verdict]) is None


def test_an_undo_owes_nothing_of_what_others_set() -> None:
    back = recorded(BACK)
    hold = Hold("production", version("a"), "ops", START)
    bad = Verdict(version("b"), "bad", "ops", START)
    assert not owed(undo_of(back), back, version("b"), hold, [bad], START)
