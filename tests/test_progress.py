"""Progress of a whole and its parts: what counts, what is said, what stops."""

from __future__ import annotations

import pytest

from rolldeck.errors import CancelledError
from rolldeck.progress import Pause, Progress


def test_the_whole_counts_what_its_parts_count() -> None:
    """Bytes that need not move are done, too."""
    whole = Progress()
    whole.expect(10)
    first, second = whole.part("first", 100), whole.part("second", 50)
    first.advance(40)
    second.skip(25)
    whole.advance(5)
    assert (whole.total, whole.done, whole.skipped) == (160, 70, 25)
    assert (first.percent, second.percent, whole.percent) == (40, 50, 43)


def test_work_that_is_repeated_was_not_skipped() -> None:
    """A damaged part of what was there is fetched after all."""
    part = Progress().part("blob", 100)
    part.skip(60)
    part.advance(-40)
    part.advance(80)
    assert (part.done, part.skipped) == (100, 20)


def test_a_part_says_what_it_does() -> None:
    """Its state, where it goes on, what it waits for."""
    part = Progress().part("model 9f3c", 100)
    assert part.said(0) == "waiting"
    part.skip(61)
    part.resume()
    assert part.said(0) == "resuming at 61 %"
    part.state = "receiving"
    part.advance(20)
    assert part.said(0) == "resumed at 61 %"
    part.state = "verifying"
    assert part.said(0) == "verifying"


def test_a_wait_counts_down() -> None:
    """By the clock of whoever looks, in whole seconds, never below none."""
    part = Progress().part("blob", 100)
    part.wait(12.0, "as the registry asked", now=1000.0)
    said = [part.said(now) for now in (1000.0, 1000.5, 1011.2, 1012.0, 1013.0)]
    assert [int(text.split()[1]) for text in said] == [12, 12, 1, 0, 0]
    assert said[0] == "waiting 12 s as the registry asked"
    part.go_on()
    assert part.said(1013.0) == "waiting"
    assert Pause(7300.0, "x").said(0.0) == "waiting 2 h 1 min x"


def test_the_whole_says_what_one_of_its_parts_waits_for() -> None:
    """A wait goes before a resumption; its own note before both."""
    whole = Progress()
    first, second = whole.part("first", 100), whole.part("second", 100)
    assert whole.said(0) == ""
    first.skip(50)
    first.resume()
    assert whole.said(0) == "resuming at 50 %"
    second.wait(3, "as the registry asked", now=0)
    assert whole.said(0) == "waiting 3 s as the registry asked"
    whole.note = "unpacking"
    assert whole.said(0) == "unpacking"


def test_events_of_all_parts_stand_at_the_whole() -> None:
    """In the order in which they happened."""
    whole = Progress()
    part = whole.part("pull").part("blob", 100)
    part.skip(61)
    part.resume()
    part.wait(12, "as the registry asked", now=0)
    assert whole.events == part.events
    assert whole.events == ("resuming blob at 61 %", "waiting 12 s as the registry asked")


def test_cancelling_a_part_cancels_all() -> None:
    """The hook of a blocked read runs once."""
    whole = Progress()
    part, other = whole.part("one"), whole.part("two")
    cut: list[int] = []
    with part.on_cancel(lambda: cut.append(1)):
        other.cancel()
    assert cut == [1]
    assert whole.cancelled
    with pytest.raises(CancelledError):
        part.check()
