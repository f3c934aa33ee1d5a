"""The one way to reach versions, wherever they are: the ``Registry`` protocol.

Implementations: an OCI image layout directory (``layout.py``) and an HTTP registry (``http.py``).
Everything that waits is a coroutine; nothing blocks the event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rolldeck.oci.digest import Digest
from rolldeck.oci.model import Descriptor, Manifest
from rolldeck.progress import Progress

SMALL_BLOB = 8 * 1024 * 1024
"""Largest blob read whole into memory, in bytes: configs, code and docs layers."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Names in the registry's own order; ``complete`` is False where a limit cut the list."""

    names: tuple[str, ...]
    complete: bool = True


class Sink(Protocol):
    """Takes the bytes of one blob, in order; supplied by whoever keeps them.

    Called from one worker thread: any number of ``write``, then exactly one of ``commit`` (the
    bytes were verified: make them visible) and ``abort`` (they were not: leave nothing).
    """

    def write(self, chunk: memoryview, /) -> None:
        """Take the next bytes."""

    def commit(self) -> None:
        """Make the verified blob visible."""

    def abort(self) -> None:
        """Forget what was written."""


class Registry(Protocol):
    """Repositories, tags, manifests and blobs behind one address.

    Every method raises the typed errors of ``rolldeck.errors``: NotFoundError, DeniedError,
    UnavailableError, IntegrityError, StorageError.
    """

    @property
    def address(self) -> str:
        """The host or directory, as a user would type it."""

    async def repositories(self) -> Listing:
        """List the repositories; an empty, incomplete listing where the registry cannot."""

    async def tags(self, repository: str) -> Listing:
        """List the tags of a repository, following pagination."""

    async def resolve(self, repository: str, name: str) -> Descriptor:
        """Resolve a tag or digest to the descriptor of its manifest."""

    async def manifest(self, repository: str, digest: Digest) -> Manifest:
        """Fetch a manifest or index by digest, verified."""

    async def read_blob(self, repository: str, blob: Descriptor) -> bytes:
        """Fetch a blob of at most ``SMALL_BLOB`` bytes into memory, verified."""

    async def fetch_blob(
        self,
        repository: str,
        blob: Descriptor,
        open_sink: Callable[[], Sink],
        progress: Progress,
    ) -> None:
        """Stream a blob into a sink, verify it, and only then commit the sink.

        A second sink is opened when the transfer has to begin again; the first was aborted.
        """

    async def close(self) -> None:
        """Release connections; the registry must not be used afterwards."""
