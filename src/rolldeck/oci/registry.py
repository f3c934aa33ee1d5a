"""The one way to reach versions, wherever they are: the ``Registry`` protocol.

Implementations: an OCI image layout directory (``layout.py``) and an HTTP registry (``http.py``).
Everything that waits is a coroutine; nothing blocks the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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
    """Takes the bytes of one blob, in order; whoever opened it also closes it.

    Used by one worker thread at a time. Its bytes are the blob only once ``fetch_blob`` returned.
    """

    def write(self, chunk: memoryview, /) -> None:
        """Take the next bytes."""

    def rewind(self, size: int, /) -> None:
        """Forget everything after the first ``size`` bytes; the next write goes there."""


@runtime_checkable
class FileSink(Sink, Protocol):
    """A sink that keeps its bytes in a file, so that an interrupted transfer can go on later.

    A prefix is known by the digest, in hexadecimal, of a blob's first bytes. The prefixes of
    earlier transfers tell which part of the file is undamaged.
    """

    @property
    def offset(self) -> int:
        """How many bytes are there; the next write goes there."""

    @property
    def prefixes(self) -> Mapping[int, str]:
        """The prefixes kept so far, by the number of bytes that they cover."""

    def fileno(self) -> int:
        """A descriptor to read and write the file, positioned at ``offset``."""

    def reserve(self, size: int, /) -> None:
        """Have room for the next ``size`` bytes, so that writing them is quick."""

    def keep_prefix(self, size: int, digest: str, /) -> None:
        """Keep the digest of the first ``size`` bytes; called from the thread that hashes."""


@runtime_checkable
class StreamSink(Sink, Protocol):
    """A sink that can read back what it holds, wherever that lies: perhaps in several files.

    An interrupted transfer into it can go on later, as into a ``FileSink``. ``write`` may raise
    RefusedError where it makes something of the bytes; they are not verified at that time.
    """

    @property
    def offset(self) -> int:
        """How many bytes are there; the next write goes there."""

    @property
    def prefixes(self) -> Mapping[int, str]:
        """The prefixes kept so far, by the number of bytes that they cover."""

    def room(self) -> tuple[int, int]:
        """A descriptor and how many of the next bytes may be appended to it without ``write``."""

    def appended(self, count: int, /) -> None:
        """Tell that ``count`` bytes were appended to the descriptor that ``room`` gave."""

    def reserve(self, size: int, /) -> None:
        """Have room for the next ``size`` bytes, so that writing them is quick."""

    def read_at(self, buffer: memoryview, position: int, /) -> int:
        """Read back bytes from ``position`` on; called from the thread that hashes."""

    def write_back(self, start: int, size: int, /) -> None:
        """Let the disk begin with these bytes, which were hashed."""

    def keep_prefix(self, size: int, digest: str, /) -> None:
        """Keep the digest of the first ``size`` bytes; called from the thread that hashes."""


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
        sink: Sink,
        progress: Progress,
    ) -> None:
        """Stream a blob into a sink; returns once the bytes there were verified.

        A ``FileSink`` or ``StreamSink`` that holds a part already gets only the rest. After an
        error a sink holds what came so far, and nothing where that was wrong.
        """

    async def close(self) -> None:
        """Release connections; the registry must not be used afterwards."""
