"""Many versions in the deck: sparklines in a comparison, the table, the plot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rolldeck import actions
from rolldeck.errors import UnavailableError
from rolldeck.facts import Parameter
from rolldeck.tui.screens.plot import PlotScreen
from rolldeck.tui.screens.table import TableScreen
from rolldeck.tui.widgets.matrix_view import MatrixView
from rolldeck.tui.widgets.plot_view import PlotView
from tests.tui.world import FRAUD, World, digest_of, fraud_rows

Snapshot = Callable[[str, str], None]
SIZES = [(80, 24), (120, 40)]


def name_of(size: tuple[int, int], what: str) -> str:
    return f"{what}-{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES)
async def test_the_table(stage: Any, size: tuple[int, int], same_as_snapshot: Snapshot) -> None:
    """The newest versions, with the best value of each metric marked."""
    async with stage(size=size) as play:
        await play.press("t")
        await play.see("8 versions", "v2.3.4", "✓")
        same_as_snapshot(name_of(size, "table"), play.grid)


@pytest.mark.parametrize("size", SIZES)
async def test_the_plot(stage: Any, size: tuple[int, int], same_as_snapshot: Snapshot) -> None:
    """The commonest metric, the cursor on the newest version."""
    async with stage(size=size) as play:
        await play.press("v")
        await play.see("f1 ↑", "version 8 of 8", "✓ best v2.4.0")
        same_as_snapshot(name_of(size, "plot"), play.grid)


async def test_a_comparison_shows_the_versions_before(stage: Any, world: World) -> None:
    """As many as there are up to eight, ending with the newer side."""
    async with stage() as play:
        await play.press("down", "down", "m", "up", "d")
        await play.see("last 7 versions", "▅")
        tags = [row.label for row in fraud_rows()[1:]]
        assert ("load_matrix", *tags) in world.calls


async def test_a_comparison_says_what_is_known_of_both_sides(stage: Any) -> None:
    """Channels, the baseline, and what is on this host."""
    async with stage() as play:
        await play.press("down", "down", "m", "up", "up", "d")
        await play.see("A  v2.3.9", "baseline", "production · current here")


async def test_marked_versions_are_a_table(stage: Any, world: World) -> None:
    """More than two, too; newest first."""
    async with stage() as play:
        await play.press("space", "down", "space", "down", "space", "t")
        await play.see("3 versions")
        assert ("load_matrix", "v2.4.1", "v2.3.9", "v2.3.7") in world.calls


async def test_the_baseline_stays_on_top_and_others_tell_changes(stage: Any) -> None:
    """Whatever the order; ``%`` turns fractions into numbers."""
    async with stage() as play:
        await play.press("t")
        await play.see("8 versions")
        await play.press("down", "down", "m")
        await play.see("v2.3.9 · baseline", "+1.5 % ▲")
        await play.press("s", "percent_sign")
        await play.see("by f1, best first", "+0.013 ▲")
        rows = [line for line in play.grid.splitlines() if "v2." in line]
        assert "v2.3.9 · baseline" in rows[0]
        assert "v2.4.0" in rows[1]


async def test_sorting_walks_over_the_columns(stage: Any) -> None:
    """The column that sorts comes into sight; ``S`` turns the order round."""
    async with stage(size=(80, 24)) as play:
        await play.press("t")
        await play.see("8 versions")
        view = play.deck.screen.query_one(MatrixView)
        await play.press("s")
        await play.see("by f1, best first")
        assert view.rows.matrix.entries[view.rows.order[0]].label == "v2.4.0"
        await play.press("S")
        await play.see("by f1, worst first")
        assert view.rows.matrix.entries[view.rows.order[0]].label == "v2.3.9"
        await play.press("s")
        await play.see("by auc")
        assert view.column is not None
        assert view.column.key == "auc"


async def test_columns_scroll_and_names_stay(stage: Any, world: World) -> None:
    """The name of the version is seen whatever column is."""
    world.facts = {"parameters": tuple(Parameter(f"p{n:02}", n, "Kitfile") for n in range(30))}
    async with stage(size=(80, 24)) as play:
        await play.press("t")
        await play.see("30 equal hidden")
        await play.press("=")
        await play.see("columns 1-")
        await play.press(*["right"] * 32)
        await play.see("›p29", "v2.4.1")
        assert "f1" not in play.grid


async def test_a_thousand_versions_draw_what_is_seen(
    stage: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are made for the rows on the screen, not for all."""
    row = fraud_rows()[0]
    digests = [digest_of(str(number)) for number in range(1000)]
    references = [replace(row.reference, digest=digest) for digest in digests]
    world.rows[FRAUD] = tuple(
        replace(row, reference=reference, label=f"v{number}", digest=reference.digest)
        for number, reference in enumerate(references)
    )
    async with stage(size=(80, 24)) as play:
        play.deck.browser.show_many("version.table", references)
        await play.see("1000 versions", "v0")
        view = play.deck.screen.query_one(MatrixView)
        made: list[int] = []
        line = view.rows.line
        monkeypatch.setattr(
            type(view.rows),
            "line",
            lambda self, entry, shown: made.append(entry) or line(entry, shown),
        )
        view.refresh()
        await play.settle()
        assert 0 < len(made) <= 24 * 2


