"""What rolldeck proposes beside what kit proposes, packed by kit; runs where kit is on PATH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rolldeck.kit.check import check_kitfile
from rolldeck.kit.kitfile import read_kitfile
from rolldeck.kit.proposal_text import kitfile_text, kitignore_text
from rolldeck.kit.propose import propose
from rolldeck.kit.read import elements
from rolldeck.progress import Progress
from tests.kit.layouts import LAYOUTS, LIKE_KIT, lay_out

pytestmark = pytest.mark.skipif(shutil.which("kit") is None, reason="kit is not on PATH")


def kit(home: Path, *words: str, code: int = 0) -> str:
    """Run the real kit with storage of its own."""
    ran = subprocess.run(
        ["kit", *words],
        env={**os.environ, "KITOPS_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr if code else ran.stdout


def paths(kitfile: dict[str, Any]) -> list[tuple[str, str]]:
    """Kinds and paths of all elements, in order."""
    return [(kind, element.get("path", ".")) for kind, element in elements(kitfile)]


@pytest.mark.parametrize("name", LIKE_KIT)
def test_the_same_elements_as_kit(tmp_path: Path, name: str) -> None:
    """Models of several files become what kit init makes of them."""
    root = lay_out(tmp_path / "kit", LAYOUTS[name])
    theirs = read_kitfile(kit(tmp_path / "home", "init", str(root), "-o", "-").encode())
    ours = read_kitfile(kitfile_text(propose(root, Progress())).encode())
    assert sorted(paths(ours)) == sorted(paths(theirs))


@pytest.mark.parametrize("name", LAYOUTS)
def test_kit_packs_and_unpacks_each_proposal(tmp_path: Path, name: str) -> None:
    """Every file that was not left out comes back; nothing that was does."""
    root = lay_out(tmp_path / "kit", LAYOUTS[name])
    proposal = propose(root, Progress())
    (root / "Kitfile").write_text(kitfile_text(proposal))
    ignore = kitignore_text(proposal)
    if ignore is not None:
        (root / ".kitignore").write_text(ignore)
    home = tmp_path / "home"
    kit(home, "pack", str(root), "-t", "x:v1")
    kit(home, "unpack", "x:v1", "-d", str(tmp_path / "out"))
    out = tuple(item.path.rstrip("/") for item in proposal.left_out)
    expected = {
        path for path in LAYOUTS[name] if not any(f"{path}/".startswith(f"{left}/") for left in out)
    }
    found = {
        str(path.relative_to(tmp_path / "out"))
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert found == expected | {"Kitfile"}


def refused_by_kit() -> list[str]:
    """Kitfiles that kit does not pack."""
    head = "manifestVersion: 1.0.0\n"
    return [
        f"{head}modle: {{}}\n",
        f"{head}package: {{name: x, name: y}}\n",
        f"{head}code: {{path: src}}\n",
        f"{head}code: [{{path: nowhere}}]\n",
        f"{head}code: [{{path: src}}]\ndocs: [{{path: ./src}}]\n",
        f"{head}code: [{{path: /etc}}]\n",
        f"{head}code: [{{path: 'https://example.com'}}]\n",
        f"{head}code: [{{path: 'docker.io/a/b:latest'}}]\n",
        f"{head}model: {{path: 's3://b/k'}}\n",
        f"{head}model: {{path: m, parts: [{{path: src, type: 'a b'}}]}}\n",
        f"{head}datasets: [{{path: x, remotePath: 's3://b/k'}}]\n",
        f"{head}datasets: [{{path: src, remoteHash: h}}]\n",
        f"{head}package: {{authors: Ada}}\n",
        f"{head}code: [src]\n",
        f"{head}model:\n\tpath: m\n",
    ]


@pytest.mark.parametrize("text", refused_by_kit())
def test_what_kit_refuses_is_a_mistake(tmp_path: Path, text: str) -> None:
    root = lay_out(tmp_path / "kit", {"src/a.py": "x", "m": "x", "Kitfile": text})
    kit(tmp_path / "home", "pack", str(root), "-t", "x:v1", code=1)
    found = check_kitfile(text.encode(), root, Progress())
    assert any(item.severity == "error" for item in found), found


def test_what_kit_would_drop_is_told(tmp_path: Path) -> None:
    """The files that kit leaves out of the layers, by its own packing."""
    files = {"src/a..b.py": "x", "src/a.py": "x", "data/x.csv": "x", "data.md": "x"}
    text = "manifestVersion: 1.0.0\ncode: [{path: .}, {path: src}]\ndatasets: [{path: data}]\n"
    root = lay_out(tmp_path / "kit", {**files, "Kitfile": text})
    kit(tmp_path / "home", "pack", str(root), "-t", "x:v1")
    kit(tmp_path / "home", "unpack", "x:v1", "-d", str(tmp_path / "out"))
    dropped = [path for path in files if not (tmp_path / "out" / path).exists()]
    assert dropped == ["src/a..b.py", "data.md"]
    messages = json.dumps([item.message for item in check_kitfile(text.encode(), root, Progress())])
    assert all(path in messages for path in dropped)
