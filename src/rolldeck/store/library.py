"""The library: the local OCI layout that keeps pulled and packed versions of any repository.

It is a plain image layout (other OCI tools can read it) with names of the form
``repository:tag``, plus ``rolldeck.json`` (the store's version), ``lock``, ``partial/`` (bytes
not yet verified), ``leases/`` (what running operations need) and ``quarantine/`` (what rotted).
Whoever adds or reads several blobs holds a lease meanwhile, or they are garbage.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from rolldeck import fsops, half_made
from rolldeck.errors import RolldeckError, UsageError
from rolldeck.oci import Digest
from rolldeck.store.guard import obstacle, require_own
from rolldeck.store.layout_store import LayoutStore
from rolldeck.store.lease import read_leases, write_lease

STORE_VERSION = 1
_MARKER = "rolldeck.json"
_DAY = 24 * 3600.0
_LOCKS_LIE = (
    "locks do not work on the file system of {root}: several processes may fetch the same blob, "
    "and what comes before an interruption is lost"
)


class Library(LayoutStore):
    """A layout of rolldeck's own, with a version of its own."""

    @property
    def scratch(self) -> Path:
        """The directory of what is not complete yet."""
        return self.root / "partial"

    @property
    def leases(self) -> Path:
        """The directory of what running operations need."""
        return self.root / "leases"

    @property
    def lock(self) -> Path:
        """The file whose lock the index and the leases are changed under."""
        return self.root / "lock"

    def prepare(self) -> None:
        """Create the library, or check that it is one that this rolldeck knows.

        Raises UsageError, and touches nothing, where a newer rolldeck wrote it or where another
        program's files lie; RefusedError where someone else could write to it.
        """
        marker = self.root / _MARKER
        if marker.exists():
            self._check_version(marker)
            self._settle()
            return
        self._require_ours()
        fsops.make_directories(self.root)
        require_own(self.root)
        fsops.make_directories(self.scratch)
        super().prepare()
        with self.locked():
            half_made.write_atomic(marker, json.dumps({"version": STORE_VERSION}).encode())

    def check(self) -> None:
        """Raise UsageError where this is no library that this rolldeck knows; writes nothing."""
        marker = self.root / _MARKER
        if marker.exists():
            self._check_version(marker)
        else:
            self._require_ours()

    def _settle(self) -> None:
        """Look once per process at who may write here, too."""
        if self._locks_hold is None:
            require_own(self.root)
            fsops.make_directories(self.leases, 0o700)
            super()._settle()

    @property
    def writable(self) -> bool:
        """Whether this process may write to the library that is there."""
        try:
            self._check_version(self.root / _MARKER)
            return obstacle(self.root) is None and os.access(self.root, os.W_OK)
        except RolldeckError:
            return False

    @property
    def warning(self) -> str | None:
        """What its user should know of the place; None before anything was written."""
        return _LOCKS_LIE.format(root=self.root) if self._locks_hold is False else None

    def lease(self, verb: str, reference: str, digests: Iterable[Digest] | None) -> Path:
        """Say what this process is about to need, before it looks at what is here.

        A digest stands for the blob and, of a manifest, for all that it names; None for all blobs.
        Ends when the file that is returned is removed, or with the process. Sweeps the leases and
        temporary files of processes that ended.
        """
        self.prepare()
        with self.locked():
            for lease in read_leases(self.leases):
                if lease.dead:
                    fsops.unlink(lease.path)
            for directory in (self.root, self.scratch):
                half_made.sweep(directory, _DAY)
            return write_lease(self.leases, verb, reference, digests)

    def _not_ours(self) -> UsageError:
        return UsageError(
            f"{self.root} is neither empty nor a library",
            reference=str(self.root),
            hint="Choose another directory: --library, or `library` in the settings.",
        )

    def _is_begun(self) -> bool:
        # Blobs without an index are a damaged library: a new index would make them all garbage.
        return super()._is_begun() and not any(self.root.glob("blobs/*/*"))

    def _makes(self, name: str) -> bool:
        own = name in ("partial", "leases", "quarantine") or name.startswith("lock")
        return own or super()._makes(name)

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
