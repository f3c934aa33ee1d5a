"""A version with all that it names, so that it can be moved whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import IntegrityError
from rolldeck.oci import Descriptor, Digest, Manifest, Reference
from rolldeck.oci.model import MAX_DESCRIPTORS

_DEEPEST = 4
"""Image indexes within image indexes that are followed."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Manifests, each after those that it names, and the blobs of all of them, each once."""

    manifests: tuple[Manifest, ...]
    blobs: tuple[Descriptor, ...]

    @property
    def root(self) -> Manifest:
        """The version itself."""
        return self.manifests[-1]

    @property
    def size(self) -> int:
        """Bytes of all blobs."""
        return sum(blob.size for blob in self.blobs)


async def read_graph(workspace: Workspace, reference: Reference) -> Graph:
    """Read a resolved version's manifests, those of an image index as well.

    Raises NotFoundError where one is missing and IntegrityError where there are too many.
    """
    manifests: dict[Digest, Manifest] = {}

    async def visit(manifest: Manifest, depth: int) -> None:
        for child in manifest.manifests:
            if child.digest in manifests:
                continue
            if depth == _DEEPEST or len(manifests) > MAX_DESCRIPTORS:
                raise IntegrityError(
                    f"{reference} names more manifests than can be right", reference=str(reference)
                )
            named = replace(reference, tag=None, digest=child.digest)
            await visit(await workspace.manifest(named), depth + 1)
        manifests[manifest.digest] = manifest

    await visit(await workspace.manifest(reference), 0)
    blobs = {
        blob.digest: blob
        for manifest in manifests.values()
        for blob in (*([manifest.config] if manifest.config else []), *manifest.layers)
    }
    return Graph(tuple(manifests.values()), tuple(blobs.values()))
