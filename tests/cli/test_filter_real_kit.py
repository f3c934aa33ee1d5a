"""Filters take what the real kit takes; runs where kit is on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.made_kits import MadeLayout
from tests.servers.registry import RunningRegistry, push_layout

pytestmark = pytest.mark.skipif(shutil.which("kit") is None, reason="kit is not on PATH")


@pytest.mark.parametrize(
    "filters",
    [
        ("kitfile",),
        ("model",),
        ("code,docs",),
        ("kitfile", "datasets"),
        ("prompts",),
        ("code", "prompts:nobody"),
        ("model,docs:README.md",),
        ("docs:./README.md", "docs:README.md"),
        ("datasets:data", "datasets:train", "model"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("version", ["era:v1.11-none", "odd-prompts:v1", "wdbc:v1.2.0"])
def test_filters_take_what_kit_takes(
    golden_registry: RunningRegistry,
    rolldeck: Run,
    tmp_path: Path,
    version: str,
    filters: tuple[str, ...],
) -> None:
    """The same files; where kit writes nothing, rolldeck says so."""
    reference = f"{golden_registry.host}/golden/{version}"
    _compare(rolldeck, reference, filters, tmp_path)


@pytest.mark.parametrize(
    "filters", [("model",), ("code",), ("model:m/w.bin", "kitfile"), ("model,code:own.bin",)]
)
def test_filters_reach_kits_that_lend_the_model(
    docker_registry: RunningRegistry, rolldeck: Run, tmp_path: Path, filters: tuple[str, ...]
) -> None:
    """Those get only the part that names the model."""
    name = tmp_path.name.lower()
    made = MadeLayout(tmp_path / "base")
    made.model("v1", {"m/w.bin": b"weights"}, parts=[{"path": "m/part.bin"}])
    push_layout(docker_registry.url, made.root, f"filters/{name}/base")
    child = MadeLayout(tmp_path / "child")
    base = f"{docker_registry.host}/filters/{name}/base:v1"
    child.child("v1", base, {"app.py": b"app"}, parts=["own.bin"])
    push_layout(docker_registry.url, child.root, f"filters/{name}/child")
    reference = f"{docker_registry.host}/filters/{name}/child:v1"
    _compare(rolldeck, reference, filters, tmp_path)


def _compare(rolldeck: Run, reference: str, filters: tuple[str, ...], tmp_path: Path) -> None:
    words = [word for text in filters for word in ("-f", text)]
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    environment = {**os.environ, "KITOPS_HOME": str(tmp_path / "kit-home")}
    command = ["kit", "unpack", reference, "-d", str(theirs), *words, "--plain-http"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = rolldeck("unpack", reference, "-d", ours, *words)
    assert ran.code == (0 if _files(theirs) else 3), ran.err
    assert _files(ours) == _files(theirs)


def _files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
