"""The one way to reach versions, wherever they are: the ``Registry`` protocol.

Implementations: an OCI image layout directory (``layout.py``), kit's own storage
(``kit_storage.py``) and an HTTP registry (``http.py``).
What may be changed has a ``RegistryWriter`` beside it. Everything that waits is a coroutine;
nothing blocks the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

from rolldeck.errors import BusyError, UnavailableError
from rolldeck.oci.digest import Digest
from rolldeck.oci.model import Descriptor, Manifest
from rolldeck.progress import Progress

if TYPE_CHECKING:
    from rolldeck.oci.source import BlobSource

BlobStatus = Literal["pushed", "present", "mounted"]
"""How a blob came to be in a repository; ``present``: it was there before."""

SMALL_BLOB = 8 * 1024 * 1024
"""Largest blob read whole into memory, in bytes: configs, code and docs layers."""


class RangesIgnoredError(UnavailableError):
    """The registry sends whole blobs only, and the part that was asked for is not at the start."""


class Listing(NamedTuple):
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

    def view(self, position: int, most: int, /) -> memoryview:
        """See bytes from ``position`` on, valid until the next call; from the thread that hashes.

        At most ``most``, and none where there are none.
        """

    def close_view(self) -> None:
        """Give back what seeing takes; from the thread that hashes."""

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

    async def tagged_digest(self, repository: str, tag: str) -> Digest:
        """Return what a tag names, in one small request; an error names no other tags."""

    async def tagged_manifest(self, repository: str, tag: str) -> Manifest:
        """Fetch what a tag names in one request; its digest is that of the bytes that came."""

    async def manifest(self, repository: str, digest: Digest) -> Manifest:
        """Fetch a manifest or index by digest, verified."""

    async def referrers(
        self, repository: str, digest: Digest, artifact_type: str | None = None
    ) -> tuple[Descriptor, ...] | None:
        """List the manifests whose subject is ``digest``, maybe only those of one artifact type.

        None where that cannot be asked: only a registry with a referrers API answers.
        """

    async def read_blob(self, repository: str, blob: Descriptor) -> bytes:
        """Fetch a blob of at most ``SMALL_BLOB`` bytes into memory, verified."""

    async def read_range(self, repository: str, blob: Descriptor, start: int, size: int) -> bytes:
        """Fetch ``size`` bytes of a blob from byte ``start`` on, at most ``SMALL_BLOB``.

        What comes is not verified: a digest is over the whole blob. Raises RangesIgnoredError
        where only whole blobs can be had.
        """

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


class BlobsUnknownError(UnavailableError):
    """A registry does not take a manifest because it lacks blobs: ``digests``, where it says so."""

    def __init__(
        self,
        message: str,
        *,
        reference: str | None = None,
        hint: str | None = None,
        digests: frozenset[Digest] = frozenset(),
    ) -> None:
        super().__init__(message, reference=reference, hint=hint)
        self.digests = digests


class Expect(NamedTuple):
    """What a tag must name to be written: a digest, or with None nothing, that is no such tag."""

    digest: Digest | None

    def require(self, found: Digest | None, tag: str) -> None:
        """Raise TagMovedError where ``tag`` names something else."""
        if found != self.digest:
            raise TagMovedError(tag)


class TagMovedError(BusyError):
    """A tag was not written, since it does not name what was expected."""

    def __init__(self, tag: str) -> None:
        super().__init__(
            f"{tag} moved meanwhile",
            reference=tag,
            hint="It was not changed. Look at it, then run the same command again.",
        )


class RegistryWriter(Protocol):
    """What can be put into, and removed from, the repositories behind one address.

    The order is the caller's: blobs, then the manifest that names them, then its tags. Every
    method raises the typed errors, RefusedError among them for what the registry does not offer.
    """

    async def has_blob(self, repository: str, blob: Descriptor) -> bool:
        """Ask whether a repository has a blob."""

    async def push_blob(
        self,
        repository: str,
        blob: Descriptor,
        source: BlobSource,
        progress: Progress,
        *,
        mount_from: str | None = None,
        known_missing: bool = False,
    ) -> BlobStatus:
        """Have a blob in a repository, verified on its way; what is there already is not sent.

        ``mount_from`` is a repository of the same registry that has the blob. ``known_missing``
        asks neither for it nor for a mount.
        """

    async def find_tag(self, repository: str, tag: str) -> Digest | None:
        """Ask which manifest a tag names; None where there is no such tag."""

    async def push_manifest(
        self,
        repository: str,
        manifest: Manifest,
        tags: Sequence[str] = (),
        *,
        named_by_index: bool = False,
        expect: Expect | None = None,
    ) -> None:
        """Put a manifest, byte for byte, then its tags, each taken from whatever held it.

        One that is ``named_by_index`` has no name of its own: an image index follows. With
        ``expect``, which wants exactly one tag, that is only taken from what is expected: raises
        TagMovedError where it names something else and the place looks (see
        ``enforces_expectations``). Raises BlobsUnknownError where blobs of it are missing.
        """

    async def enforces_expectations(self, repository: str, tag: str, manifest: Manifest) -> bool:
        """Tell whether what is expected of a tag is looked at when the tag is written.

        ``tag`` must name ``manifest``; whatever the answer, it does so afterwards.
        """

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove a manifest with all of its tags; its blobs go when the registry cleans up."""

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Remove a tag; the manifest and its other tags stay."""
