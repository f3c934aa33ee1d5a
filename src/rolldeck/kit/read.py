"""From a manifest and its config to a ``Kit``, whichever tool and era wrote them.

Reads ModelKits of every kit version and ModelPacks of kit and modctl; anything else under a tag
(artifacts, images, indexes) becomes a ``Kit`` of that kind and is never an error.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rolldeck.errors import IntegrityError
from rolldeck.kit.chain import parse_model_reference
from rolldeck.kit.filter import Filter, is_wanted
from rolldeck.kit.media_types import (
    KIT_ARTIFACT,
    KIT_CONFIG,
    PACK_ARTIFACTS,
    PACK_CONFIGS,
    UNKNOWN,
    image_layer_type,
    parse_layer_type,
)
from rolldeck.kit.model import KITFILE, ElementKind, Kit, KitKind, Layer
from rolldeck.oci import Descriptor, Manifest, parse_json
from rolldeck.units import parse_rfc3339

FILEPATH = "org.cncf.model.filepath"
_FILE_METADATA = ("org.cncf.model.file.metadata+json", "org.cnai.model.file.metadata+json")
SUBTYPE = "ml.kitops.modelkit.layer-subtype"
CREATED = "org.opencontainers.image.created"
_LEGACY_FILEPATHS = ("org.cnai.model.filepath",)

_IMAGE_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)

_SECTIONS: tuple[tuple[str, ElementKind], ...] = (
    ("code", "code"),
    ("datasets", "dataset"),
    ("docs", "docs"),
    ("prompts", "prompt"),
    ("mcpServers", "mcpb"),
)


def kind_of(manifest: Manifest) -> KitKind:
    """Return what stands under the manifest: a kit by artifact type or config type, or not."""
    if manifest.is_index:
        return "index"
    config_type = manifest.config.media_type if manifest.config else ""
    if config_type == KIT_CONFIG or manifest.artifact_type == KIT_ARTIFACT:
        return "modelkit"
    if config_type in PACK_CONFIGS or manifest.artifact_type in PACK_ARTIFACTS:
        return "modelpack"
    return "image" if config_type in _IMAGE_CONFIGS else "artifact"


def read_kit(manifest: Manifest, config: bytes | None) -> Kit:
    """Read a version from its verified manifest and config blob.

    ``config`` may be None for anything that is no kit. Raises IntegrityError where a kit's config
    is missing or is no JSON object.
    """
    kind = kind_of(manifest)
    if kind not in ("modelkit", "modelpack"):
        document = _lenient_object(config)
        return Kit(
            manifest,
            kind,
            _plain_layers(manifest, kind),
            document,
            None,
            _created(manifest, document),
        )
    if config is None:
        raise IntegrityError("The config of this kit was not read", reference=manifest.digest)
    parsed = parse_json(config, what="config", reference=manifest.digest)
    if not isinstance(parsed, dict):
        raise IntegrityError("The config of this kit is no JSON object", reference=manifest.digest)
    kitfile = parsed if kind == "modelkit" else _annotated_kitfile(manifest)
    layers = _kit_layers(manifest, kitfile)
    return Kit(
        manifest=manifest,
        kind=kind,
        layers=layers,
        config=parsed,
        kitfile=kitfile,
        created=_created(manifest, parsed),
        model_reference=_model_reference(kitfile, layers),
    )


def elements(kitfile: Mapping[str, Any] | None) -> Iterator[tuple[ElementKind, Mapping[str, Any]]]:
    """Yield the Kitfile's elements in the order in which kit writes their layers."""
    kitfile = kitfile or {}
    model = kitfile.get("model")
    if isinstance(model, dict):
        yield "model", model
        for part in _objects(model.get("parts")):
            yield "modelpart", part
    for section, kind in _SECTIONS:
        for element in _objects(kitfile.get(section)):
            yield kind, element


def remote_data(
    kitfile: Mapping[str, Any] | None, filters: tuple[Filter, ...] = ()
) -> tuple[str, ...]:
    """Return the paths, or names, of the data sets that no layer holds since they lie elsewhere.

    Only of those that ``filters`` take.
    """
    found = []
    for kind, element in elements(kitfile):
        name, path = _text(element.get("name")), _text(element.get("path"))
        is_remote = kind == "dataset" and _text(element.get("remotePath"))
        if is_remote and is_wanted(filters, kind, name, path):
            found.append(path or name or kind)
    return tuple(found)


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _kit_layers(manifest: Manifest, kitfile: Mapping[str, Any] | None) -> tuple[Layer, ...]:
    """Join layers with Kitfile elements: by digest and path, else by order within a kind."""
    waiting = list(elements(kitfile))
    declares_digests = any("digest" in element for _, element in waiting)
    layers = []
    for blob in manifest.layers:
        kind = _layer_kind(blob)
        annotated = _annotated_path(blob)
        found = _claim(waiting, kind, blob.digest if declares_digests else None, annotated)
        element = found or {}
        path = _text(element.get("path")) or annotated
        layers.append(
            _layer(
                blob,
                kind,
                path=path,
                name=_text(element.get("name")),
                diff_id=_text(element.get("diffId")),
                base="" if declares_digests or annotated else posixpath.dirname(_cleaned(path)),
            )
        )
    return tuple(layers)


