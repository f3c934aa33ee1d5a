"""Manifests: strict about what they are, tolerant about what newer tools add."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolldeck.errors import IntegrityError
from rolldeck.oci import INDEX, MANIFEST, parse_manifest

BLOB = {"mediaType": "application/x", "digest": "sha256:" + "0" * 64, "size": 3}


def parse(document: Any, media_type: str | None = MANIFEST) -> Any:
    """Parse a document as if a registry had served it."""
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_manifest(raw, media_type, reference="test")


def test_null_layers_are_no_layers() -> None:
    """kit v1.11 writes ``null`` for a kit without layers."""
    found = parse({"schemaVersion": 2, "config": BLOB, "layers": None})
    assert found.layers == ()
    assert not found.is_index


def test_unknown_keys_are_kept_in_the_document() -> None:
    """Newer sections are tolerated and still shown."""
    found = parse({"schemaVersion": 2, "config": BLOB, "layers": [], "new": {"x": 1}})
    assert found.document["new"] == {"x": 1}


def test_an_index_lists_manifests() -> None:
    """An index is recognised by its type or by what it holds."""
    found = parse({"schemaVersion": 2, "mediaType": INDEX, "manifests": [BLOB]}, INDEX)
    assert found.is_index
    assert found.manifests[0].size == 3


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        (b"", MANIFEST),
        (b"[]", MANIFEST),
        (b"{", MANIFEST),
        (b'{"config": NaN}', MANIFEST),
        (b'{"config": 1, "config": 2}', MANIFEST),
        (b"[" * 100_000, MANIFEST),
        (b"\xff\xfe", MANIFEST),
        ({"config": {**BLOB, "size": -1}}, MANIFEST),
        ({"config": {**BLOB, "size": True}}, MANIFEST),
        ({"config": {**BLOB, "size": "3"}}, MANIFEST),
        ({"config": {**BLOB, "size": 2**63}}, MANIFEST),
        ({"config": {**BLOB, "digest": "sha256:../../etc/passwd"}}, MANIFEST),
        ({"config": {**BLOB, "digest": "md5:" + "0" * 32}}, MANIFEST),
        ({"config": {**BLOB, "digest": "blake3:" + "0" * 64}}, MANIFEST),
        ({"config": BLOB, "layers": "none"}, MANIFEST),
        ({"config": BLOB, "layers": [BLOB] * 5000}, MANIFEST),
        ({"config": BLOB, "layers": [], "manifests": []}, MANIFEST),
        ({"layers": [], "manifests": [BLOB]}, INDEX),
        ({"mediaType": INDEX, "manifests": [BLOB]}, MANIFEST),
        ({"mediaType": MANIFEST, "config": BLOB}, INDEX),
        ({"layers": []}, MANIFEST),
        ({"config": BLOB, "annotations": {"a": 1}}, MANIFEST),
    ],
)
def test_a_false_manifest_is_an_integrity_error(document: Any, media_type: str) -> None:
    """Malformed, lying or confusing documents give exit code 6, never another exception."""
    with pytest.raises(IntegrityError) as caught:
        parse(document, media_type)
    assert caught.value.code == 6
