"""Direction, tolerance and export in the comparison on screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from rolldeck.settings import state_home
from rolldeck.tui.comparison_direction import next_choice
from rolldeck.tui.screens.compare import CompareScreen
from tests.tui.compare_host import Host, host, press, ready, see
from tests.tui.conftest import grid, until


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def saved() -> str:
    path = state_home() / "directions.json"
    return path.read_text() if path.exists() else ""


def row(app: Host, name: str) -> str:
    return next(line for line in grid(app).splitlines() if f" {name} " in line)


async def test_b_sets_the_direction_and_remembers_it() -> None:
    """Higher, lower, neither, and what it was at first."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        assert app.page.target == ("metrics", "recall")
        await pilot.press("b")
        await until(lambda: '"recall": "higher"' in saved(), pilot)
        await pilot.press("b")
        await until(lambda: '"recall": "lower"' in saved(), pilot)
        await until(lambda: "▲ better" in row(app, "recall"), pilot)
        assert app.page.target == ("metrics", "recall")
        await pilot.press("b")
        await until(lambda: '"recall": "none"' in saved(), pilot)
        await until(lambda: "better" not in row(app, "recall"), pilot)
        await pilot.press("b")
        await until(lambda: "recall" not in saved(), pilot)
        await until(lambda: "▼ worse" in row(app, "recall"), pilot)


def test_b_comes_round() -> None:
    own: dict[str, bool | None] = {}
    seen = []
    for _ in range(4):
        choice, forget = next_choice(own, "x")
        own.pop("x", None)
        if not forget:
            own["x"] = choice
        seen.append(own.get("x", "unset"))
    assert seen == [True, False, None, "unset"]


async def test_b_elsewhere_says_what_it_is_for() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await press(pilot, app, "G", "b")
        assert saved() == ""


async def test_tilde_sets_the_tolerance() -> None:
    """What is within it folds, and the border counts it."""
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("~")
        await until(lambda: bool(app.screen.query(Input)), pilot)
        app.screen.query_one(Input).value = "lots"
        await pilot.press("enter")
        await see(pilot, app, "A percentage such as 0.1 %")
        app.screen.query_one(Input).value = "1.2%"
        await pilot.press("enter")
        await see(pilot, app, "≈ 3 within 1.2 %", "4 metrics better")
        await press(pilot, app, "=")
        await see(pilot, app, "≈ 0 within 1.2 %")
        app.screen.action_compare_copy()  # type: ignore[attr-defined]
        assert app.copied[0].endswith("--tolerance 1.2%")


async def test_e_writes_a_file_and_asks_before_it_replaces_one(tmp_path: Path) -> None:
    """In the directory that the dialog names."""
    app = host()
    path = tmp_path / "diff-v1.2.0-v2.0.0.md"
    path.write_text("mine")
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("e")
        await see(pilot, app, "Markdown", "HTML", "TSV", "JSON")
        await pilot.press("enter")
        await until(lambda: bool(app.screen.query(Input)), pilot)
        await see(pilot, app, path.name)
        await pilot.press("enter")
        await see(pilot, app, "enter again replaces it")
        assert path.read_text() == "mine"
        await pilot.press("enter")
        await until(lambda: "recall" in path.read_text(), pilot)
        await until(lambda: isinstance(app.screen, CompareScreen), pilot)
        assert path.read_text().startswith("### `v1.2.0`")


async def test_another_name_is_not_replaced_by_a_question_about_the_first(tmp_path: Path) -> None:
    app = host()
    for name in ("one.md", "two.md"):
        (tmp_path / name).write_text("mine")
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("e", "enter")
        await until(lambda: bool(app.screen.query(Input)), pilot)
        for name in ("one.md", "two.md"):
            app.screen.query_one(Input).value = name
            await pilot.press("enter")
            await see(pilot, app, f"{name} exists")
        assert (tmp_path / "two.md").read_text() == "mine"


async def test_a_read_only_deck_exports_nothing() -> None:
    app = host()
    app.read_only = True  # type: ignore[attr-defined]
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        assert "e export" not in grid(app)
        await press(pilot, app, "e", "b", "b")
        assert isinstance(app.screen, CompareScreen)
        await until(lambda: "▲ better" in row(app, "recall"), pilot)
        assert saved() == ""
