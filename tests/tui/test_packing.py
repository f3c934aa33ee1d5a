"""Packing in the deck: the plan says what is packed and what is not, ``y`` packs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rolldeck import actions
from rolldeck.actions import Packing, Workspace, plan_pack
from rolldeck.actions.delivery import TagChange
from rolldeck.kit.finding import Finding
from rolldeck.kit.layer_listing import LayerEntry
from rolldeck.kit.pack_documents import PackForm
from rolldeck.kit.pack_plan import PackPlan, PlannedLayer
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from rolldeck.tui.app import Deck
from rolldeck.tui.models.lines import Line
from rolldeck.tui.models.pack_lines import pack_page
from tests.tui.conftest import Open, Stage
from tests.tui.test_snapshots import SIZES
from tests.tui.world import World, digest_of

KITFILE = """\
manifestVersion: 1.0.0
package:
  name: fraud
model:
  path: model.safetensors
code:
  - path: src
"""


def a_context(path: Path) -> Path:
    """Write a directory with a Kitfile; a link in it is not packed."""
    (path / "src").mkdir(parents=True)
    (path / "Kitfile").write_text(KITFILE)
    (path / "model.safetensors").write_bytes(b"m" * 2048)
    (path / "src" / "train.py").write_text("print(1)\n")
    (path / "src" / "linked.py").symlink_to("train.py")
    return path


async def a_plan(tmp_path: Path, name: str = "fraud:v1") -> Packing:
    """Plan to pack it into an empty library."""
    workspace = Workspace(Settings(library=tmp_path / "library"))
    try:
        context = a_context(tmp_path / "context")
        return await plan_pack(workspace, context, name, PackForm(), Progress())
    finally:
        await workspace.close()


def texts(lines: list[Line]) -> list[str]:
    """Return lines as plain text."""
    return ["".join(span.text for span in line.spans) for line in lines]


async def test_the_plan_names_layers_and_what_is_left_out(tmp_path: Path) -> None:
    page = pack_page(await a_plan(tmp_path))
    assert page.note == "2.0 KiB in 2 layers"
    found = texts(page.lines)
    assert found[0] == "! left out: 1"
    assert "src/linked.py" in found[1]
    assert not any("warnings" in text for text in found)
    assert found[-2:] == [
        "model      model.safetensors  1 file, 2.0 KiB",
        "code       src  1 file, 9 B",
    ]


async def test_much_that_is_left_out_is_counted(tmp_path: Path) -> None:
    """The dialog stays within its 16 rows, and no number is cut off."""
    plan = await a_plan(tmp_path)
    rows = tuple((f"link-{number}", "symbolic links are not packed") for number in range(40))
    findings = tuple(Finding("Kitfile", n + 1, 1, "warning", f"odd {n}") for n in range(9))
    layers = plan.plan.layers[:1] * 30
    plan = replace(plan, plan=replace(plan.plan, left_out=rows, elements=layers), findings=findings)
    page = pack_page(plan)
    found = texts(page.lines)
    assert len(found) <= 16
    assert {"! left out: 40", "! warnings: 9", "and 24 more, 48.0 KiB"} <= set(found)
    assert any("and 38 more" in text for text in found)


async def test_tags_that_name_something_are_told(tmp_path: Path) -> None:
    plan = await a_plan(tmp_path, "fraud:v1,latest,new")
    before = digest_of("before")
    tags = (TagChange("v1", before), TagChange("latest", before), TagChange("new", None))
    found = texts(pack_page(replace(plan, tags=tags)).lines)
    assert found[0].startswith("! v1 is ")
    assert found[0].endswith("stays there, unless it comes out the same")
    assert found[1].endswith("and moves")
    assert not any("new" in text for text in found)


async def test_a_typed_pack_shows_its_plan_and_the_new_version(tmp_path: Path) -> None:
    """``esc`` packs nothing; the line in the log is the verb's."""
    context = a_context(tmp_path / "context")
    workspace = Workspace(Settings(library=tmp_path / "library"))
    deck = Deck(workspace)
    async with deck.run_test(size=(80, 24), notifications=True) as pilot:
        play = Stage(deck, pilot, World())
        for answer in ("escape", "y"):
            await play.press(":", *f"pack {context} fraud:v1", "enter")
            await play.see("2 layers", "left out: 1", "model.safetensors", "y pack")
            assert not workspace.library.entries()
            await play.press(answer)
        await play.until(lambda: bool(deck.jobs.jobs) and not deck.jobs.running)
        assert deck.jobs.jobs[0].state == "done", deck.jobs.jobs[0].outcome
        await play.see("fraud:v1 is ")
        await play.until(lambda: deck.browser is not None and "fraud" in deck.known_repositories())
        assert f"pack {context} -t fraud:v1" in deck.done_lines[-1][1]
    entries = workspace.library.entries()
    await workspace.close()
    assert [(entry.repository, entry.tag) for entry in entries] == [("fraud", "v1")]


async def test_a_mistake_in_the_kitfile_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = a_context(tmp_path / "context")
    monkeypatch.chdir(tmp_path)
    (context / "Kitfile").write_text(KITFILE.replace("safetensors", "safetensor"))
    workspace = Workspace(Settings(library=tmp_path / "library"))
    deck = Deck(workspace)
    async with deck.run_test(size=(120, 40), notifications=True) as pilot:
        play = Stage(deck, pilot, World())
        await play.press(":", *"pack context fraud:v1", "enter")
        await play.see("does not exist", "rolldeck check")
        assert deck.screen is deck.browser
    await workspace.close()


async def test_a_read_only_deck_packs_nothing(tmp_path: Path) -> None:
    workspace = Workspace(Settings(library=tmp_path / "library"))
    deck = Deck(workspace, read_only=True)
    async with deck.run_test(size=(120, 40), notifications=True) as pilot:
        play = Stage(deck, pilot, World())
        await play.press(":", *"pack . fraud:v1", "enter")
        await play.see("No such command: pack")
    await workspace.close()


def a_made_up_plan() -> Packing:
    """Return a plan with something of all that it can tell."""
    sizes = {"model.safetensors": 4_402_000_000, "src": 217_088, "data/train.parquet": 1_363_148}
    layers = tuple(
        PlannedLayer(kind, path, (LayerEntry(path, False, 0o644, sizes[path]),))
        for kind, path in zip(("model", "code", "dataset"), sizes, strict=True)
    )
    left_out = (("src/latest", "symbolic links are not packed"),)
    return Packing(
        Reference.parse("fraud:v2.4.2"),
        (TagChange("v2.4.2", None), TagChange("latest", digest_of("before"))),
        PackForm(),
        PackPlan(Path("fraud"), {}, layers, left_out, 0),
        Path("fraud/Kitfile"),
        b"",
        (Finding("Kitfile", 9, 11, "warning", "src packs src/.env: may hold secrets"),),
    )


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_plan_looks_as_it_was_reviewed(
    size: tuple[int, int],
    stage: Open,
    monkeypatch: pytest.MonkeyPatch,
    same_as_snapshot: Callable[[str, str], None],
) -> None:
    async def plan(*_: object) -> Packing:
        return a_made_up_plan()

    monkeypatch.setattr(actions, "plan_pack", plan)
    async with stage(size=size) as play:
        await play.until(lambda: bool(play.deck.browser.state.since))
        await play.press(":", *"pack fraud fraud:v2.4.2,latest", "enter")
        await play.see("left out: 1")
        await play.settle()
        same_as_snapshot(f"deck-pack-{size[0]}x{size[1]}", play.grid)
