"""Registries, references, descriptors and manifests; nothing here knows of machine learning."""

from rolldeck.oci.digest import Digest, Verifier, digest_of, is_digest, parse_digest, verify_bytes
from rolldeck.oci.kit_storage import KitStorage, kit_home
from rolldeck.oci.layout import LayoutRegistry
from rolldeck.oci.model import (
    INDEX,
    INDEX_TYPES,
    MANIFEST,
    MANIFEST_LIMIT,
    MANIFEST_TYPES,
    Descriptor,
    Manifest,
    parse_json,
    parse_manifest,
)
from rolldeck.oci.reference import Place, Reference, is_record_tag, is_repository, is_tag
from rolldeck.oci.registry import (
    SMALL_BLOB,
    BlobStatus,
    BlobsUnknownError,
    Expect,
    FileSink,
    Listing,
    RangesIgnoredError,
    Registry,
    RegistryWriter,
    Sink,
    StreamSink,
    TagMovedError,
)

__all__ = [
    "INDEX",
    "INDEX_TYPES",
    "MANIFEST",
    "MANIFEST_LIMIT",
    "MANIFEST_TYPES",
    "SMALL_BLOB",
    "BlobStatus",
    "BlobsUnknownError",
    "Descriptor",
    "Digest",
    "Expect",
    "FileSink",
    "KitStorage",
    "LayoutRegistry",
    "Listing",
    "Manifest",
    "Place",
    "RangesIgnoredError",
    "Reference",
    "Registry",
    "RegistryWriter",
    "Sink",
    "StreamSink",
    "TagMovedError",
    "Verifier",
    "digest_of",
    "is_digest",
    "is_record_tag",
    "is_repository",
    "is_tag",
    "kit_home",
    "parse_digest",
    "parse_json",
    "parse_manifest",
    "verify_bytes",
]