def _claim(
    waiting: list[tuple[ElementKind, Mapping[str, Any]]],
    kind: ElementKind,
    digest: str | None,
    path: str | None,
) -> Mapping[str, Any] | None:
    """Take the element that this layer belongs to out of those not yet joined."""
    candidates = [
        pair
        for pair in waiting
        if pair[0] == kind and (digest is None or pair[1].get("digest") == digest)
    ]
    exact = [pair for pair in candidates if path and _cleaned(_text(pair[1].get("path"))) == path]
    chosen = next(iter(exact or candidates), None)
    if chosen is None:
        return None
    waiting.remove(chosen)
    return chosen[1]


def _cleaned(path: str | None) -> str:
    return posixpath.normpath(path) if path else ""


def _annotated_path(blob: Descriptor) -> str | None:
    for key in (FILEPATH, *_LEGACY_FILEPATHS):
        if found := _text(blob.annotations.get(key)):
            return found
    return None


def _layer_kind(blob: Descriptor) -> ElementKind:
    kind = parse_layer_type(blob.media_type).kind
    return "prompt" if kind == "code" and blob.annotations.get(SUBTYPE) == "prompt" else kind


def _layer(
    blob: Descriptor,
    kind: ElementKind,
    *,
    path: str | None,
    name: str | None,
    diff_id: str | None,
    base: str,
) -> Layer:
    layer_type = parse_layer_type(blob.media_type)
    found = (blob.annotations.get(key) for key in _FILE_METADATA)
    metadata = _lenient_object((next(filter(None, found), None) or "").encode())
    mode = metadata.get("mode")
    return Layer(
        blob=blob,
        kind=kind,
        form=layer_type.form,
        compression=layer_type.compression,
        path=path,
        name=name,
        base="" if base == "." else base,
        mode=mode & 0o777 if isinstance(mode, int) and mode > 0 else 0o644,
        diff_id=diff_id,
    )


def _plain_layers(manifest: Manifest, kind: KitKind) -> tuple[Layer, ...]:
    title = "org.opencontainers.image.title"
    layers = []
    for blob in manifest.layers:
        found = image_layer_type(blob.media_type) if kind == "image" else UNKNOWN
        path = _text(blob.annotations.get(title))
        layers.append(Layer(blob, found.kind, found.form, found.compression, path=path))
    return tuple(layers)


def _lenient_object(data: bytes | None) -> Mapping[str, Any]:
    try:
        document = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _annotated_kitfile(manifest: Manifest) -> Mapping[str, Any] | None:
    return _lenient_object((manifest.annotations.get(KITFILE) or "").encode()) or None


def _created(manifest: Manifest, config: Mapping[str, Any]) -> datetime | None:
    """Return when the version was made: annotation, config, else the run record's end."""
    descriptor = config.get("descriptor")
    candidates = [
        manifest.annotations.get(CREATED),
        descriptor.get("createdAt") if isinstance(descriptor, dict) else None,
        config.get("created"),
        _run_time(config),
    ]
    for text in candidates:
        moment = parse_rfc3339(text) if isinstance(text, str) else None
        if moment and moment.year > 1970:
            return moment
    return None


def _run_time(config: Mapping[str, Any]) -> Any:
    node: Any = config
    for key in ("model", "parameters", "modelrun"):
        node = node.get(key) if isinstance(node, dict) else None
    if not isinstance(node, dict):
        return None
    run = node.get("run")
    return (run.get("finishedOn") if isinstance(run, dict) else None) or node.get("capturedAt")


def _model_reference(kitfile: Mapping[str, Any] | None, layers: tuple[Layer, ...]) -> str | None:
    """Return the other kit that the model comes from."""
    model = (kitfile or {}).get("model")
    path = _text(model.get("path")) if isinstance(model, dict) else None
    if path is None or any(layer.kind == "model" for layer in layers):
        return None
    return path if parse_model_reference(path) else None
