"""How often the files of a release are looked at before they become current."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rolldeck.actions import Workspace, apply, plan_pin, plan_rollback
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.release import target as target_module


@pytest.fixture
async def serving(workspace: Workspace, golden: Path, tmp_path: Path) -> Path:
    """A local target that had v1.1.0 and runs v1.2.0."""
    for tag in ("v1.1.0", "v1.2.0"):
        reference = Reference.parse(f"oci:{golden}/layouts/wdbc:{tag}")
        plan = await plan_pin(workspace, reference, tmp_path / "serving")
        await apply(workspace, plan, Progress())
    return tmp_path / "serving"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The directories whose files were compared with their record."""
    found: list[Path] = []
    real = target_module.verify_tree

    def verify(root: Path, *given: Any, **named: Any) -> Any:
        found.append(root)
        return real(root, *given, **named)

    monkeypatch.setattr(target_module, "verify_tree", verify)
    return found


async def test_a_plan_that_was_shown_is_looked_at_again(
    workspace: Workspace, serving: Path, looks: list[Path]
) -> None:
    """Somebody took their time to answer: what changed meanwhile is unpacked again."""
    plan = await plan_rollback(workspace, serving)
    (file,) = (path for path in looks[0].rglob("*") if path.name == "README.md")
    text = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(b"changed\n")
    moved = await apply(workspace, plan, Progress())
    assert len(looks) == 2
    assert moved.directory is not None
    assert (moved.directory / file.relative_to(looks[0])).read_bytes() == text


async def test_a_plan_of_just_now_needs_one_look(
    workspace: Workspace, serving: Path, looks: list[Path]
) -> None:
    """With --yes nobody is asked in between."""
    plan = await plan_rollback(workspace, serving)
    await apply(workspace, plan, Progress(), just_planned=True)
    assert len(looks) == 1


async def test_what_the_plan_found_changed_is_unpacked_again(
    workspace: Workspace, serving: Path, looks: list[Path]
) -> None:
    """Also of a plan of just now."""
    releases = serving / "releases"
    current = (serving / "current").resolve()
    (other,) = (path for path in releases.iterdir() if path != current)
    (file,) = (path for path in other.rglob("*") if path.name == "README.md")
    text = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(b"changed\n")
    plan = await plan_rollback(workspace, serving)
    moved = await apply(workspace, plan, Progress(), just_planned=True)
    assert moved.directory is not None
    assert (moved.directory / file.relative_to(other)).read_bytes() == text
