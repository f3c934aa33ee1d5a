"""The comparison on screen, driven by keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.strip import Strip
from textual.widgets import OptionList

from rolldeck.tui.screens.compare import CompareScreen
from rolldeck.tui.screens.text_diff import TextDiffScreen
from rolldeck.tui.widgets.comparison_view import ComparisonView
from tests.golden_kits import load_version
from tests.tui.compare_host import HOSTILE, A, B, Host, gone, host, press, ready, see
from tests.tui.comparisons import ALL, versions
from tests.tui.conftest import grid, until


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_page(
    size: tuple[int, int], same_as_snapshot: Callable[[str, str], None]
) -> None:
    """The whole screen, as people see it."""
    app = Host(*versions(), ALL)
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await press(pilot, app, "j", "k")
        same_as_snapshot(f"compare-{size[0]}x{size[1]}", grid(app))


async def test_the_cursor_starts_on_the_worst_metric() -> None:
    """What is asked about first needs no key."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        assert app.page.target == ("metrics", "recall")
        await see(pilot, app, "1 metric worse (recall -1.1 %), 6 better")


async def test_all_rows_and_back() -> None:
    """``=`` shows equal rows; the border counts what is hidden."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await see(pilot, app, "77 equal hidden")
        before = app.page.line_count
        await press(pilot, app, "=")
        await see(pilot, app, "all rows · 0 equal hidden")
        assert app.page.line_count > before
        await press(pilot, app, "=")
        assert app.page.line_count == before


async def test_relative_and_absolute() -> None:
    """``%`` switches between both."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await press(pilot, app, "%")
        await see(pilot, app, "-1.1 pp  ▼ worse")


async def test_swap_compares_the_other_way_round() -> None:
    """``x`` computes it anew: what was worse is better."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await press(pilot, app, "x")
        await see(pilot, app, "6 metrics worse")
        await see(pilot, app, "v2.0.0 ↔ v1.2.0")
        recall = next(line for line in grid(app).splitlines() if " recall " in line)
        assert "▲ better" in recall


async def test_folding_one_and_all() -> None:
    """``z`` folds where the cursor is, enter opens again, ``Z`` folds all."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await press(pilot, app, "z")
        assert app.page.target == ("metrics", None)
        await see(pilot, app, "▶ Metrics  7 of 7")
        await press(pilot, app, "enter")
        await see(pilot, app, "▼ Metrics  7 of 7")
        await press(pilot, app, "Z")
        await gone(pilot, app, "▼")
        await press(pilot, app, "Z")
        await see(pilot, app, "▼ Metrics")


async def test_differences_are_hits() -> None:
    """``n`` and ``N`` go over rows that differ and leave heads out."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        for _ in range(7):
            await press(pilot, app, "n")
        assert app.page.target is not None
        assert app.page.target.section == "parameters"
        assert app.page.target.key is not None
        await press(pilot, app, "N")
        assert app.page.target == ("metrics", "roc_auc")


async def test_moving_keeps_the_cursor_in_sight() -> None:
    """First, last, half pages and pages."""
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        for key in ("G", "ctrl+u", "pageup", "ctrl+d", "pagedown", "j", "k", "g", "down"):
            await press(pilot, app, key)
            await until(lambda: app.page.at_rest, pilot)
            line = app.page.stop(app.page.cursor).line
            top = app.page.scroll_offset.y
            assert top <= line < top + app.page.size.height, key


async def test_the_cursor_survives_a_change_of_size() -> None:
    """It stays on its row."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await press(pilot, app, "j", "j")
        wanted = app.page.target
        await pilot.resize_terminal(80, 24)
        await until(lambda: app.page.size.width < 80, pilot)
        assert app.page.target == wanted


@pytest.mark.parametrize("key", ["f", "enter"])
async def test_a_file_opens_by_enter_and_by_f(key: str) -> None:
    """On the row of a file both show its text; esc comes back."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        while app.page.target != ("code", "src/predict.py"):
            await pilot.press("j")
        await pilot.press(key)
        await until(lambda: isinstance(app.screen, TextDiffScreen), pilot)
        assert isinstance(app.screen, TextDiffScreen)
        assert app.screen.pair.path == "src/predict.py"
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, CompareScreen), pilot)


async def test_f_elsewhere_asks_which_file() -> None:
    """Several files differ, so it cannot know."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("f")
        await until(lambda: bool(app.screen.query(OptionList)), pilot)
        await see(pilot, app, "docs/README.md  changed", "src/predict.py  changed")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, TextDiffScreen), pilot)
        assert isinstance(app.screen, TextDiffScreen)
        assert app.screen.pair.path == "src/predict.py"


async def test_f_elsewhere_opens_the_only_file() -> None:
    """With one file there is nothing to ask."""
    a, b = load_version(A), load_version(B)
    one = {**a.files, "src/predict.py": b.files["src/predict.py"]}
    app = Host(a, replace(a, files=one))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.page.line_count > 0, pilot)
        await pilot.press("f")
        await until(lambda: isinstance(app.screen, TextDiffScreen), pilot)


async def test_identical_versions_are_called_so() -> None:
    """Nothing differs, and the page says it."""
    app = host(A, A)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.page.line_count > 0, pilot)
        await see(pilot, app, "Identical")


async def test_copying_the_command_that_shows_the_same() -> None:
    """It can go into the incident's notes."""
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        app.screen.action_compare_copy()  # type: ignore[attr-defined]
        assert app.copied == [f"rolldeck diff {A} {B}"]


@pytest.mark.parametrize("key", ["escape", "backspace"])
async def test_back_leaves_the_comparison(key: str) -> None:
    """Both keys that go back do."""
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press(key)
        await until(lambda: not isinstance(app.screen, CompareScreen), pilot)


async def test_hostile_names_do_nothing() -> None:
    """Markup, links and control sequences of a version are text."""
    a, b = load_version(A), load_version(B)
    a = replace(a, reference=f"{HOSTILE}:1", label=HOSTILE, files={HOSTILE: b"a\n", "x": b"1"})
    b = replace(b, reference=f"{HOSTILE}:2", label=HOSTILE, files={HOSTILE: b"b\n", "x": b"2"})
    app = Host(a, b)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        shown = grid(app).replace("\n", "")
        assert "[/][@click=app.quit]x[/]" in shown
        assert all(ord(character) >= 32 for character in shown)
        for key in ("f", "enter", "escape", "x", "y", "Z"):
            await press(pilot, app, key)
            assert all(ord(character) >= 32 for character in grid(app).replace("\n", ""))
        await pilot.click(ComparisonView, offset=(30, 1))
        assert app.is_running


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by each line that a page draws."""
    rows: list[int] = []
    original = ComparisonView.render_line

    def counted(self: ComparisonView, y: int) -> Strip:
        rows.append(y)
        return original(self, y)

    monkeypatch.setattr(ComparisonView, "render_line", counted)
    return rows


async def test_a_move_of_the_cursor_draws_two_lines(drawn: list[int]) -> None:
    """Not the page: over a slow line that would be felt."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        drawn.clear()
        await press(pilot, app, "j")
        await until(lambda: len(drawn) >= 2, pilot)
        await pilot.pause(0.1)
        assert len(set(drawn)) == 2


async def test_nothing_is_drawn_while_idle(drawn: list[int]) -> None:
    """No timer, no blink: an idle page sends nothing."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        drawn.clear()
        await pilot.pause(0.3)
        assert drawn == []
