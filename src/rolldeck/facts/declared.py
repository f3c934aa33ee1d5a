"""Facts outside any run record: in the Kitfile, the ModelPack config, annotations and layers."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import mapping, name, objects, text, without_credentials
from rolldeck.facts.model import DataSet, Facts, LineageFact, Parameter
from rolldeck.facts.parameters import flatten
from rolldeck.facts.run_lineage import all_digests
from rolldeck.kit.model import Kit, Layer
from rolldeck.kit.read import elements
from rolldeck.text import clean_line

CONFIG = "ModelPack config"
ANNOTATIONS = "annotations"
KITFILE = "Kitfile"
DIGEST = "digest"
"""Scheme of a digest that says nothing of the content where it differs."""

_KITFILE_ANNOTATION = "ml.kitops.modelkit.kitfile"
_DIGEST_KEYS = ("sha256", "sha512", "dvc-md5", "md5", "mlflow")

_ANNOTATED = (
    ("git repository", "org.opencontainers.image.source"),
    ("git revision", "org.opencontainers.image.revision"),
    ("created", "org.opencontainers.image.created"),
    ("base model", "org.opencontainers.image.base.name"),
    ("base digest", "org.opencontainers.image.base.digest"),
    ("vendor", "org.opencontainers.image.vendor"),
)
_DESCRIBED = (
    ("git repository", "sourceURL"),
    ("git revision", "revision"),
    ("created", "createdAt"),
    ("model family", "family"),
    ("vendor", "vendor"),
)


def read_config(kit: Kit) -> Facts:
    """Return what the config of a ModelPack declares: architecture, family, origin, data."""
    if kit.kind != "modelpack":
        return Facts()
    described = mapping(kit.config.get("descriptor"))
    leaves = flatten(mapping(kit.config.get("config")), limit=500).leaves
    urls = described.get("datasetsURL")
    found = [url for item in (urls if isinstance(urls, list) else [urls]) if (url := name(item))]
    data = [without_credentials(url) for url in found[:100]]
    return Facts(
        parameters=tuple(Parameter(path, value, CONFIG) for path, value in leaves),
        data=tuple(DataSet(url, "data", "uri", url, CONFIG) for url in dict.fromkeys(data)),
        lineage=tuple(_known(_DESCRIBED, described, CONFIG)),
    )


def read_annotations(kit: Kit) -> Facts:
    """Return what the standard annotations of the manifest say of the version's origin."""
    return Facts(lineage=tuple(_known(_ANNOTATED, kit.manifest.annotations, ANNOTATIONS)))


def _known(
    fields: tuple[tuple[str, str], ...], document: Mapping[str, Any], source: str
) -> Iterator[LineageFact]:
    for label, key in fields:
        if value := text(document.get(key)):
            yield LineageFact(label, without_credentials(value), source)


def read_elements(kit: Kit) -> Facts:
    """Return the data sets that the Kitfile identifies, and the kit that the model comes from."""
    lineage: tuple[LineageFact, ...] = ()
    if kit.model_reference:
        reference = clean_line(kit.model_reference, 500)
        floating = "" if "@" in reference else " (a tag, not a digest)"
        lineage = (LineageFact("base model", reference + floating, KITFILE),)
    return Facts(data=tuple(_remote_data(kit)), lineage=lineage)


def layer_name(layer: Layer) -> str:
    """Return how a layer is called: its element's name, else its cleaned path, else its digest."""
    path = posixpath.normpath(layer.path) if layer.path else ""
    return clean_line((layer.name or path or layer.digest).strip(), 500) or layer.digest


def content_identity(kit: Kit, layer: Layer) -> tuple[str, str]:
    """Return scheme and digest of what a layer holds; only within one scheme do they compare.

    ``file`` is the digest of a raw layer's file and ``diff_id`` that of an archive before
    compression (with the directory that its names are relative to, where that is not the top).
    Where neither is known it is ``digest``, of the stored blob, which other packing changes.
    """
    identity: str | None = layer.digest if layer.compression == "none" else None
    if identity is None and layer.diff_id and _trusted_diff_id(kit, layer):
        identity = clean_line(layer.diff_id, 150)
    if identity is None or layer.form in ("image", "unknown"):
        return DIGEST, layer.digest
    if layer.form == "raw":
        return "file", identity
    return f"diff_id of {clean_line(layer.base, 250)}" if layer.base else "diff_id", identity


def _trusted_diff_id(kit: Kit, layer: Layer) -> bool:
    """Whether a declared diff id can be believed.

    kit v1.10 to v1.11 wrote the digest of the digest's text into a ModelPack's config; the
    Kitfile in the annotation holds the right ones.
    """
    if kit.kind != "modelpack" or _KITFILE_ANNOTATION not in kit.manifest.annotations:
        return True
    return any(element.get("diffId") == layer.diff_id for _, element in elements(kit.kitfile))


def _remote_data(kit: Kit) -> Iterator[DataSet]:
    """Yield data sets that the Kitfile itself identifies: remote, or by digest in parameters."""
    for element in objects(mapping(kit.kitfile).get("datasets")):
        remote = name(element.get("remotePath"))
        label = name(element.get("name")) or remote or name(element.get("path"))
        if label is None:
            continue
        declared = mapping(element.get("parameters"))
        for digest in all_digests({key: declared.get(key) for key in _DIGEST_KEYS}):
            yield DataSet(label, "declared", *digest, KITFILE)
        if remote:
            etag = name(element.get("remoteHash"))
            identity = ("etag", etag) if etag else ("uri", without_credentials(remote))
            yield DataSet(label, "remote", *identity, KITFILE)
