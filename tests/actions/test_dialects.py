"""What the golden data lacks: read, shown and unpacked alike; synthetic, from the specifications.

Media types and annotations are those in the sources of kit (main of 2026), of modctl v0.2 and of
the older model specification (``vnd.cnai``).
"""

from __future__ import annotations

import gzip
import json
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rolldeck.actions import Workspace, list_versions, load_version, unpack
from rolldeck.cli.documents import version_document
from rolldeck.oci import Reference, digest_of
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from tests.made_kits import FILEPATH, KIT_LAYER, PACK_CONFIG, MadeLayout, tar_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACK_LAYER = "application/vnd.cncf.model"
OLD_LAYER = "application/vnd.cnai.model"
METADATA = "org.cncf.model.file.metadata+json"
KITFILE = "ml.kitops.modelkit.kitfile"


@dataclass(frozen=True)
class Shape:
    """What must be found: kind, (kind, path) of the layers, and the files with their modes."""

    kind: str
    layers: list[tuple[str, str | None]]
    files: dict[str, bytes]
    modes: dict[str, int]
    skipped: tuple[str, ...] = ()
    kitfile: str | None = None


def metadata(name: str, mode: int) -> str:
    """Return a raw layer's description of its file, as kit and modctl write it."""
    stated = {"name": name, "mode": mode, "uid": 0, "gid": 0, "size": 1}
    return json.dumps({**stated, "mtime": "2026-06-01T10:00:00Z", "typeflag": 48})


def newest_kit(made: MadeLayout) -> Shape:
    """The newest manifest form: media type, creation time, zstd and raw layers."""
    weights = made.blob(
        f"{KIT_LAYER}.model.v1.tar+zstd",
        zstd.compress(tar_of({"m/model.bin": b"weights"})),
        **{FILEPATH: "m"},
    )
    raw = made.blob(
        f"{KIT_LAYER}.code.v1.raw+gzip",
        gzip.compress(b"#!/bin/sh"),
        **{FILEPATH: "run.sh", METADATA: metadata("run.sh", 0o755)},
    )
    kitfile = {
        "manifestVersion": "1.0.0",
        "package": {"name": "new"},
        "model": {"path": "./m", "digest": weights["digest"], "diffId": "sha256:" + "1" * 64},
        "code": [{"path": "run.sh", "digest": raw["digest"], "diffId": digest_of(b"#!/bin/sh")}],
    }
    made.kit(
        "v1",
        kitfile,
        [weights, raw],
        mediaType="application/vnd.oci.image.manifest.v1+json",
        artifactType="application/vnd.kitops.modelkit.manifest.v1+json",
        annotations={"org.opencontainers.image.created": "2026-06-01T10:00:00Z"},
    )
    return Shape(
        "modelkit",
        [("model", "./m"), ("code", "run.sh")],
        {"m/model.bin": b"weights", "run.sh": b"#!/bin/sh"},
        {"m": 0o755, "m/model.bin": 0o644, "run.sh": 0o755},
        kitfile="package:\n  name: new\nmodel:\n  path: ./m\ncode:\n  - path: run.sh\n",
    )


def mcp_servers(made: MadeLayout) -> Shape:
    """A packed MCP server: a ZIP file that stays as it is, beside a prompt."""
    server = made.blob(f"{KIT_LAYER}.mcpb.v1.raw", b"PK\3\4zip", **{FILEPATH: "tools.mcpb"})
    prompt = made.layer(
        "code",
        {"ask.md": b"ask"},
        {FILEPATH: "ask.md", "ml.kitops.modelkit.layer-subtype": "prompt"},
    )
    kitfile = {
        "manifestVersion": "1.0.0",
        "package": {},
        "prompts": [{"name": "ask", "path": "ask.md", "digest": prompt["digest"]}],
        "mcpServers": [{"name": "tools", "path": "tools.mcpb", "digest": server["digest"]}],
    }
    made.kit("v1", kitfile, [prompt, server])
    return Shape(
        "modelkit",
        [("prompt", "ask.md"), ("mcpb", "tools.mcpb")],
        {"ask.md": b"ask", "tools.mcpb": b"PK\3\4zip"},
        {},
        kitfile="prompts:\n  - name: ask\n    path: ask.md\n"
        "mcpServers:\n  - name: tools\n    path: tools.mcpb\n",
    )


