"""Every golden kit unpacks to the tree that the real kit writes, wherever it is read from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolldeck.actions import Workspace, pull, unpack
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.kit.golden_kits import EXPECTED, GOLDEN, GoldenVersion
from tests.kit.test_unpack_golden import UNPACKED, on_disk
from tests.kit_homes import GOLDEN_PREFIX, made_kit_home, real_kit_home
from tests.servers.registry import RunningRegistry

SOURCES = ("layout", "registry", "library", "kit")
MODCTL = ("modctl_tar", "modctl_raw")
IN_REAL_STORAGE = [
    stem
    for stem in UNPACKED
    if stem.startswith(("wdbc", "odd", "era_v1.11")) and "child" not in stem
]


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    old = os.umask(0o022)
    yield
    os.umask(old)


@pytest.fixture(scope="module")
def kit_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every golden layout in a storage of kit's form."""
    layouts = {
        f"127.0.0.1:5081/golden/{path.name}": path for path in (GOLDEN / "layouts").iterdir()
    }
    return made_kit_home(tmp_path_factory.mktemp("kit"), layouts)


async def unpack_from(source: str, stem: str, registry: str, tmp_path: Path) -> Path:
    """Unpack a golden version from one kind of place, through the actions; returns where."""
    layout, _, tag = stem.partition("_")
    workspace = Workspace(Settings(library=tmp_path / "library"))
    beside = Reference.parse(f"oci:{GOLDEN}/layouts/{layout}:{tag}")
    directory = tmp_path / "dest"
    try:
        if source == "layout":
            reference = beside
        elif source == "registry":
            reference = Reference.parse(f"{registry}/golden/{layout}:{tag}")
        elif source == "library":
            reference = (await pull(workspace, beside, Progress())).reference
            assert reference.name == layout
        else:
            reference = Reference.parse(f"kit:{GOLDEN_PREFIX}{layout}:{tag}")
        done = await unpack(workspace, reference, directory, Progress())
        assert done.skipped == ()
        assert done.digest == GoldenVersion(stem).expected["digest"]
    finally:
        await workspace.close()
    return directory


def check(stem: str, directory: Path) -> None:
    """Compare paths, types, modes and bytes, and the Kitfile with the text that kit wrote."""
    expected = GoldenVersion(stem).expected
    assert on_disk(directory) == sorted(expected["kit_unpack"], key=lambda entry: entry["path"])
    assert (directory / "Kitfile").read_text() == expected["kit_unpack_kitfile"]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("stem", UNPACKED)
async def test_the_tree_is_that_of_kit(
    stem: str,
    source: str,
    golden_registry: RunningRegistry,
    kit_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Paths, types, modes under the umask, bytes, and the Kitfile byte for byte."""
    monkeypatch.setenv("KITOPS_HOME", str(kit_home))
    check(stem, await unpack_from(source, stem, golden_registry.host, tmp_path))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("stem", MODCTL)
async def test_modctl_packs_unpack_by_annotation(
    stem: str,
    source: str,
    golden_registry: RunningRegistry,
    kit_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They have no Kitfile and no data set, and none is written; their bytes are those of era."""
    monkeypatch.setenv("KITOPS_HOME", str(kit_home))
    directory = await unpack_from(source, stem, golden_registry.host, tmp_path)
    era = GoldenVersion("era_v1.11-none").expected["kit_unpack"]
    wanted = {
        entry["path"]: entry.get("sha256")
        for entry in era
        if entry["path"] != "Kitfile" and not entry["path"].startswith("data")
    }
    assert {entry["path"]: entry.get("sha256") for entry in on_disk(directory)} == wanted


@pytest.mark.parametrize("stem", IN_REAL_STORAGE)
async def test_from_the_storage_that_kit_itself_wrote(
    stem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage in the golden data, not one made for a test."""
    monkeypatch.setenv("KITOPS_HOME", str(real_kit_home(tmp_path)))
    check(stem, await unpack_from("kit", stem, "", tmp_path))


def test_every_golden_kit_is_among_them() -> None:
    """What has no expected tree is no kit, or is looked at elsewhere."""
    left = {stem for stem in EXPECTED if stem not in UNPACKED and stem not in MODCTL}
    assert {stem.partition("_")[0] for stem in left} == {"other", "odd-child"}
    assert len(IN_REAL_STORAGE) == 18
