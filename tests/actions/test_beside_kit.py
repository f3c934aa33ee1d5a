"""rolldeck and the real kit unpack the same versions, side by side; runs where kit is on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from rolldeck.actions import Workspace, list_repositories, list_versions, unpack
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.kit.test_unpack_golden import UNPACKED, on_disk
from tests.kit_homes import everything_in
from tests.servers.registry import RunningRegistry

pytestmark = pytest.mark.skipif(shutil.which("kit") is None, reason="kit is not on PATH")

REFERRING: Mapping[str, tuple[str, Sequence[str]]] = {
    "model-1": (
        "model: {path: my-model/, parts: [{path: my-model-alt/1.txt}, {path: 1.txt}]}\n"
        "code: [{path: base.py}]",
        ("my-model/a.txt", "my-model/sub/b.txt", "my-model-alt/1.txt", "1.txt", "base.py"),
    ),
    "model-2": (
        "model: {path: 'org/ref:model-1', parts: [{path: my-model/two}, {path: 2.txt}]}\n"
        "docs: [{path: README.md}]",
        ("my-model/two/c.txt", "my-model/two/d.txt", "2.txt", "README.md"),
    ),
    "model-3": (
        "model: {path: 'org/ref:model-2', parts: [{path: my-model/two/e.txt}]}\n"
        "code: [{path: app.py}]",
        ("my-model/two/e.txt", "app.py"),
    ),
}
"""As in kit's own tests: each kit takes its model from the one before and writes beside it."""


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    old = os.umask(0o022)
    yield
    os.umask(old)


def kit(home: Path, *words: str) -> None:
    """Run the real kit with storage of its own."""
    environment = {**os.environ, "KITOPS_HOME": str(home)}
    command = ["kit", *words, "--progress=none"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


async def ours(reference: str, tmp_path: Path) -> Path:
    """Unpack with rolldeck and return where."""
    workspace = Workspace(Settings(library=tmp_path / "library"))
    try:
        await unpack(workspace, Reference.parse(reference), tmp_path / "ours", Progress())
    finally:
        await workspace.close()
    return tmp_path / "ours"


@pytest.mark.parametrize("stem", UNPACKED)
async def test_golden_kits(stem: str, golden_registry: RunningRegistry, tmp_path: Path) -> None:
    """From a registry, each that kit can read: the same paths, types, modes and bytes."""
    layout, _, tag = stem.partition("_")
    reference = f"{golden_registry.host}/golden/{layout}:{tag}"
    theirs = tmp_path / "theirs"
    kit(tmp_path / "kit", "unpack", reference, "-d", str(theirs), "--plain-http")
    assert on_disk(await ours(reference, tmp_path)) == on_disk(theirs)


async def test_kits_that_refer_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of the storage that kit just wrote, which stays as kit left it."""
    home = tmp_path / "kit"
    for tag, (kitfile, files) in REFERRING.items():
        context = tmp_path / tag
        for name in files:
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            (context / name).write_text(f"{tag} {name}")
        (context / "Kitfile").write_text(f"manifestVersion: 1.0.0\n{kitfile}\n")
        kit(home, "pack", str(context), "-t", f"org/ref:{tag}")
    theirs = tmp_path / "theirs"
    kit(home, "unpack", "org/ref:model-3", "-d", str(theirs))
    monkeypatch.setenv("KITOPS_HOME", str(home))
    before = everything_in(home)
    workspace = Workspace(Settings(library=tmp_path / "library"))
    (row,) = (await list_repositories(workspace, Reference.parse("kit:"))).rows
    assert (row.name, row.versions) == ("org/ref", 3)
    versions = await list_versions(workspace, row.reference)
    assert {version.label for version in versions.rows} == set(REFERRING)
    assert on_disk(await ours("kit:org/ref:model-3", tmp_path)) == on_disk(theirs)
    assert everything_in(home) == before


async def test_a_kit_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kit keeps what was packed without a name; it has a digest."""
    home, context = tmp_path / "kit", tmp_path / "context"
    context.mkdir()
    (context / "a.txt").write_text("a")
    (context / "Kitfile").write_text("manifestVersion: 1.0.0\ncode: [{path: a.txt}]\n")
    kit(home, "pack", str(context))
    monkeypatch.setenv("KITOPS_HOME", str(home))
    workspace = Workspace(Settings(library=tmp_path / "library"))
    (entry,) = workspace.kit_storage.entries()
    found = await ours(f"kit:{entry.descriptor.digest}", tmp_path)
    assert (found / "a.txt").read_text() == "a"
