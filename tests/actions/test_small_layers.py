"""Which layers of a version are looked into for facts, and what that costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.actions import Workspace, diff, load_version
from rolldeck.actions.small_layers import SMALL_LAYER, read_small_layers
from rolldeck.kit.model import Kit
from rolldeck.oci import Reference
from rolldeck.settings import RegistrySettings, Settings
from tests.made_kits import KIT_LAYER, MadeLayout
from tests.servers.fault_proxy import fault_proxy
from tests.servers.registry import RunningRegistry


def workspace_of(tmp_path: Path, *hosts: str) -> Workspace:
    registries = {host: RegistrySettings(plain_http=True) for host in hosts}
    return Workspace(Settings(library=tmp_path / "library", registries=registries))


def at(root: Path, name: str) -> Reference:
    repository, _, tag = name.partition(":")
    return Reference.parse(f"oci:{root}/layouts/{repository}:{tag}")


async def test_facts_in_model_and_data_layers_are_found(golden: Path, tmp_path: Path) -> None:
    """What MLflow, transformers and DVC leave lies where the model and the data lie."""
    workspace = workspace_of(tmp_path)
    mlflow = await load_version(workspace, at(golden, "facts-mlflow:v1.0.0"))
    assert mlflow.facts.signature_source == "model/MLmodel"
    assert set(mlflow.files) == {"metrics.json"}
    hf = await load_version(workspace, at(golden, "facts-hf:v1"))
    assert "config.num_hidden_layers" in {item.name for item in hf.facts.parameters}
    dvc = await load_version(workspace, at(golden, "facts-dvc:v1"))
    assert "dvc-md5" in {item.scheme for item in dvc.facts.data}


async def test_each_small_layer_is_fetched_once_and_no_large_one(
    golden_registry: RunningRegistry, tmp_path: Path
) -> None:
    """wdbc v1.2.0 has a model of 377 KiB; everything else is small."""
    with fault_proxy(golden_registry.host) as proxy:
        workspace = workspace_of(tmp_path, proxy.host)
        try:
            version = await load_version(
                workspace, Reference.parse(f"{proxy.host}/golden/wdbc:v1.2.0")
            )
        finally:
            await workspace.close()
        fetched = [path.rpartition("/")[2] for path, part in proxy.requests if part is None]
        parts = {path.rpartition("/")[2] for path, part in proxy.requests if part is not None}
    config = version.kit.manifest.config
    assert config is not None
    small = [item.digest for item in version.kit.layers if item.size <= SMALL_LAYER]
    large = [item for item in version.kit.layers if item.size > SMALL_LAYER]
    assert [item.kind for item in large] == ["model"]
    assert sorted(fetched) == sorted([*small, config.digest])
    assert parts == {large[0].digest}
    assert set(version.members) == set(small)


async def test_a_second_comparison_fetches_nothing(
    golden_registry: RunningRegistry, tmp_path: Path
) -> None:
    """What was read stays at hand."""
    with fault_proxy(golden_registry.host) as proxy:
        workspace = workspace_of(tmp_path, proxy.host)
        a, b = (
            Reference.parse(f"{proxy.host}/golden/facts-mlflow:{tag}")
            for tag in ("v0.9.0", "v1.0.0")
        )
        try:
            await diff(workspace, a, b)
            before = len(proxy.requests)
            await diff(workspace, a, b)
        finally:
            await workspace.close()
        assert len(proxy.requests) == before > 0


async def test_other_packing_by_an_older_kit_is_the_same_content(
    golden: Path, tmp_path: Path
) -> None:
    """kit v0.4.0 declares no digests of content: the files themselves tell."""
    workspace = workspace_of(tmp_path)
    a, b = (at(golden, f"era:{tag}") for tag in ("v0.4.0-gzip", "v1.11-none"))
    comparison = (await diff(workspace, a, b)).comparison
    assert comparison.section("layers").changed == 0
    assert comparison.section("data").changed == 0


async def test_a_hostile_model_layer_counts_as_not_read(tmp_path: Path) -> None:
    """The version can still be looked at; only unpacking refuses it."""
    made = MadeLayout(tmp_path / "layout")
    bad = made.blob("application/vnd.kitops.modelkit.model.v1.tar", b"\x01" * 1024)
    made.kit(
        "v1", {"model": {"path": "m"}}, [bad, made.layer("docs", {"metrics.json": b'{"f1": 1}'})]
    )
    version = await load_version(
        workspace_of(tmp_path), Reference.parse(f"oci:{tmp_path}/layout:v1")
    )
    assert [item.value for item in version.facts.metrics] == [1.0]
    assert bad["digest"] not in version.members


async def test_what_was_not_looked_into_is_known(tmp_path: Path) -> None:
    """A large code layer beside a small model: the code is told as not read."""
    made = MadeLayout(tmp_path / "layout")
    code = made.layer("code", {"a.bin": b"0" * (1024 * 1024)})
    made.kit("v1", {"model": {"path": "m"}}, [made.layer("model", {"m": b"1"}), code])
    workspace = workspace_of(tmp_path)
    version = await load_version(workspace, Reference.parse(f"oci:{tmp_path}/layout:v1"))
    assert "code: the code layer was not read" in version.facts.missing
    reference = await workspace.resolve(Reference.parse(f"oci:{tmp_path}/layout:v1"))
    read = await read_small_layers(workspace, reference, version.kit)
    assert [item.digest for item in read.unread] == [code["digest"]]


@pytest.mark.parametrize(("path", "told"), [("model", True), ("model.gguf", False)])
async def test_a_large_model_directory_may_hold_a_signature(
    tmp_path: Path, path: str, told: bool
) -> None:
    """Where it cannot be looked through; nothing lies beside the weights of one file."""
    made = MadeLayout(tmp_path / "layout")
    model = made.blob(f"{KIT_LAYER}.model.v1.tar", b"\x01" * (SMALL_LAYER + 512))
    made.kit("v1", {"model": {"path": path, "digest": model["digest"]}}, [model])
    version = await load_version(
        workspace_of(tmp_path), Reference.parse(f"oci:{tmp_path}/layout:v1")
    )
    assert ("signature: the model layer was not read" in version.facts.missing) is told


async def test_what_is_no_kit_is_not_looked_into(golden: Path, tmp_path: Path) -> None:
    """Layers of an image are file systems."""
    workspace = workspace_of(tmp_path)
    version = await load_version(workspace, at(golden, "other:image-amd64"))
    assert isinstance(version.kit, Kit)
    assert version.members == {}
