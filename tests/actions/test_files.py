"""Files of versions in every place, found by their paths."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest

from rolldeck.actions import (
    Workspace,
    list_files,
    list_layer_files,
    look_at_file,
    pull,
)
from rolldeck.actions.file_search import nearest
from rolldeck.actions.kit import load_kit
from rolldeck.errors import (
    NotFoundError,
    RolldeckError,
    UsageError,
)
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from tests.actions.looking import (
    BODY,
    KIB,
    Serve,
    cat,
    paths,
)
from tests.kit.archives import END, file
from tests.made_kits import KIT_LAYER, MadeLayout
from tests.servers.fault_proxy import FaultProxy

# Places.


async def test_library_layout_and_kit_are_read_without_a_registry(
    workspace: Workspace, made: MadeLayout
) -> None:
    """Large layers by their headers, in a layout as in the library."""
    layer = made.blob(f"{KIT_LAYER}.model.v1.tar", file("m/a", BODY) + file("m/b", b"b") + END)
    made.kit("v1", {"manifestVersion": "1.0.0", "model": {"path": "m"}}, [layer])
    layout = Reference.parse(f"oci:{made.root}:v1")
    assert await cat(workspace, layout, "m/b") == (b"b", False)
    copy = (await pull(workspace, layout, Progress())).reference
    assert await cat(workspace, copy, "m/b") == (b"b", False)
    progress = Progress()
    found = await list_files(workspace, copy, progress)
    assert paths(found) == ["m/a", "m/b"]
    assert progress.done <= 64 * KIB


async def test_what_is_in_the_library_is_not_fetched(
    workspace: Workspace, serve: Serve, proxy: FaultProxy
) -> None:
    """Of a version in a registry, too."""
    reference = serve(file("m/a", BODY) + file("m/b", b"b") + END)
    await pull(workspace, reference, Progress())
    proxy.sent.clear()
    assert await cat(workspace, reference, "m/b") == (b"b", False)
    assert proxy.blob_bytes == 0


async def test_files_of_a_chain_are_read_where_they_are(
    workspace: Workspace, made: MadeLayout
) -> None:
    """A lent layer is listed with its kit, and its files open."""
    made.model("base:v1", {"model.bin": b"weights"})
    made.child("child:v1", "base:v1", {"run.py": b"run"})
    child = Reference.parse(f"oci:{made.root}//child:v1")
    found = await list_files(workspace, child, Progress())
    assert [(layer.origin, [f.path for f in listing.files]) for layer, listing in found.layers] == [
        ("base:v1", ["model.bin"]),
        (None, ["run.py"]),
    ]
    assert await cat(workspace, child, "model.bin") == (b"weights", True)


async def test_one_layer_alone(workspace: Workspace, golden: Path) -> None:
    """What the deck asks for: one layer, then one file of it."""
    reference = await workspace.resolve(Reference.parse(f"oci:{golden}/layouts/facts-tensors:v1"))
    layer = (await load_kit(workspace, reference)).layers[0]
    progress = Progress()
    listing = await list_layer_files(workspace, reference, layer, progress)
    assert [item.path for item in listing.files] == ["model.onnx"]
    assert progress.done == layer.size
    view = await look_at_file(workspace, reference, layer, "model.onnx", Progress())
    assert view.header is not None
    assert view.verified
    with pytest.raises(NotFoundError):
        await look_at_file(workspace, reference, layer, "nothing", Progress())


async def test_a_file_too_far_in_a_stream_is_said_to_be_so(
    workspace: Workspace, made: MadeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look in the deck ends; the command line goes on."""
    monkeypatch.setattr("rolldeck.actions.files.LOOK_LIMIT", KIB)
    stored = gzip.compress(file("m/a", BODY) + file("m/b", b"b") + END, 1)
    blob = made.blob(f"{KIT_LAYER}.model.v1.tar+gzip", stored)
    made.kit("v1", {"manifestVersion": "1.0.0", "model": {"path": "m"}}, [blob])
    reference = await workspace.resolve(Reference.parse(f"oci:{made.root}:v1"))
    layer = (await load_kit(workspace, reference)).layers[0]
    with pytest.raises(NotFoundError, match=r"stopped after 1.0 KiB"):
        await look_at_file(workspace, reference, layer, "m/b", Progress())
    assert await cat(workspace, reference, "m/b") == (b"b", True)


