"""What comparing versions in a registry moves: counted by a proxy, never timed."""

from __future__ import annotations

import gzip
import hashlib
import json
import pickle
import random
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from rolldeck.actions import Workspace, diff, find_and_look, load_facts, load_version, with_file
from rolldeck.actions.small_layers import VERSION_LIMIT
from rolldeck.oci import Reference
from rolldeck.oci.model import Digest
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.kit.archives import END, directory, file, header
from tests.made_kits import KIT_LAYER, MadeLayout, tar_of
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.in_memory import InMemoryRegistry, put_in
from tests.servers.registry import RunningRegistry
from tests.servers.repository import MadeUp, digest_of

HUGE = 256 * 1024 * 1024
MEGABYTE = 1_000_000
KIB = 1024
RAW = "application/vnd.cncf.model.weight.v1.raw"


def safetensors(tensors: Mapping[str, tuple[str, list[int]]], size: int) -> bytes:
    """Return length and header of a file whose tensors would need ``size`` bytes."""
    items = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}
        for name, (dtype, shape) in tensors.items()
    }
    head = json.dumps(items).encode()
    return struct.pack("<Q", len(head)) + head


def llama(layers: int, dtype: str = "BF16") -> dict[str, tuple[str, list[int]]]:
    """Return tensors named as those of a language model."""
    found = {"model.embed_tokens.weight": (dtype, [32, 8])}
    for number in range(layers):
        for part in ("self_attn.q_proj", "self_attn.k_proj", "mlp.up_proj", "mlp.down_proj"):
            found[f"model.layers.{number}.{part}.weight"] = (dtype, [8, 8])
    return found


def sparse_blob(made: MadeLayout, media_type: str, parts: list[bytes | int], path: str) -> object:
    """Store a blob of bytes and holes (given as their size) that takes no room on the disk."""
    draft = made.root / "draft"
    verifier = hashlib.sha256()
    zeros = bytes(1024 * 1024)
    size = 0
    with draft.open("wb") as out:
        for part in parts:
            if isinstance(part, bytes):
                out.write(part)
                verifier.update(part)
                size += len(part)
                continue
            size += part
            out.seek(size)
            for start in range(0, part, len(zeros)):
                verifier.update(zeros[: min(len(zeros), part - start)])
        out.truncate(size)
    digest = f"sha256:{verifier.hexdigest()}"
    draft.rename(made.root / "blobs" / "sha256" / verifier.hexdigest())
    return {
        "mediaType": media_type,
        "digest": digest,
        "size": size,
        "annotations": {"org.cncf.model.filepath": path},
    }


def huge_tar(made: MadeLayout, layers: int, dtype: str, size: int) -> object:
    """Store a model directory: settings, and weights of about ``size`` bytes."""
    head = safetensors(llama(layers, dtype), size)
    config = json.dumps({"architectures": ["Llama"], "num_hidden_layers": layers}).encode()
    length = len(head) + size
    begin = directory("m") + file("m/config.json", config)
    begin += header("m/model.safetensors", length) + head
    return sparse_blob(made, f"{KIT_LAYER}.model.v1.tar", [begin, size + -length % 512, END], "m")


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Another workspace with the same library and cache, as another process would have."""
    opened = Workspace(Settings(library=tmp_path / "library"))
    yield opened
    await opened.close()


@pytest.fixture
def name(tmp_path: Path) -> str:
    """A repository of the test's own."""
    return f"costs/{tmp_path.name.casefold().replace('_', '-').strip('-')}"


