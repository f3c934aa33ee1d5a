"""Packing a directory and its Kitfile into layers, a config and a manifest, as kit does.

Layers are uncompressed tar, so that equal content gives equal digests wherever it is packed, with
kit as well. The manifest has the form of kit from mid-2026: with its media type, and without a
time of creation unless the caller gives one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rolldeck import __version__
from rolldeck.errors import RefusedError, UsageError
from rolldeck.kit.go_json import go_json
from rolldeck.kit.kitfile import config_json
from rolldeck.kit.media_types import KIT_ARTIFACT, KIT_CONFIG
from rolldeck.kit.member_path import member_parts
from rolldeck.kit.model import ElementKind
from rolldeck.kit.read import CREATED, FILEPATH, SUBTYPE, elements
from rolldeck.kit.tar_writer import LayerListing, layer_entries, write_layer
from rolldeck.oci import MANIFEST, Descriptor, Digest, Reference, digest_of

CLI_VERSION = "ml.kitops.modelkit.cli-version"

_TYPE_WORDS: Mapping[ElementKind, str] = {
    "model": "model",
    "modelpart": "modelpart",
    "code": "code",
    "dataset": "dataset",
    "docs": "docs",
    "prompt": "code",
}


class BlobWriter(Protocol):
    """Takes the bytes of one new blob and names it; supplied by whoever keeps blobs.

    Any number of ``write``, then exactly one of ``commit`` and ``abort``.
    """

    def write(self, chunk: memoryview, /) -> object:
        """Take the next bytes; the view is valid during the call."""

    def commit(self) -> tuple[Digest, int]:
        """Make the blob visible and durable; return its digest and size in bytes."""

    def abort(self) -> None:
        """Forget what was written."""


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """One layer that was written: its descriptor, and the element it came from."""

    blob: Descriptor
    kind: ElementKind
    path: str


@dataclass(frozen=True, slots=True)
class PackedKit:
    """What was packed; the manifest itself is not stored yet.

    ``left_out`` names what lies in an element but in no layer, with the reason.
    """

    manifest: bytes
    config: Descriptor
    layers: tuple[PackedLayer, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of the manifest."""
        return Descriptor(
            MANIFEST, digest_of(self.manifest), len(self.manifest), artifact_type=KIT_ARTIFACT
        )


def pack(
    context: Path,
    kitfile: Mapping[str, Any],
    open_blob_writer: Callable[[], BlobWriter],
    *,
    ignored: Callable[[str], bool] = lambda path: False,
    created: str | None = None,
) -> PackedKit:
    """Pack the elements of ``kitfile`` out of ``context``; writes layers, then the config.

    ``created`` (RFC 3339) becomes an annotation and makes the manifest's digest unique. Raises
    UsageError for paths that a Kitfile may not name, NotFoundError for a path that does not
    exist, BusyError for files that change meanwhile, StorageError for what cannot be read.
    """
    plan = list(_plan(kitfile))
    paths = [path for _, path in plan if path is not None]
    _check_paths(kitfile, paths)
    listings = [
        path if path is None else layer_entries(context, path, ignored, _without(paths, path))
        for _, path in plan
    ]
    packed = [
        None
        if path is None or listing is None
        else _write(context, kind, path, listing, open_blob_writer)
        for (kind, path), listing in zip(plan, listings, strict=True)
    ]
    config = config_json(
        kitfile, ((item.blob.digest, item.blob.digest) if item else None for item in packed)
    )
    with _blob(open_blob_writer) as writer:
        writer.write(memoryview(config))
        config_blob = Descriptor(KIT_CONFIG, *writer.commit())
    layers = tuple(item for item in packed if item)
    left_out = dict(pair for listing in listings if listing for pair in listing.left_out)
    return PackedKit(
        _manifest(config_blob, layers, created), config_blob, layers, tuple(left_out.items())
    )


def _plan(kitfile: Mapping[str, Any]) -> Iterator[tuple[ElementKind, str | None]]:
    """Yield each element's kind and path; None where it has no layer of its own."""
    for kind, element in elements(kitfile):
        path = element.get("path") or ""
        remote = element.get("remotePath") or (kind == "model" and is_reference(path))
        if kind == "mcpb":
            raise UsageError("mcpServers cannot be packed", hint="Use kit for MCP bundles.")
        empty_model = kind == "model" and not path
        yield kind, None if remote or empty_model else path or "."


def is_reference(path: str) -> bool:
    """Whether kit takes a model's path for a reference to another kit: ``:`` or ``@`` parses."""
    if not (":" in path or "@" in path):
        return False
    try:
        Reference.parse(path)
    except UsageError:
        return False
    return True


def _check_paths(kitfile: Mapping[str, Any], paths: Iterable[str]) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for path in paths:
        try:
            parts = member_parts(path, empty=True)
        except RefusedError as error:
            raise UsageError(
                f"The Kitfile names a path that cannot be packed: {path}",
                reference=path,
                hint=f"{error.message}. Paths are relative to the Kitfile's directory.",
            ) from None
        if parts in seen:
            raise UsageError(
                f"Two elements of the Kitfile have the same path: {seen[parts]} and {path}",
                reference=path,
                hint="Give every element a path of its own.",
            )
        seen[parts] = path


def _without(paths: list[str], path: str) -> list[str]:
    return [other for other in paths if other != path]


@contextmanager
def _blob(open_blob_writer: Callable[[], BlobWriter]) -> Iterator[BlobWriter]:
    writer = open_blob_writer()
    try:
        yield writer
    except BaseException:
        writer.abort()
        raise


def _write(
    context: Path,
    kind: ElementKind,
    path: str,
    listing: LayerListing,
    open_blob_writer: Callable[[], BlobWriter],
) -> PackedLayer:
    with _blob(open_blob_writer) as writer:
        write_layer(context, listing.entries, writer.write)
        digest, size = writer.commit()
    annotations = {FILEPATH: "/".join(member_parts(path, empty=True)) or "."}
    if kind == "prompt":
        annotations[SUBTYPE] = "prompt"
    media_type = f"application/vnd.kitops.modelkit.{_TYPE_WORDS[kind]}.v1.tar"
    blob = Descriptor(media_type, digest, size, dict(sorted(annotations.items())))
    return PackedLayer(blob, kind, path)


def _manifest(config: Descriptor, layers: tuple[PackedLayer, ...], created: str | None) -> bytes:
    annotations = {CLI_VERSION: f"rolldeck/{__version__}"}
    if created is not None:
        annotations[CREATED] = created
    return go_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": KIT_ARTIFACT,
            "config": config.to_json(),
            "layers": [layer.blob.to_json() for layer in layers],
            "annotations": dict(sorted(annotations.items())),
        }
    )
