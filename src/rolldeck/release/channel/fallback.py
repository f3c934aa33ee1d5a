"""The list of referrers that a client keeps where the registry keeps none.

The distribution specification 1.1 ("Pushing Manifests with Subject") puts an image index under the
tag ``sha256-<hex>`` of the subject. Clients race for it, so it is written for other tools to find
and never read: what stands under tags of its own is the authority.
"""

from __future__ import annotations

import json
from typing import Any

from rolldeck.errors import NotFoundError, RolldeckError
from rolldeck.oci import (
    INDEX,
    Expect,
    Manifest,
    Registry,
    RegistryWriter,
    TagMovedError,
    parse_manifest,
)

_TRIES = 3


async def add_to_fallback(
    registry: Registry, writer: RegistryWriter, repository: str, referrer: Manifest
) -> bool:
    """List a manifest in the index of its subject; returns whether that could be done."""
    if referrer.subject is None:
        return False
    tag = referrer.subject.digest.replace(":", "-")
    for _ in range(_TRIES):
        try:
            before = await _index(registry, repository, tag)
            after = _with(before, referrer)
            if after is None:
                return before is not None
            expect = Expect(before.digest if before else None)
            await writer.push_manifest(repository, after, [tag], expect=expect)
            return True
        except TagMovedError:
            continue
        except RolldeckError:
            return False
    return False


async def _index(registry: Registry, repository: str, tag: str) -> Manifest | None:
    try:
        return await registry.tagged_manifest(repository, tag)
    except NotFoundError:
        return None


def _with(index: Manifest | None, referrer: Manifest) -> Manifest | None:
    """Return an index with one more referrer; None where it has that one, or is no index."""
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    if index is not None:
        known = [item.digest for item in index.manifests]
        if not index.is_index or referrer.digest in known:
            return None
        document = dict(index.document)
    item = {
        **referrer.descriptor.to_json(),
        "artifactType": referrer.artifact_type,
        "annotations": dict(referrer.annotations),
    }
    document["manifests"] = [*document["manifests"], item]
    raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return parse_manifest(raw, INDEX, reference=referrer.digest)