async def test_two_huge_versions_cost_less_than_a_megabyte_and_then_nothing(
    made: MadeLayout,
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    workspace: Workspace,
    fresh: Workspace,
    name: str,
) -> None:
    """256 MiB each, sparse; with code that is too large to read and docs that are not."""
    chance = random.Random(5)
    docs = made.layer("docs", {"docs/a.md": chance.randbytes(100 * KIB)})
    for tag, layers, dtype in (("v1", 40, "BF16"), ("v2", 41, "F16")):
        code = {f"src/{n}.py": chance.randbytes(60_000 + n * (tag == "v2")) for n in range(1, 5)}
        code["src/requirements.txt"] = f"torch==2.{layers}.0\n".encode()
        made.kit(
            tag,
            {"manifestVersion": "1.0.0", "model": {"path": "m"}},
            [huge_tar(made, layers, dtype, HUGE), made.layer("code", code), docs],
        )
    docker_registry.push(made.root, name)
    a, b = (Reference.parse(f"{proxy.host}/{name}:{tag}") for tag in ("v1", "v2"))
    result = await diff(workspace, a, b)
    assert sum(proxy.sent.values()) < MEGABYTE
    rows = {row.key: row for row in result.comparison.section("tensors").rows}
    assert rows["model.layers.{0-39}.mlp.up_proj.weight"].a == "BF16 8x8"
    assert rows["model.layers.40.mlp.up_proj.weight"].status == "added"
    assert rows["parameter count"].delta == 4 * 64
    code_rows = {row.key: row for row in result.comparison.section("code").rows}
    assert code_rows["src/1.py"].note == "not read"
    assert code_rows["src/1.py"].a == "60000 bytes" or code_rows["src/1.py"].a == "60001 bytes"
    environment = {row.key: row for row in result.comparison.section("environment").rows}
    assert (environment["torch"].a, environment["torch"].b) == ("2.40.0", "2.41.0")
    parameters = {row.key for row in result.comparison.section("parameters").rows}
    assert "config.num_hidden_layers" in parameters
    await workspace.close()
    before = sum(proxy.sent.values())
    again = await diff(fresh, a, b)
    assert again.comparison == result.comparison
    assert sum(proxy.sent.values()) == before > 0


async def test_what_a_comparison_read_is_shared_with_browsing(
    made: MadeLayout,
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    workspace: Workspace,
    name: str,
) -> None:
    """Looking at the weights afterwards moves nothing."""
    made.kit("v1", {"model": {"path": "m"}}, [huge_tar(made, 3, "F32", 32 * 1024 * KIB)])
    docker_registry.push(made.root, name)
    reference = Reference.parse(f"{proxy.host}/{name}:v1")
    version = await load_version(workspace, reference)
    assert version.facts.weights[0].types == {"F32": 13}
    before = sum(proxy.sent.values())
    _, view = await find_and_look(workspace, reference, "m/model.safetensors", Progress())
    assert view.header is not None
    assert sum(proxy.sent.values()) == before


@pytest.mark.parametrize("form", ["raw", "gzip"])
async def test_raw_and_compressed_layers_tell_too(
    made: MadeLayout,
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    workspace: Workspace,
    name: str,
    form: str,
) -> None:
    """Of a raw layer the header, of a compressed one its start; shards count as one model."""
    body = random.Random(7).randbytes(512 * KIB)
    layers = []
    for number in (1, 2):
        path = f"m-0000{number}-of-00002.safetensors"
        head = safetensors({f"layers.{number}.w": ("F16", [2, 3])}, len(body))
        if form == "raw":
            media, data = RAW, head + body
        else:
            media = f"{KIT_LAYER}.model.v1.tar+gzip"
            data = gzip.compress(tar_of({path: head + body}), 1)
        layers.append(made.blob(media, data, **{"org.cncf.model.filepath": path}))
    if form == "raw":
        config = made.blob("application/vnd.cncf.model.config.v1+json", b"{}")
        made.manifest(
            "v1", config, layers, artifactType="application/vnd.cncf.model.manifest.v1+json"
        )
    else:
        layers[1]["mediaType"] = f"{KIT_LAYER}.modelpart.v1.tar+gzip"
        made.kit("v1", {"model": {"path": "m"}}, layers)
    docker_registry.push(made.root, name)
    version = await load_version(workspace, Reference.parse(f"{proxy.host}/{name}:v1"))
    (weights,) = version.facts.weights
    assert weights.notice == ""
    assert weights.path == "m.safetensors"
    assert (weights.files, weights.parameters) == (2, 12)
    assert proxy.blob_bytes < VERSION_LIMIT < sum(layer["size"] for layer in layers)


async def test_a_registry_without_ranges_is_not_read_whole(
    made: MadeLayout,
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    workspace: Workspace,
    name: str,
) -> None:
    """What stays unknown is said."""
    made.kit("v1", {"model": {"path": "m"}}, [huge_tar(made, 3, "F32", 64 * 1024 * KIB)])
    docker_registry.push(made.root, name)
    proxy.faults = [Fault(ignore_range=True)] * 99
    version = await load_version(workspace, Reference.parse(f"{proxy.host}/{name}:v1"))
    assert any("sends whole" in text for text in version.facts.missing)


