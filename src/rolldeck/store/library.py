"""The library: the local OCI layout that keeps pulled and packed versions of any repository.

It is a plain image layout (other OCI tools can read it) with names of the form
``repository:tag``, plus ``rolldeck.json`` (the store's version), ``lock`` and ``partial/`` (bytes
not yet verified).
"""

from __future__ import annotations

import json
from pathlib import Path

from rolldeck import fsops
from rolldeck.errors import UsageError
from rolldeck.oci import Digest
from rolldeck.store.layout_store import LayoutStore

STORE_VERSION = 1
_MARKER = "rolldeck.json"


class Library(LayoutStore):
    """A layout of rolldeck's own, with a version of its own."""

    @property
    def scratch(self) -> Path:
        """The directory of what is not complete yet."""
        return self.root / "partial"

    @property
    def lock(self) -> Path:
        """The file whose lock the index is changed under."""
        return self.root / "lock"

    def prepare(self) -> None:
        """Create the library, or check that it is one that this rolldeck knows.

        Raises UsageError, and touches nothing, where a newer rolldeck wrote it or where another
        program's files lie.
        """
        marker = self.root / _MARKER
        if marker.exists():
            self._check_version(marker)
            return
        self._require_ours()
        fsops.make_directories(self.scratch)
        super().prepare()
        with fsops.locked(self.lock):
            fsops.write_atomic(marker, json.dumps({"version": STORE_VERSION}).encode())

    def _not_ours(self) -> UsageError:
        return UsageError(
            f"{self.root} is neither empty nor a library",
            reference=str(self.root),
            hint="Choose another directory: --library, or `library` in the settings.",
        )

    def _check_version(self, marker: Path) -> None:
        try:
            version = json.loads(marker.read_text("utf-8")).get("version")
        except (ValueError, AttributeError):
            version = None
        except OSError as error:
            raise fsops.storage_error(error, marker) from error
        if version != STORE_VERSION:
            raise UsageError(
                f"The library {self.root} has version {version!r}; this rolldeck knows "
                f"{STORE_VERSION}",
                reference=str(self.root),
                hint="It was left untouched. Update rolldeck, or choose another library.",
            )

    def holds(self, digest: Digest) -> bool:
        """Whether a manifest with this digest is listed here."""
        return any(entry.descriptor.digest == digest for entry in self.entries())

    def partial_path(self, digest: Digest) -> Path:
        """Where a blob lies until it is whole."""
        return self.scratch / digest.replace(":", "-")
