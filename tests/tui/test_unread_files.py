"""Files of code that were too much to read unasked: how they stand in a comparison, and ``f``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rolldeck.actions import Workspace, diff
from rolldeck.actions.small_layers import LOCAL_TEXT_LAYER
from rolldeck.compare import ListedFile, compare
from rolldeck.oci import Reference
from rolldeck.settings import Settings
from rolldeck.tui.models.comparison_lines import build_page
from rolldeck.tui.models.comparison_state import Target, View
from rolldeck.tui.models.file_texts import files_by_row, paths_by_row
from rolldeck.tui.screens.text_diff import TextDiffScreen
from tests.made_kits import MadeLayout
from tests.tui.compare_host import Host, press
from tests.tui.comparisons import versions
from tests.tui.conftest import until


def test_an_unread_file_says_what_to_do_and_is_not_called_removed() -> None:
    """It has a path to read, and no text at hand."""
    a, b = versions()
    a = replace(a, listed={"big.py": ListedFile(200_000, "sha256:1")})
    b = replace(b, listed={"big.py": ListedFile(200_001, "sha256:2")})
    rows = {row.key: row for row in compare(a, b).section("code").rows}
    row = rows["big.py"]
    assert (row.status, row.a, row.b, row.note) == (
        "changed",
        "200000 bytes",
        "200001 bytes",
        "not read",
    )
    page = "\n".join(line.text for line in build_page(compare(a, b), View(), 116).lines)
    assert "not read, press f" in page
    target = Target("code", "big.py")
    assert paths_by_row(a, b)[target] == "big.py"
    assert target not in files_by_row(a, b)
    assert Target("code", "train.py") in files_by_row(a, b)
    b = replace(b, files={**b.files, "big.py": b"text"}, listed={})
    assert target not in files_by_row(a, b)


async def test_f_reads_it_and_shows_its_text(tmp_path: Path) -> None:
    """From the layer; the comparison has its lines then."""
    made = MadeLayout(tmp_path / "layout")
    for tag, text in (("v1", b"one\n"), ("v2", b"two\n")):
        files = {"src/a.bin": bytes(LOCAL_TEXT_LAYER), "src/b.py": text}
        made.kit(tag, {"code": [{"path": "src"}]}, [made.layer("code", files)])
    workspace = Workspace(Settings(library=tmp_path / "library"))
    places = [Reference.parse(f"oci:{made.root}:{tag}") for tag in ("v1", "v2")]
    result = await diff(workspace, *places)
    app = Host(result.a, result.b, result.comparison)
    app.workspace = workspace
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.page.line_count > 0, pilot)
        while app.page.target != Target("code", "src/b.py"):
            await press(pilot, app, "j")
        await pilot.press("f")
        await until(lambda: isinstance(app.screen, TextDiffScreen), pilot)
        assert isinstance(app.screen, TextDiffScreen)
        assert (app.screen.pair.a, app.screen.pair.b) == (b"one\n", b"two\n")
    await workspace.close()