# Paths.


@pytest.fixture
def wdbc(golden: Path) -> Reference:
    """A golden kit of several elements."""
    return Reference.parse(f"oci:{golden}/layouts/wdbc:v1.0.0")


async def test_a_missing_path_names_what_is_near(workspace: Workspace, wdbc: Reference) -> None:
    """By its last part, or by how alike it is."""
    for path in ("train.py", "src/trains.py"):
        with pytest.raises(NotFoundError) as caught:
            await cat(workspace, wdbc, path)
        assert "src/train.py" in str(caught.value.hint)


async def test_a_directory_is_told_from_a_file(workspace: Workspace, wdbc: Reference) -> None:
    """It names what is in it."""
    with pytest.raises(UsageError, match=r"src is a directory with src/predict.py, src/train.py"):
        await cat(workspace, wdbc, "./src/")


async def test_the_kitfile_is_a_file(workspace: Workspace, wdbc: Reference) -> None:
    """As unpacking writes it."""
    data, verified = await cat(workspace, wdbc, "Kitfile")
    assert data.startswith(b"manifestVersion: 1.0.0\n")
    assert verified


async def test_every_golden_file_is_as_unpacked(workspace: Workspace, golden: Path) -> None:
    """Paths, sizes, modes and bytes equal those of the real unpack."""
    for stem in ("wdbc_v1.0.0", "era_v0.2.5-gzip", "era_v1.11-modelpack", "odd-names_v1"):
        expected = json.loads((golden / "expected" / f"{stem}.json").read_bytes())
        repository, _, tag = stem.partition("_")
        reference = Reference.parse(f"oci:{golden}/layouts/{repository}:{tag}")
        found = await list_files(workspace, reference, Progress())
        sizes = {
            f.path: f.size for _, listing in found.layers for f in listing.files if not f.is_dir
        }
        if found.kitfile is not None:
            sizes["Kitfile"] = len(found.kitfile)
        files = [item for item in expected["kit_unpack"] if item["type"] == "file"]
        assert sizes == {item["path"]: item["size"] for item in files}
        for item in files:
            data, verified = await cat(workspace, reference, item["path"])
            assert sha256(data).hexdigest() == item["sha256"]
            assert verified


async def test_an_index_has_no_files(workspace: Workspace, golden: Path) -> None:
    """It names versions that have."""
    with pytest.raises(UsageError, match="image index"):
        await list_files(
            workspace, Reference.parse(f"oci:{golden}/layouts/other:index"), Progress()
        )


async def test_files_of_other_artifacts_are_layers(workspace: Workspace, golden: Path) -> None:
    """By their titles; an image's are archives."""
    files = Reference.parse(f"oci:{golden}/layouts/other:files")
    assert paths(await list_files(workspace, files, Progress())) == ["hello.txt", "c.json"]
    image = await list_files(
        workspace, Reference.parse(f"oci:{golden}/layouts/other:image-amd64"), Progress()
    )
    assert image.complete


async def test_a_chain_that_cannot_be_read_is_told(workspace: Workspace, made: MadeLayout) -> None:
    """The version's own files are listed."""
    made.child("child:v1", "gone:v1", {"run.py": b"run"})
    child = Reference.parse(f"oci:{made.root}//child:v1")
    found = await list_files(workspace, child, Progress())
    assert paths(found) == ["run.py"]
    assert not found.complete
    with pytest.raises(RolldeckError) as caught:
        await cat(workspace, child, "model.bin")
    assert "gone:v1" in str(caught.value.hint)


def test_nearest_names() -> None:
    """The same last part first; where nothing is alike, what there is."""
    names = ["src/train.py", "docs/train.md", "src/test.py"]
    assert nearest("train.py", names)[0] == "src/train.py"
    assert nearest("zzzz", names) == sorted(names)
