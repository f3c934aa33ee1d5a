"""What rolldeck packs and pushes, the real kit reads, and the other way round; where kit is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.kit.golden_kits import unpack_context
from tests.servers.registry import RunningRegistry

pytestmark = pytest.mark.skipif(shutil.which("kit") is None, reason="kit is not on PATH")

CONTEXTS = ["era", "odd-context", "odd-dup", "odd-names", "odd-params", "odd-prompts"]


class Kit:
    """The real kit with storage of its own."""

    def __init__(self, home: Path) -> None:
        self._environment = {**os.environ, "KITOPS_HOME": str(home)}

    def __call__(self, *words: object) -> str:
        command = ["kit", *map(str, words), "--progress=none"]
        ran = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """Kit, run with empty storage."""
    return Kit(tmp_path / "kit-home")


def files(root: Path) -> dict[str, bytes]:
    """All files below a directory."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("model_pack", [False, True], ids=["modelkit", "modelpack"])
@pytest.mark.parametrize("name", ["era", "odd-prompts"])
def test_kit_reads_what_rolldeck_pushed(
    rolldeck: Run,
    kit: Kit,
    docker_registry: RunningRegistry,
    tmp_path: Path,
    name: str,
    model_pack: bool,
) -> None:
    """List, inspect, diff, pull and unpack, as they read kit's own."""
    context = unpack_context(name, tmp_path / "context")
    home = f"{docker_registry.host}/packed/{name}-{model_pack}".lower()
    option = ["--model-pack"] if model_pack else []
    assert rolldeck("pack", context, "-t", f"{home}:ours", *option).code == 0
    pushed = rolldeck("push", f"local:{home}:ours", "--plain-http", "--json")
    assert pushed.code == 0, pushed.err
    digest = pushed.document["digest"]

    kit_option = ["--use-model-pack"] if model_pack else []
    kit("pack", context, "-t", f"{home}:theirs", *kit_option)
    kit("push", f"{home}:theirs", "--plain-http")
    assert "ours" in kit("list", home, "--plain-http")
    inspected = json.loads(kit("inspect", "-r", f"{home}:ours", "--plain-http"))
    theirs = json.loads(kit("inspect", "-r", f"{home}:theirs", "--plain-http"))
    assert inspected["digest"] == digest
    assert inspected["kitfile"] == theirs["kitfile"]
    assert inspected["manifest"]["layers"] == theirs["manifest"]["layers"]
    compared = kit("diff", f"remote://{home}:ours", f"remote://{home}:theirs", "--plain-http")
    assert "Shared Layers" in compared
    kit("pull", f"{home}:ours", "--plain-http")
    kit("unpack", f"{home}:ours", "-d", tmp_path / "a")
    kit("unpack", f"{home}:theirs", "-d", tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")

    # The other way round: what kit pushed, rolldeck unpacks to the same.
    assert rolldeck("unpack", f"{home}:theirs", "-d", tmp_path / "c", "--plain-http").code == 0
    assert files(tmp_path / "c") == files(tmp_path / "b")


@pytest.mark.parametrize("name", CONTEXTS)
def test_exact_kit_is_kits_manifest(rolldeck: Run, kit: Kit, tmp_path: Path, name: str) -> None:
    """Also of a directory with everything that kit treats in its own way."""
    context = unpack_context(name, tmp_path / "context")
    for path in ("a..b", "src/c..d/e", "src.md", "source/x", "keep.log", ".DS_Store", "d/.env"):
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).write_text(path)
    (context / "link").symlink_to("a..b")
    if name in ("era", "odd-dup"):
        (context / ".kitignore").write_text("*.md\n**/e\nd\n!d/.env\n!README.md\n")
    kit("pack", context, "-t", f"here.example/{name}:theirs")
    wanted = json.loads(kit("inspect", f"here.example/{name}:theirs"))
    assert rolldeck("pack", context, "-t", f"{name}:ours", "--exact-kit").code == 0
    manifest = rolldeck("show", f"{name}:ours", "--json").document["manifest"]
    for document in (manifest, wanted["manifest"]):
        del document["annotations"]["ml.kitops.modelkit.cli-version"]
    assert manifest == wanted["manifest"]
