"""What a layer's media type says: for what, in which form, compressed how.

ModelKit: ``application/vnd.kitops.modelkit.<kind>.v1.<tar|raw>[+gzip|+zstd]``. ModelPack:
``application/vnd.cncf.model.<kind>.v1.<tar|raw>[+gzip|+zstd]``, and the same with the older prefix
``vnd.cnai.model``. Layers of container images: ``application/vnd.oci.image.layer.v1.tar`` with the
same endings, ``application/vnd.docker.image.rootfs.diff.tar[.gzip|.zstd]``. Unknown types are
shown, never guessed.
"""

from __future__ import annotations

import re
from typing import NamedTuple, cast

from rolldeck.kit.model import Compression, ElementKind, Form

KIT_CONFIG = "application/vnd.kitops.modelkit.config.v1+json"
KIT_ARTIFACT = "application/vnd.kitops.modelkit.manifest.v1+json"
KIT_INDEX = "application/vnd.kitops.modelkit.index.v1+json"
PACK_CONFIGS = (
    "application/vnd.cncf.model.config.v1+json",
    "application/vnd.cnai.model.config.v1+json",
)
PACK_ARTIFACTS = (
    "application/vnd.cncf.model.manifest.v1+json",
    "application/vnd.cnai.model.manifest.v1+json",
)

_LAYER = re.compile(
    r"application/vnd\.(?P<dialect>kitops\.modelkit|cncf\.model|cnai\.model)"
    r"\.(?P<kind>[a-z.]+)\.v1\.(?P<form>tar|raw)(?:\+(?P<compression>gzip|zstd))?"
)
_IMAGE_LAYERS: dict[str, Compression] = {
    "application/vnd.oci.image.layer.v1.tar": "none",
    "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
    "application/vnd.docker.image.rootfs.diff.tar": "none",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
}
_KIT_KINDS = ("model", "modelpart", "dataset", "code", "docs", "mcpb")
_PACK_KINDS = {
    "weight": "model",
    "weight.config": "modelpart",
    "dataset": "dataset",
    "code": "code",
    "doc": "docs",
}


class LayerType(NamedTuple):
    """What a layer is for, and how its bytes are to be read."""

    kind: ElementKind
    form: Form
    compression: Compression


UNKNOWN = LayerType("other", "unknown", "none")


def parse_layer_type(media_type: str) -> LayerType:
    """Return what a layer's media type says; ``UNKNOWN`` for a type of no known dialect."""
    match = _LAYER.fullmatch(media_type)
    if match is None:
        return UNKNOWN
    word = match["kind"]
    if match["dialect"] == "kitops.modelkit":
        kind = word if word in _KIT_KINDS else "other"
    else:
        kind = _PACK_KINDS.get(word, "other")
    return LayerType(
        cast(ElementKind, kind),
        cast(Form, match["form"]),
        cast(Compression, match["compression"] or "none"),
    )


def image_layer_type(media_type: str) -> LayerType:
    """Return what the media type of a container image's layer says; ``UNKNOWN`` for others.

    Only for images: other artifacts use the same types for files of any kind.
    """
    compression = _IMAGE_LAYERS.get(media_type)
    return UNKNOWN if compression is None else LayerType("other", "image", compression)
