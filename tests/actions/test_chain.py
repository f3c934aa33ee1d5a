"""Kits that take their model from other kits: found, shown, stored and unpacked together."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rolldeck.actions import (
    Workspace,
    apply,
    diff,
    load_version,
    plan_pin,
    plan_rollback,
    pull,
    unpack,
)
from rolldeck.cli.documents import version_document
from rolldeck.cli.move_documents import pulled_document
from rolldeck.errors import (
    NotFoundError,
    RefusedError,
    RolldeckError,
    UnavailableError,
)
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.kit.golden_kits import GoldenVersion
from tests.kit.test_unpack_golden import on_disk
from tests.kit_homes import GOLDEN_PREFIX, everything_in, real_kit_home
from tests.made_kits import MadeLayout
from tests.servers.registry import RunningRegistry

CHILD = f"kit:{GOLDEN_PREFIX}odd-child:v1"
NOBODY = "127.0.0.1:1"


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """An empty library, and no storage of kit's."""
    found = Workspace(Settings(library=tmp_path / "library"))
    yield found
    await found.close()


def files(root: Path) -> dict[str, bytes]:
    """Return the files below a directory."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def three(tmp_path: Path) -> MadeLayout:
    """A model, a kit that adds a part to it, and a kit that adds code to that."""
    made = MadeLayout(tmp_path / "made")
    made.model("acme/base:v1", {"weights/model.bin": b"weights"}, parts=[{"path": "tokens.json"}])
    made.child("acme/tuned:v1", "acme/base:v1", {"tune.py": b"tune"}, parts=["adapter.bin"])
    made.child("acme/app:v1", "acme/tuned:v1", {"app.py": b"app"})
    return made


async def test_a_golden_child_unpacks_with_the_model_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model and its parts of the other kit, then its own files and Kitfile, as kit does."""
    monkeypatch.setenv("KITOPS_HOME", str(real_kit_home(tmp_path)))
    workspace = Workspace(Settings(library=tmp_path / "library"))
    await unpack(workspace, Reference.parse(CHILD), tmp_path / "dest", Progress())
    found = {entry["path"]: entry for entry in on_disk(tmp_path / "dest")}
    era = GoldenVersion("era_v1.11-none").expected["kit_unpack"]
    models = {entry["path"]: entry for entry in era if entry["path"].startswith("models")}
    assert {path: entry for path, entry in found.items() if path in models} == models
    assert found.keys() - models.keys() == {"Kitfile", "app.py"}
    kitfile = (tmp_path / "dest" / "Kitfile").read_text()
    assert kitfile == GoldenVersion("odd-child_v1").expected["kit_info_yaml"]


async def test_nothing_in_kits_storage_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown, compared, pulled, unpacked and pinned, the storage stays as it was."""
    home = real_kit_home(tmp_path)
    monkeypatch.setenv("KITOPS_HOME", str(home))
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = everything_in(home)
    workspace = Workspace(Settings(library=tmp_path / "library"))
    child = Reference.parse(CHILD)
    await load_version(workspace, child)
    await diff(workspace, child, Reference.parse(f"kit:{GOLDEN_PREFIX}era:v1.11-none"))
    await unpack(workspace, child, tmp_path / "dest", Progress())
    plan = await plan_pin(workspace, child, tmp_path / "serving")
    await apply(workspace, plan, Progress())
    await pull(workspace, child, Progress())
    assert everything_in(home) == before
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


async def test_the_farthest_model_comes_first(workspace: Workspace, tmp_path: Path) -> None:
    """Of the others only models and parts are written; their code, docs and Kitfiles are not."""
    made = three(tmp_path)
    reference = Reference.parse(f"oci:{made.root}//acme/app:v1")
    version = await load_version(workspace, reference)
    assert [layer.path for layer in version.kit.layers] == [
        "weights/model.bin",
        "tokens.json",
        "adapter.bin",
        "app.py",
    ]
    assert [layer.origin for layer in version.kit.layers] == [
        "acme/base:v1",
        "acme/base:v1",
        "acme/tuned:v1",
        None,
    ]
    await unpack(workspace, reference, tmp_path / "dest", Progress())
    found = files(tmp_path / "dest")
    assert b"acme/tuned:v1" in found.pop("Kitfile")
    assert found == {
        "weights/model.bin": b"weights",
        "tokens.json": b"part",
        "adapter.bin": b"own part",
        "app.py": b"app",
    }


async def test_the_chain_is_shown_with_sizes(workspace: Workspace, tmp_path: Path) -> None:
    """Nearest first, each with what it lends; the version's own size stays its own."""
    made = three(tmp_path)
    shown = version_document(
        await load_version(workspace, Reference.parse(f"oci:{made.root}//acme/app:v1"))
    )
    assert [(item["name"], item["size"]) for item in shown["chain"]] == [
        ("acme/tuned:v1", 2048),
        ("acme/base:v1", 4608),
    ]
    assert all(item["reference"].startswith("oci:") for item in shown["chain"])
    assert shown["size"] == 2048
    assert shown["chain_problem"] is None
    assert [item["from"] for item in shown["layers"]].count(None) == 1


