"""The comparison page as lines: no app needed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rolldeck import cells
from rolldeck.compare import Comparison, Row, Section, Side, compare, wording
from rolldeck.tui.models.comparison_files import ChangedLine, FileChange
from rolldeck.tui.models.comparison_lines import Page, build_page
from rolldeck.tui.models.comparison_rows import difference, window
from rolldeck.tui.models.comparison_state import Target, View, border_note
from rolldeck.tui.models.lines import Span, cut, wrap
from tests.golden_kits import load_version
from tests.tui.comparisons import (
    ALL,
    DATA,
    HOSTILE,
    KITFILE,
    METRICS,
    PARAMETERS,
    A,
    comparison,
)


def texts(page: Page) -> list[str]:
    """Return the lines of a page without their looks."""
    return [line.text.rstrip() for line in page.lines]


def looks(page: Page, word: str) -> set[str]:
    """Return the looks of the spans that hold a word."""
    return {span.look for line in page.lines for span in line.spans if word in span.text}


@pytest.mark.parametrize("width", [36, 60, 76, 96, 116, 196])
@pytest.mark.parametrize("only_differences", [True, False])
def test_no_line_is_wider_than_the_page(width: int, only_differences: bool) -> None:
    """Whatever the width, lines fit and every stop is on a line."""
    page = build_page(ALL, View(only_differences=only_differences), width)
    assert max(line.width for line in page.lines) <= width
    assert all(0 <= stop.line < len(page.lines) for stop in page.stops)
    assert len(page.stops) == len(page.targets)


def test_both_versions_and_the_summary_come_first() -> None:
    """The head names both sides with 12 digits of their digests."""
    lines = texts(build_page(ALL, View(), 116))
    assert lines[0].split() == ["A", "v2.4.0", "77ab90c1f2d4", "B", "v2.4.1", "9f3c2ab1d0e7"]
    assert lines[2].strip() == "2 metrics worse · data same"


def test_a_narrow_page_puts_the_sides_below_each_other() -> None:
    """Names are not cut as long as a line of its own helps."""
    long = replace(A, label="v2.4.0-rc.1+build.20260101.linux")
    lines = texts(build_page(replace(ALL, a=long), View(), 60))
    assert lines[0].strip() == "A  v2.4.0-rc.1+build.20260101.linux  77ab90c1f2d4"
    assert lines[1].strip() == "B  v2.4.1  9f3c2ab1d0e7"


def test_metrics_say_better_and_worse_by_mark_word_and_sign() -> None:
    """Colour is never alone."""
    page = build_page(ALL, View(), 116)
    lines = "\n".join(texts(page))
    assert "-3.1 %  ▼ worse" in lines
    assert "+53.7 %  ▼ worse" in lines
    assert "+0.4 %  ▲ better" in lines
    assert "↑ good" in lines
    assert "↓ good" in lines
    assert looks(page, "▼ worse") == {"worse"}
    assert looks(page, "▲ better") == {"better"}


def test_values_are_aligned_at_the_right_over_all_sections() -> None:
    """Numbers of one side end in one column."""
    lines = texts(build_page(comparison(METRICS, PARAMETERS), View(), 116))
    ends = {
        line.index(value) + len(value)
        for line in lines
        for value in ("0.912", "41 ms", "0.951", " 12")
        if value in line
    }
    assert len(ends) == 1


def test_without_a_direction_the_older_is_dim_and_the_newer_bright() -> None:
    """Red and green mean worse and better, nothing else."""
    page = build_page(comparison(PARAMETERS), View(), 116)
    row = next(line for line in page.lines if "epochs" in line.text)
    by_text = {span.text.strip(): span.look for span in row.spans}
    assert (by_text["12"], by_text["20"], by_text["+66.7 %"]) == ("dim", "bright", "dim")


def test_only_differences_at_first_and_the_border_counts_what_is_hidden() -> None:
    """Equal rows are hidden, never silently."""
    page = build_page(ALL, View(), 116)
    assert not any("p7" in line for line in texts(page))
    assert any("▼ Parameters  2 of 117" in line for line in texts(page))
    assert border_note(ALL, View()).startswith("only differences · 117 equal hidden")
    everything = View(only_differences=False)
    assert any("p7 " in line for line in texts(build_page(ALL, everything, 116)))
    assert border_note(ALL, everything).startswith("all rows · 0 equal hidden")


def test_sections_without_news_stand_folded_in_the_last_line() -> None:
    """What repeats others, what is the same and what is not known share a line."""
    page = build_page(ALL, View(), 116)
    assert texts(page)[-1].strip() == "▶ Data same   ▶ Kitfile 1   · Signature none"
    ends = [stop.end for stop in page.stops[-2:]]
    assert [target.section for target in page.targets[-2:]] == ["data", "kitfile"]
    assert None not in ends


def test_a_quiet_section_is_open_where_nothing_else_differs() -> None:
    """A difference is never folded away with nothing left to see."""
    lines = texts(build_page(comparison(KITFILE, DATA), View(), 116))
    assert any("▼ Kitfile  1 of 1" in line for line in lines)


def test_folding_keeps_the_head_in_its_place_and_all_folds_come_undone() -> None:
    """``z`` folds one, ``Z`` all, and again shows the page as it was."""
    folded = View().fold(ALL, "metrics")
    lines = texts(build_page(ALL, folded, 116))
    assert any("▶ Metrics  4 of 5" in line for line in lines)
    assert not any("latency" in line or "f1 " in line for line in lines)
    closed = View().fold_all(ALL)
    assert all(closed.folded(ALL, section) for section in ALL.sections)
    assert closed.fold_all(ALL) == View()


def test_an_unfolded_equal_section_shows_its_rows() -> None:
    """Who opens what is the same wants to see it."""
    view = View().fold(ALL, "data")
    page = build_page(ALL, view, 116)
    assert any("rows" in line and "same" in line for line in texts(page))
    assert border_note(ALL, view).startswith("only differences · 116 equal hidden")


def test_a_long_value_stands_below_its_name_with_the_difference_in_sight() -> None:
    """Both sides are cut so that where they differ is seen."""
    page = build_page(comparison(PARAMETERS), View(), 76)
    lines = texts(page)
    at = next(number for number, line in enumerate(lines) if line.strip() == "prompt")
    assert lines[at + 1].strip().startswith("v2.4.0")
    assert lines[at + 1].endswith("a")
    assert lines[at + 2].endswith("b")
    assert {span.look for span in page.lines[at + 2].spans if span.text == "b"} == {"bright"}


def test_files_show_how_many_lines_differ_and_the_first_of_them() -> None:
    """Digests of files help nobody; what changed does."""
    change = FileChange(1, 1, (ChangedLine("-", 23, (Span("lr=3e-4"),)),))
    page = build_page(ALL, View(), 116, changes={Target("code", "train.py"): change})
    lines = texts(page)
    at = next(number for number, line in enumerate(lines) if "train.py" in line)
    assert lines[at].split()[1:] == ["+1", "-1", "f", "shows", "the", "text"]
    assert lines[at + 1].split() == ["23", "-", "lr=3e-4"]
    assert any("old.py" in line and "gone  -7" in line for line in lines)
    assert not any("aaaa" in line for line in lines)


def test_identical_versions_are_called_so() -> None:
    """No empty page: it says that nothing differs."""
    page = build_page(replace(comparison(DATA), identical=True), View(), 76)
    assert any("Identical" in line and "Nothing differs" in line for line in texts(page))


def test_hostile_strings_are_shown_as_text() -> None:
    """Control sequences become escapes, and brackets stay what they are."""
    bad = Section("metrics", (Row(HOSTILE, "changed", HOSTILE, "b", note=HOSTILE, unit=HOSTILE),))
    code = Section("code", (Row(HOSTILE, "changed", "a", "b", note=HOSTILE),))
    side = Side(HOSTILE, HOSTILE, HOSTILE)
    page = build_page(Comparison(side, side, False, HOSTILE, (bad, code)), View(), 76)
    joined = "\n".join(line.text for line in page.lines)
    assert "[/][@click=app.quit]x[/]" in joined
    assert not {character for character in joined if ord(character) < 32} - {"\n"}
    assert "\u202e" not in joined


@pytest.mark.parametrize(
    ("row", "relative", "text"),
    [
        (Row("a", "changed", 1.0, 2.0, 1.0, 1.0), True, "+100.0 %"),
        (Row("a", "changed", 1.0, 2.0, 1.0, 1.0), False, "+1"),
        (Row("a", "changed", 0.0, 2.0, 2.0, None), True, "+2"),
        (Row("a", "changed", 10, 8, -2.0, -0.2, unit="ms"), False, "-2 ms"),
        (Row("a", "changed", 2048, 1024, -1024.0, -0.5, unit="B"), False, "-1.0 KiB"),
        (Row("a", "changed", 1e6, 1e6 + 1, 1.0, 1e-6), True, "+<0.01 %"),
        (Row("a", "changed", 1.0, 99.0, 98.0, 98.0), True, "+9800 %"),
        (Row("a", "added", None, 1.0), True, "new"),
        (Row("a", "removed", 1.0, None), True, "gone"),
        (Row("a", "changed", "x", "y"), True, ""),
        (Row("a", "equal", 1, 1), True, "same"),
    ],
)
def test_deltas_read_as_people_write_them(row: Row, relative: bool, text: str) -> None:
    """Per cent or absolute, with a sign, and words where there is no number."""
    assert wording.delta(row, relative) == text


def test_numbers_get_as_many_digits_as_tell_them_apart() -> None:
    """Two different values never read the same."""
    assert wording.pair(Row("a", "changed", 0.9123, 0.8841)) == ("0.9123", "0.8841")
    assert wording.pair(Row("a", "changed", 0.91231, 0.91234)) == ("0.91231", "0.91234")
    assert wording.pair(Row("a", "changed", 0.1 + 0.2, 0.3))[0] == "0.30000000000000004"
    assert wording.pair(Row("a", "changed", True, False)) == ("true", "false")
    assert cells.value("sha256:" + "ab" * 32) == "ab" * 6
    assert cells.value("etag:sha256:" + "ab" * 32) == "etag:" + "ab" * 6


def test_text_is_cut_and_wrapped_by_cells() -> None:
    """Wide characters count double, and what is left out is marked."""
    assert cut("日本語", 5) == "日本…"
    assert wrap("a bb ccc", 4) == ["a bb", "ccc"]
    assert wrap("abcdefgh", 3) == ["abc", "def", "gh"]
    assert wrap("one two three four", 5, limit=2) == ["one", "two…"]


def test_a_window_keeps_the_difference_in_sight() -> None:
    """The part that differs is never scrolled out."""
    a, b = "x" * 50 + "1" + "y" * 50, "x" * 50 + "2" + "y" * 50
    part, _ = difference(a, b)
    spans = window(a, part, 30, "dim", "bright")
    assert [span.text for span in spans if span.look == "bright"] == ["1"]
    assert sum(len(span.text) for span in spans) <= 30


@pytest.mark.parametrize("width", [76, 116, 196])
def test_the_page_of_real_versions(width: int) -> None:
    """The golden kits: what got worse is first, the summary is theirs."""
    real = compare(load_version("wdbc:v1.2.0"), load_version("wdbc:v2.0.0"))
    page = build_page(real, View(), width)
    lines = texts(page)
    assert max(line.width for line in page.lines) <= width
    metrics = next(number for number, line in enumerate(lines) if "▼ Metrics" in line)
    assert "recall" in lines[metrics + 1]
    assert "▼ worse" in lines[metrics + 1]
