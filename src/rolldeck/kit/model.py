"""A ``Kit``: one version as rolldeck sees it, whichever tool and era wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from rolldeck.kit.filter import Filter, is_wanted, wants_kitfile
from rolldeck.oci import Descriptor, Digest, Manifest

KitKind = Literal["modelkit", "modelpack", "artifact", "image", "index"]
ElementKind = Literal["model", "modelpart", "dataset", "code", "docs", "prompt", "mcpb", "other"]
Compression = Literal["none", "gzip", "zstd"]
Form = Literal["tar", "raw", "image", "unknown"]

KITFILE = "ml.kitops.modelkit.kitfile"
"""Annotation of a ModelPack's manifest that holds the Kitfile it was packed from."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer with what it is for.

    ``path`` is the element's path as the Kitfile or the layer's annotation names it, as stored:
    a name to check before use, never a place to write to. ``base`` is the directory that the
    archive's names are relative to (empty since kit v0.5). ``mode`` is the file mode of a raw
    layer. ``diff_id`` is the digest of the uncompressed payload where the config declares one.
    ``origin`` names the kit that lends the layer, None for the kit's own. The form ``image`` is
    a layer of a container image: an archive that is listed and never unpacked.
    """

    blob: Descriptor
    kind: ElementKind
    form: Form
    compression: Compression
    path: str | None = None
    name: str | None = None
    base: str = ""
    mode: int = 0o644
    diff_id: str | None = None
    origin: str | None = None

    @property
    def digest(self) -> Digest:
        """Digest of the stored blob."""
        return self.blob.digest

    @property
    def size(self) -> int:
        """Bytes of the stored blob."""
        return self.blob.size

    @property
    def is_archive(self) -> bool:
        """Whether it holds members that can be listed."""
        return self.form in ("tar", "image")


@dataclass(frozen=True, slots=True)
class Kit:
    """One version: its manifest, Kitfile, layers and what they say of themselves.

    ``kitfile`` is the config as stored (JSON), None where there is none; ``model_reference`` names
    another kit that the model comes from. Where there are ``filters``, ``layers`` are only those
    that they take. Strings are as stored: clean them before showing.
    """

    manifest: Manifest
    kind: KitKind
    layers: tuple[Layer, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    kitfile: Mapping[str, Any] | None = None
    created: datetime | None = None
    model_reference: str | None = None
    filters: tuple[Filter, ...] = ()

    def filtered(self, filters: tuple[Filter, ...]) -> Kit:
        """Return the kit with only what the filters take; all of it where there are none."""
        layers = tuple(x for x in self.layers if is_wanted(filters, x.kind, x.name, x.path))
        return replace(self, layers=layers, filters=filters)

    @property
    def digest(self) -> Digest:
        """Digest of the manifest."""
        return self.manifest.digest

    @property
    def own_layers(self) -> tuple[Layer, ...]:
        """The layers without those that other kits lend."""
        return tuple(layer for layer in self.layers if layer.origin is None)

    @property
    def size(self) -> int:
        """Sum of its own layers' sizes in bytes (of the listed manifests' sizes for an index)."""
        return sum(item.size for item in self.own_layers or self.manifest.manifests)

    @property
    def whole_size(self) -> int:
        """Sum of all layers' sizes in bytes, those included that other kits lend."""
        return sum(layer.size for layer in self.layers)

    @property
    def package(self) -> Mapping[str, Any]:
        """The Kitfile's package section; empty where there is none."""
        package = (self.kitfile or {}).get("package")
        return package if isinstance(package, dict) else {}

    @property
    def parameters(self) -> Any:
        """The free-form ``model.parameters`` of the Kitfile: any JSON value, None where absent."""
        model = (self.kitfile or {}).get("model")
        return model.get("parameters") if isinstance(model, dict) else None

    @property
    def brings_kitfile(self) -> bool:
        """Whether unpacking writes a Kitfile: a ModelPack has one only where kit wrote it."""
        written = self.kind == "modelkit" or KITFILE in self.manifest.annotations
        return written and self.kitfile is not None and wants_kitfile(self.filters)

    @property
    def unpackable(self) -> bool:
        """Whether this is a kit whose layers can be unpacked."""
        return self.kind in ("modelkit", "modelpack")