def remote_data(made: MadeLayout) -> Shape:
    """A data set that lies elsewhere has no layer; what is not in the tree is named."""
    code = made.layer("code", {"a.py": b"a"})
    local = made.layer("dataset", {"rows.csv": b"1"})
    kitfile = {
        "manifestVersion": "1.0.0",
        "package": {},
        "code": [{"path": "a.py", "digest": code["digest"]}],
        "datasets": [
            {"name": "far", "path": "far.csv", "remotePath": "s3://b/k", "remoteHash": "e"},
            {"name": "near", "path": "rows.csv", "digest": local["digest"]},
        ],
    }
    made.kit("v1", kitfile, [code, local])
    return Shape(
        "modelkit",
        [("code", "a.py"), ("dataset", "rows.csv")],
        {"a.py": b"a", "rows.csv": b"1"},
        {},
        skipped=("far.csv",),
        kitfile="code:\n  - path: a.py\ndatasets:\n  - name: far\n    path: far.csv\n"
        "    remotePath: s3://b/k\n    remoteHash: e\n  - name: near\n    path: rows.csv\n",
    )


def no_layers(made: MadeLayout) -> Shape:
    """Newer kit writes an empty list where older kit wrote null."""
    made.kit("v1", {"manifestVersion": "1.0.0", "package": {"name": "nothing"}}, [])
    return Shape("modelkit", [], {}, {}, kitfile="package:\n  name: nothing\n")


def two_alike(made: MadeLayout) -> Shape:
    """Two raw layers of one digest are two files: only their annotations tell them apart."""
    layers = [
        made.blob(f"{KIT_LAYER}.docs.v1.raw", b"same", **{FILEPATH: path}) for path in ("a", "b/c")
    ]
    digest = layers[0]["digest"]
    docs = [{"path": path, "digest": digest} for path in ("b/c", "a")]
    made.kit("v1", {"manifestVersion": "1.0.0", "package": {}, "docs": docs}, layers)
    return Shape(
        "modelkit",
        [("docs", "a"), ("docs", "b/c")],
        {"a": b"same", "b/c": b"same"},
        {},
        kitfile="docs:\n  - path: b/c\n  - path: a\n",
    )


def kit_pack(made: MadeLayout) -> Shape:
    """A ModelPack of newer kit: raw layers, the Kitfile in an annotation and as a layer."""
    weights = made.blob(
        f"{PACK_LAYER}.weight.v1.raw",
        b"weights",
        **{FILEPATH: "model.bin", METADATA: metadata("model.bin", 0o640)},
    )
    part = made.blob(
        f"{PACK_LAYER}.weight.config.v1.tar+zstd",
        zstd.compress(tar_of({"conf/tokens.json": b"{}"})),
        **{FILEPATH: "conf"},
    )
    kitfile = {
        "manifestVersion": "1.0.0",
        "package": {"name": "pack"},
        "model": {
            "path": "model.bin",
            "parts": [{"path": "conf", "digest": part["digest"]}],
            "digest": weights["digest"],
        },
    }
    extra = made.blob(
        "application/vnd.kitops.modelkit.config.v1+json", json.dumps(kitfile).encode()
    )
    config = made.blob(PACK_CONFIG, json.dumps(_pack_config(weights, part)).encode())
    made.manifest("v1", config, [weights, part, extra], annotations={KITFILE: json.dumps(kitfile)})
    return Shape(
        "modelpack",
        [("model", "model.bin"), ("modelpart", "conf"), ("other", None)],
        {"model.bin": b"weights", "conf/tokens.json": b"{}"},
        {"model.bin": 0o640},
        skipped=(extra["digest"],),
        kitfile="package:\n  name: pack\nmodel:\n  path: model.bin\n  parts:\n    - path: conf\n",
    )


