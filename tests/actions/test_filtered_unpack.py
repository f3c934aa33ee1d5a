"""What filters leave out is neither fetched nor read nor written, as in kit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rolldeck.actions import Workspace, pull_unpacked, unpack
from rolldeck.errors import NotFoundError
from rolldeck.kit import parse_filter
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.kit.golden_kits import GOLDEN
from tests.made_kits import MadeLayout
from tests.servers.kits import PushedKit, push_kit
from tests.servers.registry import RunningRegistry

ERA = f"oci:{GOLDEN}/layouts/era:v1.11-none"


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    found = Workspace(Settings(library=tmp_path / "library"))
    yield found
    await found.close()


@pytest.fixture(scope="module")
def large(docker_registry: RunningRegistry, tmp_path_factory: pytest.TempPathFactory) -> PushedKit:
    """A version with one layer over 8 MiB, its model, and two small ones."""
    sizes = {"a.bin": 9 * 1024 * 1024, "b.json": 2000}
    return push_kit(docker_registry, tmp_path_factory.mktemp("kit") / "c", "filter/large", sizes)


async def files(
    workspace: Workspace, text: str, directory: Path, *filters: str
) -> dict[str, bytes]:
    """Unpack with filters and return what was written."""
    wanted = tuple(parse_filter(item) for item in filters)
    done = await unpack(workspace, Reference.parse(text), directory, Progress(), wanted)
    found = below(directory)
    assert done.files == len(found)
    return found


def below(root: Path) -> dict[str, bytes]:
    """Return the files below a directory."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


async def test_each_type(workspace: Workspace, tmp_path: Path) -> None:
    """The types together make up the whole, and only ``kitfile`` brings the Kitfile."""
    whole = await files(workspace, ERA, tmp_path / "whole")
    parts: dict[str, bytes] = {}
    for number, name in enumerate(["kitfile", "model", "datasets", "code", "docs"]):
        found = await files(workspace, ERA, tmp_path / str(number), name)
        assert found
        assert ("Kitfile" in found) == (name == "kitfile")
        assert not parts.keys() & found.keys()
        parts |= found
    assert parts == whole


@pytest.mark.parametrize("pulls", [False, True])
async def test_nothing_else_is_fetched(
    pulls: bool,
    workspace: Workspace,
    docker_registry: RunningRegistry,
    large: PushedKit,
    tmp_path: Path,
) -> None:
    """Not a byte of the model comes; the library gets what came, and no name for it."""
    reference = Reference.parse(f"{docker_registry.host}/filter/large:v1")
    wanted = (parse_filter("code"), parse_filter("datasets:data"))
    progress = Progress()
    if pulls:
        pulled = await pull_unpacked(workspace, reference, tmp_path / "d", progress, wanted)
        assert large.model.digest not in [blob.digest for blob in pulled.blobs]
        assert pulled.bytes_transferred < 200_000
        assert not pulled.kept
    else:
        done = await unpack(workspace, reference, tmp_path / "d", progress, wanted)
        assert not done.kept
    assert not workspace.library.has(large.model.blob)
    assert progress.total < 200_000
    expected = {path for path in large.files if not path.startswith("model")}
    assert below(tmp_path / "d").keys() == expected


async def test_a_layer_that_is_left_out_may_be_missing(
    workspace: Workspace, tmp_path: Path
) -> None:
    """It is not read, so that it is gone is not noticed."""
    made = MadeLayout(tmp_path / "made")
    made.model("acme/base:v1", {"m.bin": b"weights"})
    for blob in (tmp_path / "made/blobs/sha256").iterdir():
        if b"weights" in blob.read_bytes():
            blob.unlink()
    text = f"oci:{tmp_path}/made//acme/base:v1"
    assert await files(workspace, text, tmp_path / "d", "code") == {"base.py": b"code"}


async def test_kits_that_lend_the_model(workspace: Workspace, tmp_path: Path) -> None:
    """They get the filters that name the model; where none does, they are not even looked for."""
    made = MadeLayout(tmp_path / "made")
    made.model("acme/base:v1", {"w.bin": b"weights"}, parts=[{"path": "tokens.json"}])
    made.child("acme/tuned:v1", "acme/base:v1", {"tune.py": b"tune"}, parts=["adapter.bin"])
    made.child("acme/lost:v1", "acme/nobody:v1", {"tune.py": b"tune"})
    tuned = f"oci:{tmp_path}/made//acme/tuned:v1"
    assert set(await files(workspace, tuned, tmp_path / "1", "model")) == {
        *("w.bin", "tokens.json", "adapter.bin"),
    }
    assert set(await files(workspace, tuned, tmp_path / "2", "model,code:w.bin")) == {"w.bin"}
    lost = f"oci:{tmp_path}/made//acme/lost:v1"
    assert set(await files(workspace, lost, tmp_path / "3", "code", "kitfile")) == {
        *("tune.py", "Kitfile"),
    }
    with pytest.raises(NotFoundError):
        await files(workspace, lost, tmp_path / "4", "model")


async def test_a_filter_that_takes_nothing_is_an_error(
    workspace: Workspace, tmp_path: Path
) -> None:
    """kit says nothing and writes nothing; here is said what there is."""
    with pytest.raises(NotFoundError, match="datasets:typo") as caught:
        await files(workspace, ERA, tmp_path / "d", "datasets:typo")
    assert "datasets:" in (caught.value.hint or "")
    assert not (tmp_path / "d").exists()


async def test_the_rest_of_a_filtered_pull_comes_later(
    workspace: Workspace, docker_registry: RunningRegistry, large: PushedKit, tmp_path: Path
) -> None:
    """What came first is not fetched again."""
    reference = Reference.parse(f"{docker_registry.host}/filter/large:v1")
    wanted = (parse_filter("code,datasets"),)
    first = await pull_unpacked(workspace, reference, tmp_path / "a", Progress(), wanted)
    rest = await pull_unpacked(workspace, reference, tmp_path / "b", Progress())
    sent = [{blob.digest for blob in done.blobs if blob.transferred} for done in (first, rest)]
    assert not sent[0] & sent[1]
    assert rest.bytes_transferred == large.size