async def test_a_pull_brings_the_chain_under_its_own_names(
    docker_registry: RunningRegistry,
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each kit under its own reference; then the registry is not needed to unpack."""
    host = docker_registry.host
    base, child = MadeLayout(tmp_path / "base"), MadeLayout(tmp_path / "child")
    base.model("v1", {"model.bin": b"weights"})
    child.child("latest", f"{host}/chain/base:v1", {"app.py": b"app"})
    docker_registry.push(base.root, "chain/base")
    docker_registry.push(child.root, "chain/child")
    pulled = await pull(workspace, Reference.parse(f"{host}/chain/child"), Progress())
    names = {(entry.repository, entry.tag) for entry in workspace.library.entries()}
    assert names == {(f"{host}/chain/base", "v1"), (f"{host}/chain/child", "latest")}
    assert pulled_document(pulled)["chain"] == [
        {"reference": str(pulled.chain[0]), "digest": pulled.chain[0].digest}
    ]
    assert str(pulled.chain[0]).startswith(f"local:{host}/chain/base:v1@sha256:")
    assert pulled.bytes_transferred == pulled.bytes_total == sum(b.size for b in pulled.blobs)

    again = await pull(workspace, Reference.parse(f"{host}/chain/child"), Progress())
    assert again.bytes_transferred == 0

    offline = Workspace(workspace.settings)
    monkeypatch.setattr("rolldeck.oci.http.HttpRegistry.__init__", _no_network)
    await unpack(offline, pulled.reference, tmp_path / "dest", Progress())
    assert files(tmp_path / "dest").keys() == {"Kitfile", "app.py", "model.bin"}


def _no_network(*arguments: object, **options: object) -> None:
    raise AssertionError("a registry was asked")


async def test_a_version_from_a_registry_brings_its_chain_to_unpack(
    docker_registry: RunningRegistry, workspace: Workspace, tmp_path: Path
) -> None:
    """Whether the kit itself lies in the registry or only the one that it names."""
    host = docker_registry.host
    base = MadeLayout(tmp_path / "base")
    base.model("v1", {"model.bin": b"weights"})
    docker_registry.push(base.root, "far/base")
    here = MadeLayout(tmp_path / "here")
    here.child("v1", f"{host}/far/base:v1", {"app.py": b"app"})
    docker_registry.push(here.root, "far/child")
    for number, name in enumerate((f"{host}/far/child:v1", f"oci:{here.root}:v1")):
        dest = tmp_path / f"dest{number}"
        await unpack(workspace, Reference.parse(name), dest, Progress())
        assert files(dest).keys() == {"Kitfile", "app.py", "model.bin"}


async def test_by_digest_the_library_is_enough(workspace: Workspace, tmp_path: Path) -> None:
    """What a digest names is the same everywhere, so nobody else is asked."""
    made = MadeLayout(tmp_path / "made")
    digest = made.model("acme/base:v1", {"model.bin": b"weights"})
    made.child("acme/app:v1", f"{NOBODY}/acme/base@{digest}", {"app.py": b"app"})
    await pull(workspace, Reference.parse(f"oci:{made.root}//acme/base:v1"), Progress())
    reference = Reference.parse(f"oci:{made.root}//acme/app:v1")
    assert [link.kit.digest for link in (await load_version(workspace, reference)).chain] == [
        digest
    ]


def chain_of(tmp_path: Path, length: int) -> MadeLayout:
    """A kit with ``length`` others behind it."""
    made = MadeLayout(tmp_path / f"chain-{length}")
    made.model("a/k0:v1", {"model.bin": b"weights"})
    for number in range(1, length + 1):
        made.child(f"a/k{number}:v1", f"a/k{number - 1}:v1", {f"{number}.py": b"x"})
    return made


async def test_ten_kits_may_follow_each_other(workspace: Workspace, tmp_path: Path) -> None:
    """As in kit."""
    made = chain_of(tmp_path, 10)
    version = await load_version(workspace, Reference.parse(f"oci:{made.root}//a/k10:v1"))
    assert len(version.chain) == 10


async def refused(
    workspace: Workspace, reference: str, error: type[RolldeckError], text: str, tmp_path: Path
) -> RolldeckError:
    """See a pull and an unpack fail alike, with nothing named and nothing written."""
    with pytest.raises(error, match=text):
        await pull(workspace, Reference.parse(reference), Progress())
    with pytest.raises(error, match=text) as caught:
        await unpack(workspace, Reference.parse(reference), tmp_path / "dest", Progress())
    assert not workspace.library.entries()
    assert not (tmp_path / "dest").exists()
    version = await load_version(workspace, Reference.parse(reference))
    assert version.chain == ()
    assert version.chain_problem == caught.value.message
    return caught.value


async def test_more_than_ten_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    """A chain that kit would not follow either."""
    made = chain_of(tmp_path, 11)
    name = f"oci:{made.root}//a/k11:v1"
    await refused(workspace, name, RefusedError, "more than 10 kits", tmp_path)


async def test_a_circle_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    """Possible only where a tag was moved; the message shows the way round."""
    made = MadeLayout(tmp_path / "made")
    made.child("a/one:v1", "a/two:v1", {"1.py": b"x"})
    made.child("a/two:v1", "a/one:v1", {"2.py": b"x"})
    name = f"oci:{made.root}//a/one:v1"
    error = await refused(workspace, name, RefusedError, "from itself", tmp_path)
    assert "a/two:v1 → a/one:v1" in error.message


async def test_a_missing_kit_is_named_with_where_it_was_looked_for(
    docker_registry: RunningRegistry, workspace: Workspace, tmp_path: Path
) -> None:
    """On this host, and in the registry that the reference names."""
    made = MadeLayout(tmp_path / "made")
    made.child("v1", "acme/gone:v1", {"1.py": b"x"})
    error = await refused(
        workspace, f"oci:{made.root}:v1", NotFoundError, "acme/gone:v1, which is missing", tmp_path
    )
    assert "the library, kit's storage" in (error.hint or "")
    made.child("v1", f"{docker_registry.host}/acme/gone:v1", {"1.py": b"x"})
    other = Workspace(workspace.settings)
    error = await refused(other, f"oci:{made.root}:v1", NotFoundError, "is missing", tmp_path)
    assert docker_registry.host in (error.hint or "")
    await other.close()


async def test_a_registry_that_does_not_answer_is_named(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Exit code 5, and which kit needs it."""
    made = MadeLayout(tmp_path / "made")
    made.child("v1", f"{NOBODY}/acme/base:v1", {"1.py": b"x"})
    text = f"takes its model from {NOBODY}/acme/base:v1: {NOBODY} cannot be reached"
    await refused(workspace, f"oci:{made.root}:v1", UnavailableError, text, tmp_path)


async def test_what_is_no_kit_lends_no_model(workspace: Workspace, tmp_path: Path) -> None:
    """A container image under that name, for one."""
    made = MadeLayout(tmp_path / "made")
    config = made.blob("application/vnd.oci.image.config.v1+json", b"{}")
    made.manifest("a/image:v1", config, [])
    made.child("a/app:v1", "a/image:v1", {"1.py": b"x"})
    name = f"oci:{made.root}//a/app:v1"
    await refused(workspace, name, RefusedError, "an image, no kit", tmp_path)


async def test_a_name_never_leads_to_a_directory(workspace: Workspace, tmp_path: Path) -> None:
    """A Kitfile out of a registry cannot make this host's layouts part of a version."""
    made = three(tmp_path)
    evil = MadeLayout(tmp_path / "evil")
    evil.child("v1", f"oci:{made.root}//acme/base:v1", {"1.py": b"x"})
    version = await load_version(workspace, Reference.parse(f"oci:{evil.root}:v1"))
    assert version.kit.model_reference is None
    assert version.chain == ()


async def test_one_file_from_two_kits_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    """kit refuses it too, but leaves what it wrote until then."""
    made = MadeLayout(tmp_path / "made")
    made.model("a/base:v1", {"model.bin": b"weights"})
    made.child("a/app:v1", "a/base:v1", {"model.bin": b"other"})
    with pytest.raises(RefusedError, match=r"model\.bin"):
        await unpack(
            workspace,
            Reference.parse(f"oci:{made.root}//a/app:v1"),
            tmp_path / "dest",
            Progress(),
        )
    assert not (tmp_path / "dest").exists()


async def test_a_plan_counts_and_checks_the_chain(
    docker_registry: RunningRegistry, workspace: Workspace, tmp_path: Path
) -> None:
    """What is to fetch and to unpack, and whether all of it can be read."""
    base = MadeLayout(tmp_path / "base")
    base.model("v1", {"model.bin": b"weights" * 1000})
    docker_registry.push(base.root, "plan/base")
    made = MadeLayout(tmp_path / "made")
    made.child("v1", f"{docker_registry.host}/plan/base:v1", {"app.py": b"app"})
    made.child("broken", "nobody/has:this", {"app.py": b"app"})
    plan = await plan_pin(workspace, Reference.parse(f"oci:{made.root}:v1"), tmp_path / "serving")
    version = await load_version(workspace, Reference.parse(f"oci:{made.root}:v1"))
    whole = sum(layer.size for layer in version.chain[0].kit.layers)
    assert plan.bytes_to_move == whole + version.kit.whole_size
    await apply(workspace, plan, Progress())
    assert (tmp_path / "serving" / "current" / "model.bin").read_bytes() == b"weights" * 1000

    await apply(
        workspace,
        await plan_pin(workspace, Reference.parse(f"oci:{base.root}:v1"), tmp_path / "serving"),
        Progress(),
    )
    shutil.rmtree(tmp_path / "serving" / "releases" / str(version.kit.digest)[7:19])
    back = await plan_rollback(workspace, tmp_path / "serving")
    (again,) = (item for item in back.checks if item.check == "can be unpacked again")
    assert again.ok is True
    assert back.chain == plan.chain == (version.chain[0].kit.digest,)

    broken = await plan_pin(
        workspace, Reference.parse(f"oci:{made.root}:broken"), tmp_path / "serving"
    )
    assert {item.check: item.ok for item in broken.checks}["readable"] is False
    with pytest.raises(RefusedError, match="which is missing"):
        await apply(workspace, broken, Progress())


async def test_a_comparison_tells_where_layers_come_from(
    workspace: Workspace, tmp_path: Path
) -> None:
    """The same model, lent or its own, is equal; the note says who lends it."""
    made = three(tmp_path)
    made.child("acme/same:v1", "acme/base:v1", {"app.py": b"app"})
    a = Reference.parse(f"oci:{made.root}//acme/base:v1")
    b = Reference.parse(f"oci:{made.root}//acme/same:v1")
    rows = {row.key: row for row in (await diff(workspace, a, b)).comparison.section("layers").rows}
    assert rows["model weights/model.bin"].status == "equal"
    assert rows["model weights/model.bin"].note.endswith("from itself → acme/base:v1")
    assert rows["code app.py"].status == "added"


async def test_an_unknown_model_is_not_called_gone(workspace: Workspace, tmp_path: Path) -> None:
    """Where the other kit cannot be read the weights are unknown, not removed."""
    made = three(tmp_path)
    made.child("acme/broken:v1", "acme/gone:v1", {"app.py": b"app"})
    a = Reference.parse(f"oci:{made.root}//acme/app:v1")
    b = Reference.parse(f"oci:{made.root}//acme/broken:v1")
    found = await diff(workspace, a, b)
    rows = {row.key: row for row in found.comparison.section("layers").rows}
    assert rows.keys() == {"model", "code app.py"}
    assert (rows["model"].verdict, rows["model"].note) == ("unknown", "not read")
    assert "weights unknown" in found.comparison.summary
    assert "acme/gone:v1" in (found.b.chain_problem or "")
    json.dumps(version_document(found.b))


def weights(dtype: str) -> bytes:
    """Return weights with one tensor."""
    size = {"F32": 16, "F16": 8}[dtype]
    item = {"dtype": dtype, "shape": [2, 2], "data_offsets": [0, size]}
    head = json.dumps({"layer.weight": item}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(size)


@pytest.mark.parametrize("padding", [0, 600 * 1024])
async def test_weights_that_another_kit_lends_are_read_where_it_is(
    workspace: Workspace, tmp_path: Path, docker_registry: RunningRegistry, padding: int
) -> None:
    """By header, in the repository of that kit; small ones whole."""
    host = docker_registry.host
    base, child = MadeLayout(tmp_path / "base"), MadeLayout(tmp_path / "child")
    for tag, dtype in (("v1", "F32"), ("v2", "F16")):
        files = {"m/config.json": b'{"hidden_size": 8}', "m/model.safetensors": weights(dtype)}
        if padding:
            files["m/more.bin"] = bytes(padding)
        layers = [base.layer("model", files)]
        base.kit(tag, {"manifestVersion": "1.0.0", "model": {"path": "m"}}, layers)
        child.child(tag, f"{host}/lend{padding}/base:{tag}", {"app.py": b"app"})
    docker_registry.push(base.root, f"lend{padding}/base")
    docker_registry.push(child.root, f"lend{padding}/child")
    sides = [Reference.parse(f"{host}/lend{padding}/child:{tag}") for tag in ("v1", "v2")]
    found = await diff(workspace, *sides)
    rows = {row.key: row for row in found.comparison.section("tensors").rows}
    assert (rows["layer.weight"].a, rows["layer.weight"].b) == ("F32 2x2", "F16 2x2")
    assert "weights (tensors retyped)" in found.comparison.summary
    assert "config.hidden_size" in {item.name for item in found.a.facts.parameters}


async def test_a_model_of_a_kit_that_is_gone_is_said_to_be_unknown(
    workspace: Workspace, tmp_path: Path, docker_registry: RunningRegistry
) -> None:
    """Beside what the version itself tells."""
    child = MadeLayout(tmp_path / "child")
    child.child("v1", f"{docker_registry.host}/gone/base:v1", {"app.py": b"app"})
    docker_registry.push(child.root, "gone/child")
    reference = Reference.parse(f"{docker_registry.host}/gone/child:v1")
    version = await load_version(workspace, reference)
    assert version.chain_problem is not None
    assert version.files == {"app.py": b"app"}