async def test_the_cursor_moves_over_versions_and_metrics(stage: Any) -> None:
    """Left is older; n and down are the next metric."""
    async with stage(size=(80, 24)) as play:
        await play.press("v")
        await play.see("version 8 of 8", "metric 1 of 3")
        await play.press("left")
        await play.see("version 7 of 8", "0.912", "▲ better")
        await play.press("n")
        await play.see("metric 2 of 3")
        await play.press("down")
        await play.see("metric 3 of 3", "p95")
        await play.press("N", "home")
        await play.see("version 1 of 8", "metric 2 of 3")


async def test_a_baseline_is_drawn(stage: Any) -> None:
    """Its level, its letter, and what others differ from it."""
    async with stage(size=(80, 24)) as play:
        await play.press("v")
        await play.see("version 8 of 8")
        await play.press("home", "m", "right")
        await play.see("B baseline v2.3.4", "against the baseline")


async def test_a_chosen_metric_stands_in_the_list(stage: Any) -> None:
    """Now and in the next deck."""
    async with stage() as play:
        heads = next(line for line in play.grid.splitlines() if "VERSION" in line)
        assert "auc" not in heads
        await play.press("v", "n")
        await play.see("metric 2 of 3")
        await play.press("c", "escape")
        await play.until(lambda: actions.headlines() == {"ghcr.io/acme/fraud": "auc"})
        heads = next(line for line in play.grid.splitlines() if "VERSION" in line)
        assert "auc" in heads
        assert "f1" not in heads
    async with stage() as play:
        await play.until(lambda: play.deck.browser.state.headline == "auc")


async def test_a_read_only_deck_remembers_no_metric(stage: Any) -> None:
    """It is for this deck only."""
    async with stage(read_only=True) as play:
        await play.press("v", "n")
        await play.see("metric 2 of 3")
        await play.press("c", "escape")
        await play.see("auc")
        assert actions.headlines() == {}


async def test_what_cannot_be_read_is_told(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the page, and back is one key."""

    async def fail(*_: object, **__: object) -> None:
        raise UnavailableError("The registry is down")

    async with stage() as play:
        monkeypatch.setattr(actions, "load_matrix", fail)
        await play.press("t")
        await play.see("could not be read", "The registry is down")
        await play.press("escape")
        await play.gone("Table")


async def test_the_table_leads_to_the_comparison_and_the_plot(stage: Any) -> None:
    """``d`` compares with the one below, ``v`` draws the column in hand."""
    async with stage() as play:
        await play.press("t")
        await play.see("8 versions")
        await play.press("v")
        await play.see("version 8 of 8")
        assert isinstance(play.deck.screen, PlotScreen)
        assert play.deck.screen.query_one(PlotView).series is not None
        await play.press("escape", "d")
        await play.see("Compare", "v2.4.0 ↔ v2.4.1")
        await play.press("escape")
        assert isinstance(play.deck.screen, TableScreen)


async def test_hostile_labels_are_harmless(stage: Any, world: World) -> None:
    """A terminal sequence in a tag's place is shown as nothing."""
    world.rows[FRAUD] = tuple(replace(row, label="[/]x\x1b]52;c;aGk=\x07") for row in fraud_rows())
    async with stage() as play:
        await play.press("t")
        await play.see("8 versions", "[/]x")
        assert "\x1b" not in play.grid
