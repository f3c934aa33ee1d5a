"""Every golden version unpacks to the very tree that the real kit writes."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from rolldeck.kit.tree import verify_tree
from rolldeck.kit.unpack import unpack
from rolldeck.progress import Progress
from tests.kit.golden_kits import EXPECTED, GoldenVersion

UNPACKED = [stem for stem in EXPECTED if GoldenVersion(stem).expected.get("kit_unpack")]


def on_disk(root: Path) -> list[dict[str, Any]]:
    """Describe a tree as the golden data does."""
    found = []
    for path in sorted(root.rglob("*"), key=lambda path: str(path.relative_to(root))):
        status = path.lstat()
        entry: dict[str, Any] = {
            "path": str(path.relative_to(root)),
            "mode": oct(stat.S_IMODE(status.st_mode)),
            "type": "dir" if stat.S_ISDIR(status.st_mode) else "file",
        }
        if entry["type"] == "file":
            content = path.read_bytes()
            entry |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        found.append(entry)
    return found


@pytest.fixture(autouse=True)
def _umask() -> Any:
    old = os.umask(0o022)
    yield
    os.umask(old)


@pytest.mark.parametrize("stem", UNPACKED)
def test_tree_is_that_of_kit(stem: str, tmp_path: Path) -> None:
    version = GoldenVersion(stem)
    progress = Progress()
    tree = unpack(version.kit(), version.open_blob, tmp_path / "dest", progress)
    wanted = version.expected.get("same_generation_unpack") or version.expected["kit_unpack"]
    assert on_disk(tmp_path / "dest") == sorted(wanted, key=lambda entry: entry["path"])
    assert [(entry.path, entry.type, oct(entry.mode)) for entry in tree.entries] == [
        (entry["path"], entry["type"], entry["mode"]) for entry in on_disk(tmp_path / "dest")
    ]
    assert tree.skipped == ()
    assert tree.files == sum(entry["type"] == "file" for entry in wanted)
    assert tree.bytes == sum(entry.get("size", 0) for entry in wanted)
    assert progress.done == progress.total > 0 or not version.kit().layers
    assert verify_tree(tmp_path / "dest", tree, Progress()) == []


@pytest.mark.parametrize("form", ["tar", "raw"])
def test_modctl_unpacks_by_annotation(form: str, tmp_path: Path) -> None:
    version = GoldenVersion(f"modctl_{form}")
    unpack(version.kit(), version.open_blob, tmp_path / "dest", Progress())
    era = GoldenVersion("era_v1.11-none").expected["kit_unpack"]
    wanted = {
        entry["path"]: entry["sha256"]
        for entry in era
        if entry["type"] == "file" and entry["path"] != "Kitfile" and "data" not in entry["path"]
    }
    found = on_disk(tmp_path / "dest")
    assert {e["path"]: e["sha256"] for e in found if e["type"] == "file"} == wanted


def test_child_has_its_own_layers_and_kitfile(tmp_path: Path) -> None:
    version = GoldenVersion("odd-child_v1")
    unpack(version.kit(), version.open_blob, tmp_path / "dest", Progress())
    assert [entry["path"] for entry in on_disk(tmp_path / "dest")] == ["Kitfile", "app.py"]
