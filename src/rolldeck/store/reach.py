"""What a digest reaches in a layout: of a manifest all that it names, of an index its children.

A referrer (a signature, say) does not keep its subject alive; it is kept with its subject.
"""

from __future__ import annotations

from dataclasses import dataclass

from rolldeck.errors import IntegrityError
from rolldeck.oci import (
    MANIFEST_LIMIT,
    Descriptor,
    Digest,
    LayoutRegistry,
    Manifest,
    parse_manifest,
)
from rolldeck.oci.digest import verify_bytes
from rolldeck.store.quarantine import quarantined

_PEEK = 64


@dataclass(frozen=True, slots=True)
class Reached:
    """The digests below a root, the root included; ``problems`` are manifests that hide some."""

    digests: frozenset[Digest]
    problems: tuple[str, ...]


class Reach:
    """Follows manifests of one layout; each is read once. Blocks for milliseconds each."""

    def __init__(self, layout: LayoutRegistry) -> None:
        self._layout = layout
        self._read: dict[Digest, Manifest | str] = {}

    def below(self, root: Digest) -> Reached:
        """Return what must be here for a version to be whole. The root must be a manifest."""
        found = {root}
        problems = []
        waiting = [root]
        while waiting:
            digest = waiting.pop()
            manifest = self._manifest(digest)
            if isinstance(manifest, str):
                # A layout may hold an index without all of its children.
                if digest == root or self.has(digest) or quarantined(self._layout.root, digest):
                    problems.append(f"{digest} {manifest}")
                continue
            waiting += [child.digest for child in manifest.manifests if child.digest not in found]
            found.update(blob.digest for blob in direct(manifest))
        return Reached(frozenset(found), tuple(problems))

    def subject(self, digest: Digest) -> Digest | None:
        """Return what a manifest refers to; None for none, or where it cannot be read."""
        manifest = self._manifest(digest)
        if isinstance(manifest, str) or manifest.subject is None:
            return None
        return manifest.subject.digest

    def is_manifest(self, digest: Digest) -> bool:
        """Whether the blob is a manifest that can be read."""
        return isinstance(self._manifest(digest), Manifest)

    def has(self, digest: Digest) -> bool:
        """Whether the blob is here."""
        return self._layout.blob_path(digest).exists()

    def _manifest(self, digest: Digest) -> Manifest | str:
        """Return a manifest, or why there is none."""
        if digest not in self._read:
            self._read[digest] = self._load(digest)
        return self._read[digest]

    def _load(self, digest: Digest) -> Manifest | str:
        try:
            with open(self._layout.blob_path(digest), "rb") as file:
                # Most blobs are layers: their beginning is enough to tell.
                if not file.peek(_PEEK).lstrip().startswith(b"{"):
                    return "is no manifest"
                raw = file.read(MANIFEST_LIMIT + 1)
        except FileNotFoundError:
            return "is missing"
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        if len(raw) > MANIFEST_LIMIT:
            return "is too large for a manifest"
        try:
            verify_bytes(raw, digest)
            return parse_manifest(raw, None, reference=digest)
        except IntegrityError as error:
            return f"cannot be read as a manifest: {error.message}"


def direct(manifest: Manifest) -> tuple[Descriptor, ...]:
    """Return the blobs and manifests that a manifest names itself."""
    config = (manifest.config,) if manifest.config else ()
    return (*config, *manifest.layers, *manifest.manifests)
