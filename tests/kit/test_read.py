"""Every golden artifact reads into one ``Kit``, as the real kit and modctl meant it."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path
from typing import Any

import pytest

from rolldeck.errors import IntegrityError
from rolldeck.kit import Kit, read_kit
from rolldeck.oci import LayoutRegistry, parse_manifest

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = sorted(path.stem for path in (GOLDEN / "expected").glob("*.json"))

KINDS = {"other_files": "artifact", "other_image-amd64": "image", "other_image-arm64": "image"}
KINDS |= {"other_index": "index", "modctl_raw": "modelpack", "modctl_tar": "modelpack"}
KINDS |= {"era_v1.11-modelpack": "modelpack", "era_v1.11-modelpack-gzip": "modelpack"}

SECTIONS = {"code": "code", "datasets": "dataset", "docs": "docs", "prompts": "prompt"}


def expected(name: str) -> dict[str, Any]:
    """What the real tools said of an artifact."""
    document: dict[str, Any] = json.loads((GOLDEN / "expected" / f"{name}.json").read_text())
    return document


async def load(name: str) -> Kit:
    """Read a golden artifact as an action would."""
    layout, _, tag = name.partition("_")
    registry = LayoutRegistry(GOLDEN / "layouts" / layout)
    manifest = await registry.manifest("", (await registry.resolve("", tag)).digest)
    config = await registry.read_blob("", manifest.config) if manifest.config else None
    return read_kit(manifest, config)


def elements(kitfile: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """The Kitfile's elements that make layers: kind, path, name."""
    found = []
    model = kitfile.get("model") or {}
    if model.get("path") and ":" not in model["path"]:
        found.append(("model", model["path"], model.get("name")))
    found += [("modelpart", part["path"], part.get("name")) for part in model.get("parts") or []]
    for section, kind in SECTIONS.items():
        found += [(kind, item["path"], item.get("name")) for item in kitfile.get(section) or []]
    return found


def as_kit_prints(value: Any) -> Any:
    """A document as kit prints it: numbers as doubles, midnight as a date, no empty package."""
    if isinstance(value, dict):
        return {key: as_kit_prints(item) for key, item in value.items() if item != {}}
    if isinstance(value, list):
        return [as_kit_prints(item) for item in value]
    if isinstance(value, str):
        return value.removesuffix("T00:00:00Z")
    return float(value) if type(value) is int else value


@pytest.mark.parametrize("name", EXPECTED)
async def test_digest_kind_and_kitfile(name: str) -> None:
    """The manifest's digest, what it is, and the Kitfile as kit inspect printed it."""
    truth = expected(name)
    kit = await load(name)
    assert kit.digest == truth["digest"]
    assert kit.kind == KINDS.get(name, "modelkit")
    inspected = truth["kit_inspect"] or {}
    if inspected.get("kitfile") and kit.kind == "modelkit":
        assert as_kit_prints(dict(kit.kitfile or {})) == as_kit_prints(inspected["kitfile"])
    layers = (inspected.get("manifest") or {}).get("layers") or []
    if inspected:
        assert [(item.digest, item.size) for item in kit.layers] == [
            (item["digest"], item["size"]) for item in layers
        ]
        assert kit.size == sum(item["size"] for item in layers)


@pytest.mark.parametrize("name", [n for n in EXPECTED if not n.startswith(("other", "modctl"))])
async def test_each_element_has_its_layer(name: str) -> None:
    """Layers are joined with the Kitfile's elements by digest, path and kind, in every era."""
    kit = await load(name)
    assert kit.kitfile is not None
    joined = [(layer.kind, layer.path, layer.name) for layer in kit.layers]
    assert sorted(joined, key=str) == sorted(elements(dict(kit.kitfile)), key=str)


async def test_layers_of_modctl_are_known_by_their_annotation() -> None:
    """One layer per file, raw or tar, without a Kitfile."""
    for name, form in (("modctl_raw", "raw"), ("modctl_tar", "tar")):
        kit = await load(name)
        assert kit.kitfile is None
        assert {(layer.kind, layer.path) for layer in kit.layers} == {
            ("modelpart", "models/llm/config.json"),
            ("model", "models/llm/model.bin"),
            ("code", "src/main.py"),
            ("docs", "README.md"),
        }
        assert {layer.form for layer in kit.layers} == {form}


async def test_old_archives_know_what_their_names_are_relative_to() -> None:
    """Before kit v0.5 an archive's names began at the parent of the element's path."""
    for name in EXPECTED:
        if not name.startswith("era"):
            continue
        kit = await load(name)
        is_old = name.startswith(("era_v0.2", "era_v0.4"))
        for layer in kit.layers:
            assert layer.path is not None
            parent = posixpath.dirname(posixpath.normpath(layer.path))
            assert layer.base == (parent if is_old else "")


