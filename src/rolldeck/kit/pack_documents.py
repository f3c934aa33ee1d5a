"""The config and the manifest of a packed kit, in the form that was asked for.

The default is the form of kit from mid-2026; ``exact_kit`` is that of kit v1.11, byte for byte but
for who packed it. A ModelPack (CNCF model specification) carries the Kitfile as an annotation, as
kit's do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rolldeck import __version__
from rolldeck.errors import UsageError
from rolldeck.kit.go_json import go_json
from rolldeck.kit.media_types import (
    KIT_ARTIFACT,
    KIT_CONFIG,
    PACK_ARTIFACTS,
    PACK_CONFIGS,
)
from rolldeck.kit.model import KITFILE, Compression, ElementKind
from rolldeck.kit.read import CREATED, FILEPATH, SUBTYPE, elements
from rolldeck.oci import MANIFEST, Descriptor, Digest

CLI_VERSION = "ml.kitops.modelkit.cli-version"

_KIT_WORDS: Mapping[ElementKind, str] = {"prompt": "code"}
_PACK_WORDS: Mapping[ElementKind, str] = {
    "model": "weight",
    "modelpart": "weight.config",
    "docs": "doc",
    "prompt": "code",
}


@dataclass(frozen=True, slots=True)
class PackForm:
    """How a kit is written. ``created`` (RFC 3339) makes its digest unique; None for no time.

    Raises UsageError for what kit v1.11 could not write.
    """

    compression: Compression = "none"
    model_pack: bool = False
    exact_kit: bool = False
    created: str | None = None

    def __post_init__(self) -> None:
        if self.exact_kit and self.compression == "zstd":
            raise UsageError(
                "kit v1.11 knows no zstd",
                hint="Leave out --exact-kit, or use --compression none or gzip.",
            )

    @property
    def artifact_type(self) -> str:
        """The manifest's artifact type."""
        return PACK_ARTIFACTS[0] if self.model_pack else KIT_ARTIFACT

    @property
    def config_type(self) -> str:
        """The media type of the config."""
        return PACK_CONFIGS[0] if self.model_pack else KIT_CONFIG


def layer_descriptor(
    form: PackForm, kind: ElementKind, clean_path: str, digest: Digest, size: int
) -> Descriptor:
    """Return the descriptor of an element's layer."""
    annotations = {FILEPATH: clean_path}
    if kind == "prompt":
        annotations[SUBTYPE] = "prompt"
    words = _PACK_WORDS if form.model_pack else _KIT_WORDS
    dialect = "cncf.model" if form.model_pack else "kitops.modelkit"
    end = "" if form.compression == "none" else f"+{form.compression}"
    media_type = f"application/vnd.{dialect}.{words.get(kind, kind)}.v1.tar{end}"
    return Descriptor(media_type, digest, size, dict(sorted(annotations.items())))


def pack_config(form: PackForm, kitfile: Mapping[str, Any], diff_ids: Sequence[str]) -> bytes:
    """Return the config of a ModelPack (model-spec, ``config.md``)."""
    package = kitfile.get("package") or {}
    model = kitfile.get("model") or {}
    name = package.get("name")
    descriptor = {
        "createdAt": form.created,
        "authors": package.get("authors"),
        "name": name,
        "version": package.get("version"),
        "licenses": sorted(set(_licenses(kitfile))),
        "title": name,
        "description": package.get("description"),
    }
    return go_json(
        {
            "descriptor": {key: value for key, value in descriptor.items() if value},
            "modelfs": {"type": "layers", "diffIds": list(diff_ids)},
            "config": {"format": model["format"]} if model.get("format") else {},
        }
    )


def _licenses(kitfile: Mapping[str, Any]) -> Iterator[str]:
    found = [kitfile.get("package") or {}, *(element for _, element in elements(kitfile))]
    for item in found:
        if item.get("license"):
            yield item["license"]


def manifest_json(
    form: PackForm, config: Descriptor, layers: Sequence[Descriptor], kitfile: bytes
) -> bytes:
    """Return the manifest; ``kitfile`` is the Kitfile's JSON with all digests."""
    annotations = {CLI_VERSION: f"rolldeck/{__version__}"}
    if form.created is not None and not form.exact_kit:
        annotations[CREATED] = form.created
    if form.model_pack:
        annotations[KITFILE] = kitfile.decode()
    descriptors = [layer.to_json() for layer in layers]
    return go_json(
        {
            "schemaVersion": 2,
            **({} if form.exact_kit else {"mediaType": MANIFEST}),
            "artifactType": form.artifact_type,
            "config": config.to_json(),
            "layers": descriptors or (None if form.exact_kit else []),
            "annotations": dict(sorted(annotations.items())),
        }
    )
