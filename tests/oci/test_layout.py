"""The layout directory as a registry, on layouts that real tools wrote."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck.errors import IntegrityError, NotFoundError, StorageError
from rolldeck.oci import Digest, LayoutRegistry, Listing
from rolldeck.progress import Progress
from tests.oci.bench import Jar


@pytest.fixture
def wdbc(golden: Path, tmp_path: Path) -> Path:
    """A copy of a layout, to be damaged."""
    copy = tmp_path / "wdbc"
    shutil.copytree(golden / "layouts" / "wdbc", copy)
    return copy


async def test_it_lists_tags_in_index_order(wdbc: Path) -> None:
    """A layout with plain tags has one repository, named by nothing."""
    registry = LayoutRegistry(wdbc)
    assert await registry.repositories() == Listing(("",))
    listing = await registry.tags("")
    assert set(listing.names) == {"v1.0.0", "v1.1.0", "v1.2.0", "v2.0.0", "production", "latest"}


async def test_it_names_what_there_is_for_a_missing_tag(wdbc: Path) -> None:
    """The error helps to type the next command."""
    with pytest.raises(NotFoundError) as caught:
        await LayoutRegistry(wdbc).resolve("", "v9")
    assert "v9" in caught.value.message
    assert "v1.2.0" in (caught.value.hint or "")


async def test_a_blob_is_verified(wdbc: Path) -> None:
    """A good blob stays in the sink; a corrupted one is exit code 6, and nothing of it stays."""
    registry = LayoutRegistry(wdbc)
    manifest = await registry.manifest("", (await registry.resolve("", "v1.0.0")).digest)
    blob = manifest.layers[0]
    good = Jar()
    await registry.fetch_blob("", blob, good, Progress())
    assert good.rewinds == 0
    assert len(good.data) == blob.size
    path = registry.blob_path(blob.digest)
    path.chmod(0o644)
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)
    bad = Jar()
    with pytest.raises(IntegrityError):
        await registry.fetch_blob("", blob, bad, Progress())
    assert not bad.data


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda root: (root / "index.json").unlink(), IntegrityError),
        (lambda root: (root / "index.json").write_text("{"), IntegrityError),
        (lambda root: (root / "index.json").write_text('{"manifests": 5}'), IntegrityError),
        (lambda root: (root / "index.json").write_text('{"manifests": [5]}'), IntegrityError),
        (lambda root: shutil.rmtree(root), NotFoundError),
        (
            lambda root: (root / "index.json").unlink() or (root / "index.json").mkdir(),
            (StorageError, IntegrityError),
        ),
    ],
)
async def test_a_damaged_layout_is_a_typed_error(
    wdbc: Path, damage: Callable[[Path], None], expected: type[Exception]
) -> None:
    """Damage is told as what it is, never as a traceback."""
    damage(wdbc)
    with pytest.raises(expected):
        await LayoutRegistry(wdbc).resolve("", "v1.0.0")


async def test_a_manifest_that_is_not_its_digest_is_refused(wdbc: Path) -> None:
    """A changed manifest is never parsed."""
    registry = LayoutRegistry(wdbc)
    descriptor = await registry.resolve("", "v1.0.0")
    path = registry.blob_path(descriptor.digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"v1", b"v2"))
    with pytest.raises(IntegrityError):
        await registry.manifest("", descriptor.digest)


async def test_several_repositories_in_one_layout(wdbc: Path) -> None:
    """Names of the form repository:tag make several repositories."""
    index = json.loads((wdbc / "index.json").read_text())
    name = "org.opencontainers.image.ref.name"
    for number, item in enumerate(index["manifests"]):
        if name in item.get("annotations", {}):
            item["annotations"][name] = f"acme/r{number % 2}:{item['annotations'][name]}"
    (wdbc / "index.json").write_text(json.dumps(index))
    registry = LayoutRegistry(wdbc)
    assert set((await registry.repositories()).names) == {"acme/r0", "acme/r1"}
    assert (await registry.tags("acme/r0")).names
    with pytest.raises(NotFoundError):
        await registry.tags("acme/r2")


async def test_a_missing_digest_is_not_found(wdbc: Path) -> None:
    """A digest that the layout lacks is exit code 3."""
    with pytest.raises(NotFoundError):
        await LayoutRegistry(wdbc).resolve("", Digest("sha256:" + "0" * 64))
