"""Rate and time left from counters, and the rows made of them; by a clock that tests turn."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from rolldeck.pace import Pace, watched
from rolldeck.progress import Progress
from rolldeck.progress_rows import progress_rows
from rolldeck.units import amount, duration

MIB = 1024 * 1024


def flowing(
    progress: Progress, speed: int, seconds: int, pace: Pace | None = None, start: float = 0
) -> Pace:
    """Look twice a second while bytes flow from ``start`` on; returns the pace."""
    pace = pace or Pace(progress)
    pace.sample(start)
    for half in range(1, 2 * seconds + 1):
        progress.advance(speed // 2)
        pace.sample(start + half / 2)
    return pace


def test_a_steady_rate_is_told_from_the_first_sample_on() -> None:
    """No slow start from zero."""
    progress = Progress()
    progress.expect(100 * MIB)
    pace = flowing(progress, MIB, 1)
    assert pace.rate == pytest.approx(MIB)
    assert pace.left == pytest.approx(99)
    assert pace.figures == "1.0 MiB/s  2 min left"


def test_nothing_is_told_before_bytes_move() -> None:
    """The wait for the first answer is no rate."""
    progress = Progress()
    progress.expect(MIB)
    pace = Pace(progress)
    for second in range(10):
        pace.sample(second)
    assert (pace.rate, pace.left, pace.figures) == (0, None, "")
    progress.advance(1000)
    pace.sample(10)
    assert pace.rate == 1000


def test_what_was_there_before_is_no_rate() -> None:
    """A resumed blob does not begin with a gigabyte per second."""
    progress = Progress()
    part = progress.part("blob", 1000 * MIB)
    pace = Pace(progress)
    pace.sample(0)
    part.skip(610 * MIB)
    part.resume()
    flowing(part, 10 * MIB, 2, pace.parts[0])
    pace.sample(2)
    assert pace.rate == pytest.approx(10 * MIB)
    assert pace.left == pytest.approx(37)


def test_the_rate_follows_and_forgets() -> None:
    """A line that gets slower is believed within seconds; one that stalls promises nothing."""
    progress = Progress()
    progress.expect(10_000 * MIB)
    pace = flowing(progress, 100 * MIB, 20)
    flowing(progress, 10 * MIB, 10, pace, start=20)
    assert 10 * MIB < pace.rate < 20 * MIB
    flowing(progress, 0, 120, pace, start=30)
    assert pace.rate < 1
    assert pace.left is None


def test_bytes_to_repeat_are_no_negative_rate() -> None:
    """A rewind is not a speed."""
    progress = Progress()
    progress.expect(MIB)
    pace = flowing(progress, 1000, 2)
    progress.advance(-2000)
    pace.sample(3)
    assert 0 < pace.rate < 1000


def test_too_many_parts_show_those_at_work() -> None:
    """Then those that wait, in their order; done ones give way first."""
    whole = Progress()
    for number in range(6):
        whole.part(str(number), 10).state = "done" if number < 3 else "waiting"
    whole.parts[4].state = "receiving"
    pace = Pace(whole)
    pace.sample(0)
    shown = [item.progress.name for item in watched(pace.parts, 3)]
    assert shown == ["3", "4", "5"]
    assert len(watched(pace.parts, 10)) == 6
    assert watched(pace.parts, -1) == []


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_rows_fit_and_their_columns_stand_under_each_other(width: int) -> None:
    """However long the names and whatever the parts do."""
    whole = Progress()
    for name in ("model 9f3c2ab1d0e7", "a/very/long/path/to/a/file/of/weights.safetensors", "模型"):
        part = whole.part(name, 1023 * MIB)
        part.skip(600 * MIB)
        part.state = "receiving"
    whole.parts[1].resume()
    whole.parts[2].wait(700, "for try 2 of 6: host.example:5000 broke the connection", now=0)
    pace = Pace(whole)
    flowing(whole.parts[0], 10 * MIB, 3, pace)
    rows = progress_rows(pace.parts, width, 3.0)
    lines = [
        "  ".join(
            part for part in (row.name, row.filled + row.empty, row.figures, row.doing) if part
        )
        for row in rows
    ]
    assert all(cell_len(line) <= width for line in lines)
    assert len({cell_len(row.name + row.filled + row.empty + row.figures) for row in rows}) == 1
    assert "10.0 MiB/s" in rows[0].doing
    assert rows[1].doing == "resuming at 58 %"
    assert rows[2].doing.startswith("waiting 12 min")


def test_what_counts_nothing_has_no_bar() -> None:
    """Such as the move of a channel: only what it does is told."""
    progress = Progress()
    progress.wait(12, "as the registry asked", now=0)
    (row,) = progress_rows([Pace(progress)], 80, 3.0, "total")
    assert not f"{row.filled}{row.empty}{row.figures}".strip()
    assert "waiting" in row.doing


def test_amounts_and_durations() -> None:
    """One unit where that is enough."""
    assert amount(2 * MIB, 4 * MIB) == "2.0 of 4.0 MiB"
    assert amount(900, 4 * MIB) == "900 B of 4.0 MiB"
    assert amount(5 * MIB, 4 * MIB) == "4.0 of 4.0 MiB"
    assert [duration(n) for n in (-1, 0, 89, 90, 5399, 5400, 90061)] == [
        "0 s", "0 s", "89 s", "2 min", "90 min", "1 h 30 min", "25 h 1 min"
    ]  # fmt: skip