def _pack_config(*layers: dict[str, Any]) -> dict[str, Any]:
    # kit v1.10 and v1.11 hashed the digest's text once more.
    wrong = [digest_of(layer["digest"].encode()) for layer in layers]
    return {
        "descriptor": {"createdAt": "2026-06-01T10:00:00Z", "name": "pack"},
        "modelfs": {"type": "layers", "diffIds": wrong},
        "config": {"format": "none"},
    }


def several_weights(made: MadeLayout) -> Shape:
    """A ModelPack of modctl without a Kitfile: one layer per file, more than one of weights."""
    names = ("model-1.safetensors", "model-2.safetensors")
    layers = [
        made.blob(f"{PACK_LAYER}.weight.v1.raw", name.encode(), **{FILEPATH: name})
        for name in names
    ]
    layers.append(
        made.blob(
            f"{PACK_LAYER}.doc.v1.tar+gzip",
            gzip.compress(tar_of({"docs/README.md": b"read"})),
            **{FILEPATH: "docs/README.md"},
        )
    )
    made.manifest(
        "v1",
        made.blob(PACK_CONFIG, b'{"modelfs": {"type": "layers", "diffIds": []}}'),
        layers,
        artifactType="application/vnd.cncf.model.manifest.v1+json",
    )
    return Shape(
        "modelpack",
        [*(("model", name) for name in names), ("docs", "docs/README.md")],
        {**{name: name.encode() for name in names}, "docs/README.md": b"read"},
        {},
    )


def older_names(made: MadeLayout) -> Shape:
    """The types and annotations from before the specification moved to the CNCF."""
    key = {"org.cnai.model.filepath": "run.sh"}
    key["org.cnai.model.file.metadata+json"] = metadata("run.sh", 0o755)
    layers = [
        made.blob(
            f"{OLD_LAYER}.weight.v1.tar",
            tar_of({"w/model.bin": b"weights"}),
            **{"org.cnai.model.filepath": "w/model.bin"},
        ),
        made.blob(f"{OLD_LAYER}.code.v1.raw", b"#!/bin/sh", **key),
    ]
    config = made.blob("application/vnd.cnai.model.config.v1+json", b'{"config": {}}')
    made.manifest("v1", config, layers, artifactType="application/vnd.cnai.model.manifest.v1+json")
    return Shape(
        "modelpack",
        [("model", "w/model.bin"), ("code", "run.sh")],
        {"w/model.bin": b"weights", "run.sh": b"#!/bin/sh"},
        {"w": 0o755, "run.sh": 0o755},
    )


DIALECTS = (
    newest_kit,
    mcp_servers,
    remote_data,
    no_layers,
    two_alike,
    kit_pack,
    several_weights,
    older_names,
)


@pytest.mark.parametrize("make", DIALECTS, ids=lambda make: make.__name__)
async def test_it_is_read_shown_and_unpacked(
    make: Callable[[MadeLayout], Shape], tmp_path: Path
) -> None:
    """In a list, alone, and as files."""
    made = MadeLayout(tmp_path / "made")
    shape = make(made)
    workspace = Workspace(Settings(library=tmp_path / "library"))
    reference = Reference.parse(f"oci:{made.root}:v1")
    (row,) = (await list_versions(workspace, reference)).rows
    assert (row.kind, row.problem) == (shape.kind, None)
    shown = version_document(await load_version(workspace, reference))
    assert [(item["kind"], item["path"]) for item in shown["layers"]] == shape.layers
    done = await unpack(workspace, reference, tmp_path / "dest", Progress())
    assert tuple(path for path, _ in done.skipped) == shape.skipped
    found = {str(p.relative_to(tmp_path / "dest")): p for p in (tmp_path / "dest").rglob("*")}
    kitfile = found.pop("Kitfile", None)
    text = kitfile.read_text() if kitfile else None
    assert text == (shape.kitfile and f"manifestVersion: 1.0.0\n{shape.kitfile}")
    assert {name: p.read_bytes() for name, p in found.items() if p.is_file()} == shape.files
    modes = {name: stat.S_IMODE(found[name].stat().st_mode) for name in shape.modes}
    assert modes == shape.modes
