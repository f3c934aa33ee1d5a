"""A journal read against what its channel points at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rolldeck.release.channel import Recorded, assemble
from tests.release.channel.made import START, digest, entries, journal


def numbers(found: object) -> list[int]:
    return [stay.entry.number for stay in found]  # type: ignore[attr-defined]


def test_the_newest_entry_is_what_is_live() -> None:
    made = journal("-a", "ab", "bc", live="c")
    assert numbers(made.stays) == [3, 2, 1]
    assert made.current is not None
    assert made.current.entry.number == 3
    assert (made.pending, made.drift, made.chain, made.next_number) == (None, False, "ok", 4)


def test_an_entry_without_its_move_is_pending() -> None:
    made = journal("-a", "ab", "bc", live="b")
    assert made.pending is not None
    assert made.pending.entry.number == 3
    assert numbers(made.stays) == [2, 1]
    assert not made.drift


def test_a_move_that_was_never_made_is_passed_over() -> None:
    made = journal("-a", "ab", "ac", live="c")
    assert numbers(made.stays) == [3, 1]
    assert made.stays[1].until == made.stays[0].entry.time


def test_a_made_move_that_somebody_took_back_is_drift_and_not_pending() -> None:
    made = assemble("production", digest("a"), entries("-a", "ab"), made=[1, 2])
    assert made.pending is None
    assert made.drift
    assert numbers(made.stays) == [2, 1]


def test_what_no_entry_led_to_is_drift() -> None:
    made = journal("-a", "ab", live="x")
    assert made.drift
    assert made.current is None
    assert numbers(made.stays) == [2, 1]


def test_a_channel_without_entries_has_no_drift() -> None:
    made = assemble("production", digest("a"), [])
    assert (made.drift, made.chain, made.newest, made.next_number) == (False, "ok", None, 1)


@pytest.mark.parametrize(("drop", "chain"), [(None, "ok"), (0, "pruned"), (1, "broken"), (2, "ok")])
def test_the_chain_tells_what_is_missing(drop: int | None, chain: str) -> None:
    found = entries("-a", "ab", "bc")
    kept = [item for index, item in enumerate(found) if index != drop]
    assert assemble("production", digest("c"), kept).chain == chain


def test_an_entry_that_was_replaced_breaks_the_chain() -> None:
    found = entries("-a", "ab", "bc")
    forged = replace(found[1].entry, reason="other")
    found[1] = Recorded(forged, forged.to_manifest().digest)
    assert assemble("production", digest("c"), found).chain == "broken"


def test_a_second_claim_of_a_number_is_a_fork() -> None:
    found = entries("-a", "ab")
    rival = replace(found[1].entry, actor="ci", nonce="f")
    other = Recorded(rival, rival.to_manifest().digest)
    made = assemble("production", digest("b"), found, rivals=[other, found[1]])
    assert made.chain == "forked"
    assert made.rivals == (other,)


def test_entries_of_another_channel_are_none_of_this_one() -> None:
    assert assemble("staging", None, entries("-a", "ab")).recorded == ()


def test_what_was_live_at_a_moment() -> None:
    made = journal("-a", "ab", live="b")
    hour = timedelta(hours=1)
    assert made.at(START - hour) is None
    first, second = made.at(START + hour), made.at(START + 49 * hour)
    assert first is not None
    assert second is not None
    assert (first.entry.number, first.certain) == (1, True)
    assert (second.entry.number, second.certain) == (2, True)


@pytest.mark.parametrize("live", ["x", "b"])
def test_after_a_move_that_nobody_recorded_the_past_is_uncertain(live: str) -> None:
    moves = ("-a", "ab") if live == "x" else ("-a", "ab:external")
    made = journal(*moves, live=live)
    answer = made.at(START + timedelta(hours=47 if live == "b" else 49))
    assert answer is not None
    assert not answer.certain
