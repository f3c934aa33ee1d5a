"""Descriptors and manifests: what the OCI image specification 1.1 calls by these names.

pydantic checks the bytes from outside; what leaves this file is frozen and trusted in form. The
exact bytes of a manifest are kept, since its digest is over them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oras import defaults as oras_defaults
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rolldeck.errors import IntegrityError
from rolldeck.oci.digest import Digest, digest_of, parse_digest
from rolldeck.text import clean_line

MANIFEST = oras_defaults.default_manifest_media_type
INDEX = oras_defaults.default_index_media_type
DOCKER_MANIFEST = oras_defaults.docker_manifest_media_type
DOCKER_INDEX = oras_defaults.docker_manifest_list_media_type
MANIFEST_TYPES = tuple(oras_defaults.default_manifest_accepted_media_types)
"""Media types of everything that can stand under a tag."""
INDEX_TYPES = (INDEX, DOCKER_INDEX)

MANIFEST_LIMIT = 4 * 1024 * 1024
"""Largest manifest, index or config read, in bytes: what registries must accept, no more."""

MAX_DESCRIPTORS = 4096
"""Most layers or manifests one document may list."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a blob is: media type, digest, size in bytes, annotations (as stored, not cleaned)."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the descriptor as the specification writes it, in its key order."""
        document: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        if self.artifact_type:
            document["artifactType"] = self.artifact_type
        return document


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest or an image index, with the bytes it was parsed from.

    ``layers`` is empty for an index and ``manifests`` for an image manifest; ``document`` is the
    parsed JSON as stored.
    """

    raw: bytes
    digest: Digest
    media_type: str
    artifact_type: str | None
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None
    annotations: Mapping[str, str]
    document: Mapping[str, Any]

    @property
    def is_index(self) -> bool:
        """Whether this lists other manifests instead of layers."""
        return self.config is None and self.media_type in INDEX_TYPES

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor that names this manifest."""
        return Descriptor(self.media_type, self.digest, len(self.raw))


class _WireDescriptor(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)

    mediaType: str = ""
    digest: str
    size: int = Field(ge=0, le=2**63 - 1, strict=True)
    annotations: dict[str, str] | None = None
    artifactType: str | None = None

    def freeze(self, reference: str) -> Descriptor:
        return Descriptor(
            self.mediaType,
            parse_digest(self.digest, reference=reference),
            self.size,
            self.annotations or {},
            self.artifactType,
        )


class _WireManifest(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)

    schemaVersion: int = 2
    mediaType: str | None = None
    artifactType: str | None = None
    config: _WireDescriptor | None = None
    layers: list[_WireDescriptor] | None = Field(default=None, max_length=MAX_DESCRIPTORS)
    manifests: list[_WireDescriptor] | None = Field(default=None, max_length=MAX_DESCRIPTORS)
    subject: _WireDescriptor | None = None
    annotations: dict[str, str] | None = None


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice")
    return document


def parse_json(data: bytes, *, what: str, reference: str) -> Any:
    """Parse strict JSON (no NaN, no duplicate keys, UTF-8); raises IntegrityError."""
    try:
        return json.loads(
            data.decode("utf-8"),
            parse_constant=_reject_constant,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise IntegrityError(
            f"The {what} is not valid JSON: {clean_line(str(error), 200)}", reference=reference
        ) from None


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return clean_line(f"{place}: {first['msg']}" if place else first["msg"], 200)


def parse_manifest(raw: bytes, media_type: str | None, *, reference: str) -> Manifest:
    """Parse a manifest or index whose bytes were already verified.

    ``media_type`` is what the registry or descriptor called it. Raises IntegrityError when the
    document is malformed, says another media type of itself, or claims to be both a manifest and
    an index (the confusion of CVE-2021-41190).
    """
    document = parse_json(raw, what="manifest", reference=reference)
    if not isinstance(document, dict):
        raise IntegrityError("The manifest is not a JSON object", reference=reference)
    try:
        wire = _WireManifest.model_validate(document)
    except ValidationError as error:
        raise IntegrityError(
            f"The manifest is malformed: {_explain(error)}", reference=reference
        ) from None
    own, called = wire.mediaType, (media_type or "").partition(";")[0].strip() or None
    if own and called in MANIFEST_TYPES and own != called:
        raise IntegrityError(
            f"The manifest is served as {called} but says {clean_line(own, 80)}",
            reference=reference,
        )
    if wire.manifests is not None and (wire.layers is not None or wire.config is not None):
        raise IntegrityError(
            "The manifest claims to be an image and an index at once", reference=reference
        )
    kind = own or called
    if kind not in MANIFEST_TYPES:
        kind = INDEX if wire.manifests is not None else MANIFEST
    if (kind in INDEX_TYPES) != (wire.config is None):
        raise IntegrityError(f"The content is no {kind}", reference=reference)
    return Manifest(
        raw=raw,
        digest=digest_of(raw),
        media_type=kind,
        artifact_type=wire.artifactType,
        config=wire.config.freeze(reference) if wire.config else None,
        layers=tuple(item.freeze(reference) for item in wire.layers or ()),
        manifests=tuple(item.freeze(reference) for item in wire.manifests or ()),
        subject=wire.subject.freeze(reference) if wire.subject else None,
        annotations=wire.annotations or {},
        document=document,
    )
