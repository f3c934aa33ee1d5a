"""What a policy says of a comparison, on the page and in its exports."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from rolldeck.actions import Workspace
from rolldeck.compare import Comparison, Guardrail, Policy, compare
from rolldeck.settings import Settings
from rolldeck.tui.models.comparison_lines import build_page
from rolldeck.tui.models.comparison_state import View
from rolldeck.tui.models.lines import Line
from rolldeck.tui.reads import compare_versions
from tests.golden_kits import load_version
from tests.tui.compare_host import A, B, Host, press, ready, see
from tests.tui.conftest import until

STRICT = Policy({"recall": Guardrail(min=0.99), "accuracy": Guardrail(min=0.5)})


def judged(policy: Policy | None) -> Comparison:
    """Return the comparison of two golden versions under a policy."""
    return compare(load_version(A), load_version(B), policy=policy)


def lines(comparison: Comparison, width: int) -> list[Line]:
    """Return the page of a comparison."""
    return list(build_page(comparison, View(), width).lines)


@pytest.mark.parametrize("width", [80, 120])
def test_what_failed_stands_below_the_summary(width: int) -> None:
    """By mark, word and by how much; what passed is only counted."""
    page = [item.text.strip() for item in lines(judged(STRICT), width)]
    title = page.index("Guardrails: 1 failed of 2")
    assert page[title + 1].startswith(
        "× failed  recall: 0.955556 is 0.034444 below the min of 0.99"
    )
    assert title < next(n for n, text in enumerate(page) if text.startswith("▼ Metrics"))
    assert not any("accuracy: 0.97" in text for text in page)


def test_without_a_policy_nothing_is_said() -> None:
    """Nor an empty line."""
    assert not any("Guardrails" in item.text for item in lines(judged(None), 80))


def test_a_policy_that_holds_takes_one_line() -> None:
    """Also said: it was looked at."""
    policy = Policy({"accuracy": Guardrail(min=0.5)})
    page = [item.text.strip() for item in lines(judged(policy), 80)]
    assert "Guardrails: all 1 passed" in page


@pytest.mark.parametrize("width", [60, 80])
def test_what_was_not_read_is_said_below_the_summary(width: int) -> None:
    """Else what is equal on the page would seem to be all."""
    text = "v1: m: not looked through to its end: stopped behind m/a.safetensors \x1b[2J"
    page = lines(replace(judged(STRICT), problems=(text,)), width)
    said = " ".join(item.text.strip() for item in page)
    assert "not read: v1: m: not looked through to its end" in said
    assert "\x1b" not in said
    assert all(item.width <= width for item in page)


def test_names_from_versions_and_policies_stay_inert() -> None:
    """A metric may be called anything; no line is wider than the page."""
    name = "[/][@click=app.quit]x[/]\x1b]52;c;aGk=\x07" + "w" * 200
    policy = Policy({name: Guardrail(min=0.5, required=True)})
    page = lines(judged(policy), 80)
    assert all(item.width <= 80 for item in page)
    assert not any("\x1b" in item.text for item in page)


async def test_the_policy_stays_with_sides_swapped_and_is_exported(tmp_path: Path) -> None:
    """The page is judged again, and the file says the same."""
    policy = Policy({"recall": Guardrail(min=0.96)})
    app = Host(load_version(A), load_version(B), judged(policy))
    async with app.run_test(size=(100, 40)) as pilot:
        await ready(pilot, app)
        await see(pilot, app, "1 failed of 1")
        await press(pilot, app, "x")
        await see(pilot, app, "all 1 passed")
        await press(pilot, app, "x")
        await see(pilot, app, "1 failed of 1")
        await pilot.press("e", "down", "down", "down", "enter")
        await until(lambda: bool(app.screen.query(Input)), pilot)
        target = tmp_path / "found.json"
        app.screen.query_one(Input).value = str(target)
        await pilot.press("enter")
        await until(lambda: target.exists() and bool(target.read_text()), pilot)
    (result,) = json.loads(target.read_text())["guardrails"]
    assert (result["metric"], result["outcome"]) == ("recall", "failed")


class _Node:
    """Keeps what was posted."""

    def post_message(self, message: object) -> None:
        """Keep it."""
        self.message = message


async def test_the_deck_asks_the_policy_of_the_settings(golden: Path, tmp_path: Path) -> None:
    """What the screen is opened with was judged."""
    from rolldeck.oci import Reference

    path = tmp_path / "policy.toml"
    path.write_text("[metrics.recall]\nmin = 0.99\n")
    workspace = Workspace(Settings(library=tmp_path / "library", policy=path))
    sides = [Reference.parse(f"oci:{golden}/layouts/{name}") for name in (A, B)]
    node = _Node()
    await compare_versions(node, workspace, *sides)  # type: ignore[arg-type]
    found = node.message.result  # type: ignore[attr-defined]
    assert [item.outcome for item in found.comparison.guardrails] == ["failed"]
    workspace.settings = replace(workspace.settings, policy=tmp_path / "none.toml")
    await compare_versions(node, workspace, *sides)  # type: ignore[arg-type]
    assert "No policy file" in str(node.message.result)  # type: ignore[attr-defined]
    await workspace.close()