async def test_a_file_is_read_on_request(
    made: MadeLayout,
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    workspace: Workspace,
    name: str,
) -> None:
    """It stands among the files then, and its row has its lines."""
    chance = random.Random(5)
    for tag, text in (("v1", b"one\n"), ("v2", b"two\n")):
        files = {"src/a.bin": chance.randbytes(200 * KIB), "src/b.py": text}
        made.kit(tag, {"code": [{"path": "src"}]}, [made.layer("code", files)])
    docker_registry.push(made.root, name)
    a, b = (Reference.parse(f"{proxy.host}/{name}:{tag}") for tag in ("v1", "v2"))
    result = await diff(workspace, a, b)
    row = next(row for row in result.comparison.section("code").rows if row.key == "src/b.py")
    assert (row.verdict, row.note) == ("unknown", "same size, not read")
    assert "src/b.py" not in result.a.files
    filled = await with_file(workspace, result.a, "src/b.py", Progress())
    assert filled.files["src/b.py"] == b"one\n"
    assert "src/b.py" not in filled.listed
    assert await with_file(workspace, result.a, "nothing", Progress()) is result.a


async def test_a_thousand_versions_cost_two_requests_each(workspace: Workspace) -> None:
    """And each small layer once, although every version has it."""
    found = MadeUp()
    shared = tar_of({"requirements.txt": b"numpy==2.0.0\n"})
    found.blobs[digest_of(shared)] = shared
    for number in range(1000):
        found.add(f"v1.0.{number}", number)
    for tag, digest in list(found.tags.items()):
        document = json.loads(found.manifests.pop(digest))
        document["layers"] = [
            {
                "mediaType": f"{KIT_LAYER}.code.v1.tar",
                "digest": digest_of(shared),
                "size": len(shared),
            }
        ]
        document["annotations"]["tag"] = tag
        raw = json.dumps(document).encode()
        found.manifests[digest_of(raw)] = raw
        found.tags[tag] = digest_of(raw)
    registry = InMemoryRegistry(found)
    put_in(workspace, "many.example", registry)
    place = Reference.parse("many.example/many")
    for digest in found.tags.values():
        facts = await load_facts(workspace, place.at(Digest(digest)))
        assert facts.packages[0].name == "numpy"
        assert facts.metrics
    assert registry.asked == {"manifest": 1000, "blob": 1001}


async def test_what_two_versions_share_is_asked_for_once(
    made: MadeLayout,
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    workspace: Workspace,
    name: str,
) -> None:
    """Though both are read at the same time."""
    docs = made.layer("docs", {"a.md": b"text"})
    for tag in ("v1", "v2"):
        made.kit(tag, {"package": {"name": tag}, "docs": [{"path": "a.md"}]}, [docs])
    docker_registry.push(made.root, name)
    a, b = (Reference.parse(f"{proxy.host}/{name}:{tag}") for tag in ("v1", "v2"))
    await diff(workspace, a, b)
    asked = [path for path, _ in proxy.requests if path.endswith(docs["digest"])]
    assert len(asked) == 1


async def test_what_lies_behind_large_weights_in_a_compressed_layer_is_said(
    made: MadeLayout,
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    workspace: Workspace,
    name: str,
) -> None:
    """It cannot be had without fetching the weights; the comparison names layer and file."""
    for tag in ("v1", "v2"):
        body = random.Random(tag).randbytes(3 * 1024 * KIB)
        head = safetensors({"w": ("F16", [2, 3])}, len(body))
        files = {"m/a.safetensors": head + body, "m/config.json": b'{"hidden_size": 8}'}
        media = f"{KIT_LAYER}.model.v1.tar+gzip"
        made.kit(tag, {"model": {"path": "m"}}, [made.blob(media, gzip.compress(tar_of(files), 1))])
    docker_registry.push(made.root, name)
    a, b = (Reference.parse(f"{proxy.host}/{name}:{tag}") for tag in ("v1", "v2"))
    found = await diff(workspace, a, b)
    assert proxy.blob_bytes < MEGABYTE
    assert [text.partition(": ")[0] for text in found.comparison.problems] == ["v1", "v2"]
    for text in found.comparison.problems:
        assert "not looked through to its end: stopped behind m/a.safetensors" in text
    assert "config.hidden_size" not in {item.name for item in found.a.facts.parameters}


async def test_a_large_pickle_in_a_registry_is_read_at_its_start_and_says_so(
    made: MadeLayout,
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    workspace: Workspace,
    name: str,
) -> None:
    """What it imports behind that is unknown."""
    held = pickle.dumps([random.Random(3).randbytes(1000) for _ in range(2000)], 4)
    made.kit("v1", {"model": {"path": "m"}}, [made.layer("model", {"m/model.pkl": held})])
    docker_registry.push(made.root, name)
    version = await load_version(workspace, Reference.parse(f"{proxy.host}/{name}:v1"))
    (found,) = version.facts.pickles
    assert found.notice == "only the first 64.0 KiB were read"
    assert proxy.blob_bytes < VERSION_LIMIT < len(held)
