"""A metric over versions as text: marks, gaps and axes, readable without colour."""

from __future__ import annotations

import pytest

from rolldeck.compare import Directions, Entry, matrix
from rolldeck.compare.chart import ASCII, BLOCKS, Glyphs, Series, chart, glyphs_of, legend, series
from rolldeck.facts import Metric


def a_series(*values: float | None, name: str = "f1", baseline: int | None = None) -> Series:
    """Return a metric over versions, oldest first."""
    entries = [
        Entry(f"r:v{n}", f"sha256:{n}", f"v{n}", None, () if x is None else (Metric(name, x, "x"),))
        for n, x in enumerate(values)
    ]
    found = matrix(entries, Directions(), baseline)
    return series(found, found.columns[0], list(range(len(entries)))[::-1])


def drawn(over: Series, width: int = 78, height: int = 18, **more: object) -> list[str]:
    return ["".join(text for text, _ in line) for line in chart(over, width, height, **more)]  # type: ignore[arg-type]


def place_of(mark: str, lines: list[str]) -> tuple[int, int]:
    """Return row and column of a mark."""
    return next((y, line.index(mark)) for y, line in enumerate(lines) if mark in line)


@pytest.mark.parametrize("glyphs", [BLOCKS, ASCII])
@pytest.mark.parametrize(("width", "height"), [(78, 18), (30, 6), (200, 50)])
def test_it_fits_its_place(width: int, height: int, glyphs: Glyphs) -> None:
    """No line is wider than the terminal, at any size."""
    lines = drawn(a_series(*(0.9 + n / 1000 for n in range(100))), width, height, glyphs=glyphs)
    assert len(lines) == height
    assert max(map(len, lines)) <= width


def test_best_and_worst_stand_at_the_ends() -> None:
    """The best of f1 at the top, the worst at the bottom, left to right in time."""
    lines = drawn(a_series(0.8, 0.95, 0.6, 0.9))
    best, worst = place_of("✓", lines), place_of("×", lines)
    assert best[0] == 0
    assert worst[0] == 15
    assert best[1] < worst[1]


def test_the_best_of_a_loss_is_at_the_bottom() -> None:
    """The axis stays as it is; the marks say what is good."""
    lines = drawn(a_series(0.3, 0.1, 0.2, name="loss"))
    assert place_of("×", lines)[0] < place_of("✓", lines)[0]


def test_an_unknown_direction_is_not_judged() -> None:
    """Highest and lowest are told instead."""
    text = "".join(run for run, _ in legend(a_series(1.0, 3.0, name="zzz")))
    assert "highest v1 3.0" in text
    assert "best" not in text


def test_a_missing_value_is_a_gap() -> None:
    """The line is not drawn across it, and the legend counts it."""
    across = drawn(a_series(0.5, 0.5, 0.6))[15]
    gap = drawn(a_series(0.5, None, 0.6))
    middle = slice(30, 40)
    assert across[middle].strip()
    assert not any(line[middle].strip() for line in gap[1:15])
    assert "1 of 3 without it" in "".join(run for run, _ in legend(a_series(0.5, None, 0.6)))


def test_the_baseline_is_marked_and_its_level_drawn() -> None:
    """By a letter and a line, not by colour."""
    lines = drawn(a_series(0.5, 0.7, 0.9, baseline=1))
    row = next(line for line in lines if "B" in line)
    assert row.count("─") > 20


def test_versions_have_names_on_the_axis() -> None:
    """The first, the last and the one under the cursor always."""
    names = drawn(a_series(*(n / 100 for n in range(100))), cursor=37)[-1].split()
    assert names[0] == "v0"
    assert names[-1] == "v99"
    assert "v37" in names


def test_ascii_has_nothing_else() -> None:
    """Where the locale has no block characters."""
    lines = drawn(a_series(0.5, None, 0.6, 0.4, 0.4, baseline=0), glyphs=ASCII, cursor=2)
    assert "".join(lines).isascii()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "en_US.UTF-8"}, BLOCKS),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, ASCII),
        ({"LC_ALL": "", "LC_CTYPE": "C.utf8"}, BLOCKS),
        ({"LANG": "de_DE.ISO-8859-1"}, ASCII),
        ({}, BLOCKS),
    ],
)
def test_the_locale_decides(environment: dict[str, str], expected: Glyphs) -> None:
    """As POSIX orders the variables."""
    assert glyphs_of(environment) is expected


@pytest.mark.parametrize("values", [(1e308, -1e308), (5.0,), (5.0, 5.0), (1e-300, 2e-300)])
def test_extreme_values_are_drawn(values: tuple[float, ...]) -> None:
    """Their span may be more than a float holds, or nothing."""
    assert len(drawn(a_series(*values))) == 18


def test_no_value_is_no_plot() -> None:
    """And so is too small a place."""
    assert chart(a_series(0.5), 10, 20) == []
    assert chart(a_series(0.5), 80, 3) == []