async def test_a_model_from_another_kit_is_named() -> None:
    """A reference in model.path makes no layer and is kept as what it is."""
    assert (await load("odd-child_v1")).model_reference == "127.0.0.1:5081/golden/era:v1.11-none"
    assert (await load("wdbc_v1.2.0")).model_reference is None


async def test_when_it_was_made() -> None:
    """From annotation, config or run record; the zero time of Go is no time."""
    assert (await load("wdbc_v1.2.0")).created is not None
    assert (await load("other_files")).created is not None
    assert (await load("other_image-amd64")).created is None
    assert (await load("odd-empty_v1")).created is None


async def test_an_index_lists_what_it_holds() -> None:
    """An image index is shown, not refused."""
    kit = await load("other_index")
    assert len(kit.manifest.manifests) == 2
    assert kit.size > 0


@pytest.mark.parametrize("config", [None, b"", b"[]", b"nope", b'{"a": NaN}'])
async def test_a_kit_without_a_readable_config_is_damaged(config: bytes | None) -> None:
    """What claims to be a kit must have its Kitfile."""
    kit = await load("wdbc_v1.2.0")
    with pytest.raises(IntegrityError):
        read_kit(kit.manifest, config)


@pytest.mark.parametrize(
    "kitfile",
    [
        {"model": "text"},
        {"model": {"path": 5, "parts": "x", "parameters": [1]}},
        {"model": {"path": "./m", "parts": [5, None, {"path": ["x"]}]}, "code": {"path": "x"}},
        {"package": [], "docs": [[]], "datasets": [{"digest": 5}], "prompts": None},
        {"model": {"path": "x:y:z@@"}, "unknown": {"deep": [1, 2]}},
    ],
)
async def test_a_kitfile_of_wrong_types_is_read_without_a_crash(kitfile: Any) -> None:
    """Tolerant of what is inside, since it is only shown."""
    kit = await load("wdbc_v1.2.0")
    found = read_kit(kit.manifest, json.dumps(kitfile).encode())
    assert len(found.layers) == len(kit.layers)
    assert found.package == {}


async def test_media_types_of_every_dialect() -> None:
    """Types of the older ModelPack prefix, of zstd and of mcpb; written from the specifications."""
    layers = [
        ("application/vnd.cnai.model.weight.v1.tar", "model", "tar", "none"),
        ("application/vnd.cncf.model.doc.v1.tar+zstd", "docs", "tar", "zstd"),
        ("application/vnd.kitops.modelkit.mcpb.v1.raw", "mcpb", "raw", "none"),
        ("application/vnd.kitops.modelkit.newkind.v1.tar+gzip", "other", "tar", "gzip"),
        ("application/vnd.oci.image.layer.v1.tar", "other", "unknown", "none"),
    ]
    digest = "sha256:" + "0" * 64
    document = {
        "schemaVersion": 2,
        "artifactType": "application/vnd.cnai.model.manifest.v1+json",
        "config": {"mediaType": "x", "digest": digest, "size": 2},
        "layers": [{"mediaType": kind, "digest": digest, "size": 1} for kind, *_ in layers],
    }
    manifest = parse_manifest(json.dumps(document).encode(), None, reference="synthetic")
    kit = read_kit(manifest, b"{}")
    assert kit.kind == "modelpack"
    assert [(item.kind, item.form, item.compression) for item in kit.layers] == [
        tuple(rest) for _, *rest in layers
    ]


async def test_layers_of_images_are_archives_to_list() -> None:
    """In an image only: other artifacts use the same types for files of any kind."""
    endings = ("oci.image.layer.v1.tar", "docker.image.rootfs.diff.tar")
    types = [
        (f"{endings[0]}+gzip", "image", "gzip"),
        (f"{endings[0]}+zstd", "image", "zstd"),
        (endings[0], "image", "none"),
        (f"{endings[1]}.gzip", "image", "gzip"),
        (f"{endings[0]}+encrypted", "unknown", "none"),
    ]
    digest = "sha256:" + "0" * 64
    layers = [
        {"mediaType": f"application/vnd.{kind}", "digest": digest, "size": 1} for kind, *_ in types
    ]
    for config, kind in (("oci.image.config.v1+json", "image"), ("example.v1+json", "artifact")):
        document = {
            "schemaVersion": 2,
            "config": {"mediaType": f"application/vnd.{config}", "digest": digest, "size": 2},
            "layers": layers,
        }
        manifest = parse_manifest(json.dumps(document).encode(), None, reference="synthetic")
        kit = read_kit(manifest, b"{}")
        assert kit.kind == kind
        found = [(item.form, item.compression) for item in kit.layers]
        expected = [(form, packing) for _, form, packing in types]
        assert found == (expected if kind == "image" else [("unknown", "none")] * len(types))
