"""Descriptors and manifests: what the OCI image specification 1.1 calls by these names.

What leaves this file is frozen and trusted in form. It is checked by hand and not by pydantic,
whose import alone takes 80 of the 200 ms in which a verb should have answered. The exact bytes of
a manifest are kept, since its digest is over them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from oras import defaults as oras_defaults

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

_T = TypeVar("_T", str, int, list[Any], dict[str, Any])
_JSON_NAMES: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    list: "a list",
    dict: "an object",
}


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


class _Malformed(Exception):
    """Says which key of a document is not as the specification has it."""


def _typed(document: Mapping[str, Any], key: str, kind: type[_T], default: _T) -> _T:
    """Return a key of the right type, ``default`` where it is absent or null."""
    value = document.get(key)
    if value is None:
        return default
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _Malformed(f"{key}: should be {_JSON_NAMES[kind]}")
    return value


def _annotations(document: Mapping[str, Any]) -> dict[str, str]:
    found = _typed(document, "annotations", dict, {})
    if not all(isinstance(value, str) for value in found.values()):
        raise _Malformed("annotations: should hold text only")
    return found


def _descriptor(document: Any, reference: str) -> Descriptor:
    if not isinstance(document, dict):
        raise _Malformed("a descriptor should be an object")
    size = _typed(document, "size", int, -1)
    if not 0 <= size < 2**63:
        raise _Malformed("size: should be a number of bytes")
    return Descriptor(
        _typed(document, "mediaType", str, ""),
        parse_digest(_typed(document, "digest", str, ""), reference=reference),
        size,
        _annotations(document),
        _typed(document, "artifactType", str, "") or None,
    )


def _descriptors(document: Mapping[str, Any], key: str, reference: str) -> tuple[Descriptor, ...]:
    items = _typed(document, key, list, [])
    if len(items) > MAX_DESCRIPTORS:
        raise _Malformed(f"{key}: lists more than {MAX_DESCRIPTORS}")
    return tuple(_descriptor(item, reference) for item in items)


def _optional_descriptor(
    document: Mapping[str, Any], key: str, reference: str
) -> Descriptor | None:
    item = document.get(key)
    return None if item is None else _descriptor(item, reference)


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
        return _manifest(raw, document, media_type, reference)
    except _Malformed as error:
        raise IntegrityError(f"The manifest is malformed: {error}", reference=reference) from None


def _manifest(
    raw: bytes, document: dict[str, Any], media_type: str | None, reference: str
) -> Manifest:
    config = _optional_descriptor(document, "config", reference)
    is_image = config is not None or document.get("layers") is not None
    is_index = document.get("manifests") is not None
    if is_image and is_index:
        raise IntegrityError(
            "The manifest claims to be an image and an index at once", reference=reference
        )
    kind = _media_type(document, media_type, reference, INDEX if is_index else MANIFEST)
    if (kind in INDEX_TYPES) != (config is None):
        raise IntegrityError(f"The content is no {kind}", reference=reference)
    return Manifest(
        raw=raw,
        digest=digest_of(raw),
        media_type=kind,
        artifact_type=_typed(document, "artifactType", str, "") or None,
        config=config,
        layers=_descriptors(document, "layers", reference),
        manifests=_descriptors(document, "manifests", reference),
        subject=_optional_descriptor(document, "subject", reference),
        annotations=_annotations(document),
        document=document,
    )


def _media_type(
    document: Mapping[str, Any], served_as: str | None, reference: str, default: str
) -> str:
    """Return the manifest's media type; what it says and what it is served as must agree."""
    own = _typed(document, "mediaType", str, "")
    called = (served_as or "").partition(";")[0].strip()
    if own and called in MANIFEST_TYPES and own != called:
        raise IntegrityError(
            f"The manifest is served as {called} but says {clean_line(own, 80)}",
            reference=reference,
        )
    kind = own or called
    return kind if kind in MANIFEST_TYPES else default
