"""The library: the local OCI layout that keeps pulled and packed versions of any repository.

It is a plain image layout (other OCI tools can read it) with names of the form
``repository:tag``, plus ``rolldeck.json`` (the store's version), ``lock``, ``partial/`` (bytes
not yet verified), ``leases/`` (what running operations need) and ``quarantine/`` (what rotted).
Whoever adds or reads several blobs holds a lease meanwhile, or they are garbage. Write order:
blobs, then the manifest, then the index, each durable before the next, so a name never stands
before what it names.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rolldeck import fsops
from rolldeck.errors import RolldeckError, UsageError
from rolldeck.oci import INDEX, Descriptor, Digest, LayoutRegistry, is_digest
from rolldeck.oci.layout import REF_NAME, REPOSITORY, Entry
from rolldeck.store.guard import obstacle, require_own
from rolldeck.store.lease import read_leases, write_lease
from rolldeck.store.partial import Partial, lock_partial, open_alone

STORE_VERSION = 1
_MARKER = "rolldeck.json"
_OWN = ("oci-layout", "blobs", "partial", "leases", "quarantine")
_OWN_BEGIN = ("lock", fsops.TEMPORARY_PREFIX)
_DAY = 24 * 3600.0
_LOCKS_LIE = (
    "locks do not work on the file system of {root}: several processes may fetch the same blob, "
    "and what comes before an interruption is lost"
)


class Library:
    """A layout directory that can be written; created at the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layout = LayoutRegistry(root)
        self.partials = root / "partial"
        self.leases = root / "leases"
        self._locks_hold: bool | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a library on the disk yet."""
        return (self.root / "index.json").exists()

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
        for name in ("blobs", "blobs/sha256", "blobs/sha512", "partial"):
            fsops.make_directories(self.root / name)
        self._settle()
        with self.locked():
            layout = json.dumps({"imageLayoutVersion": "1.0.0"}).encode()
            if not (self.root / "oci-layout").exists():
                fsops.write_atomic(self.root / "oci-layout", layout)
            if not self.exists:
                self.write_index([])
            fsops.write_atomic(marker, json.dumps({"version": STORE_VERSION}).encode())

    def check(self) -> None:
        """Raise UsageError where this is no library that this rolldeck knows; writes nothing."""
        marker = self.root / _MARKER
        if marker.exists():
            self._check_version(marker)
        else:
            self._require_ours()

    def _settle(self) -> None:
        """Look once per process at who may write here and at what locks are worth."""
        if self._locks_hold is None:
            require_own(self.root)
            fsops.make_directories(self.leases, 0o700)
            self._locks_hold = fsops.locks_hold(self.root / "lock")

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

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the library's lock, which guards the index and the leases, for the block."""
        with fsops.locked(self.root / "lock"):
            yield

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
            for directory in (self.root, self.partials):
                fsops.sweep(directory, _DAY)
            return write_lease(self.leases, verb, reference, digests)

    def _require_ours(self) -> None:
        """Raise UsageError where the directory holds what is no library."""
        with fsops.storage(self.root):
            if not self.exists and self.root.is_dir() and not self._is_begun():
                raise UsageError(
                    f"{self.root} is neither empty nor a library",
                    reference=str(self.root),
                    hint="Choose another directory: --library, or `library` in the settings.",
                )

    def _is_begun(self) -> bool:
        """Whether nothing lies here but what a process left that died while it made a library."""
        names = [path.name for path in self.root.iterdir()]
        others = [name for name in names if name not in _OWN and not name.startswith(_OWN_BEGIN)]
        return not others and not any(self.root.glob("blobs/*/*"))

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

    def entries(self) -> list[Entry]:
        """What stands in the library; empty where there is none yet."""
        self._require_ours()
        return self.layout.entries() if self.exists else []

    def has(self, blob: Descriptor) -> bool:
        """Whether the blob is here, whole in size; its bytes were verified when it came."""
        try:
            return self.layout.blob_path(blob.digest).stat().st_size == blob.size
        except OSError:
            return False

    def blobs(self) -> list[Digest]:
        """The digests of all blobs that are here, needed or not."""
        found = []
        with fsops.storage(self.root):
            for directory in sorted((self.root / "blobs").glob("sha*")):
                names = sorted(os.listdir(directory)) if directory.is_dir() else ()
                found += [f"{directory.name}:{name}" for name in names]
        return [Digest(text) for text in found if is_digest(text)]

    def holds(self, digest: Digest) -> bool:
        """Whether a manifest with this digest is listed here."""
        return any(entry.descriptor.digest == digest for entry in self.entries())

    def partial_path(self, digest: Digest) -> Path:
        """Where a blob lies until it is whole."""
        return self.partials / digest.replace(":", "-")

    def require_room(self, blobs: Iterable[Descriptor]) -> None:
        """Raise StorageError where what is still missing of the blobs does not fit on the disk."""
        missing = 0
        for blob in blobs:
            try:
                came = self.partial_path(blob.digest).stat().st_size
            except OSError:
                came = 0
            missing += max(0, blob.size - came)
        with fsops.storage(self.root):
            fsops.require_space(self.root, missing)

    def claim(self, blob: Descriptor) -> Partial | None:
        """Become the only one, of all processes, who fetches this blob; with what came before.

        None where another does so now, or where the blob is here meanwhile. Raises StorageError
        where it cannot fit. Where locks keep nobody out, several may fetch it at once.
        """
        self.prepare()
        if not self._locks_hold:
            return self._claim_alone(blob)
        path = self.partial_path(blob.digest)
        fd = lock_partial(path)
        if fd is None:
            return None
        if self.has(blob):
            try:
                with fsops.storage(path):
                    fsops.unlink(path)
            finally:
                os.close(fd)
            return None
        return Partial(blob, fd, path, self.layout.blob_path(blob.digest))

    def _claim_alone(self, blob: Descriptor) -> Partial | None:
        if self.has(blob):
            return None
        path = fsops.temporary_name(self.partials)
        final = self.layout.blob_path(blob.digest)
        return Partial(blob, open_alone(path), path, final, lasting=False)

    def put(self, blob: Descriptor, data: bytes) -> None:
        """Put a small blob into the library; whoever calls has verified it."""
        self.prepare()
        file = _TemporaryFile(self)
        try:
            file.write(memoryview(data))
            file.publish(blob.digest)
        except BaseException:
            file.abort()
            raise

    def writer(self) -> BlobWriter:
        """Return a writer for a blob whose digest is known only when it is complete."""
        self.prepare()
        return BlobWriter(self)

    def add(self, data: bytes) -> Digest:
        """Put a small blob into the library and return its digest."""
        writer = self.writer()
        writer.write(memoryview(data))
        return writer.commit()[0]

    def tag(self, repository: str, tags: Iterable[str], manifest: Descriptor) -> None:
        """Give a manifest its names, taking each from whatever held it; durable on return."""
        self.prepare()
        names = set(tags)
        with self.locked():
            kept = [
                entry
                for entry in self.layout.entries()
                if not (entry.repository == repository and entry.tag in names)
            ]
            listed = Descriptor(
                manifest.media_type, manifest.digest, manifest.size, {}, manifest.artifact_type
            )
            kept += [Entry(repository, name, listed) for name in sorted(names)]
            if not names and not any(entry.descriptor.digest == manifest.digest for entry in kept):
                kept.append(Entry(repository, None, listed))
            self.write_index(kept)

    def write_index(self, entries: Iterable[Entry]) -> None:
        """Replace what stands in the library; the lock must be held. Durable on return."""
        manifests = []
        for entry in entries:
            item = entry.descriptor.to_json()
            annotations = dict(entry.descriptor.annotations)
            if entry.tag:
                prefix = f"{entry.repository}:" if entry.repository else ""
                annotations[REF_NAME] = prefix + entry.tag
            elif entry.repository:
                annotations[REPOSITORY] = entry.repository
            if annotations:
                item["annotations"] = annotations
            manifests.append(item)
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
        data = json.dumps(document, separators=(",", ":")).encode()
        fsops.write_atomic(self.root / "index.json", data)


class _TemporaryFile:
    """Bytes on their way into the library, under a name that nobody reads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        with fsops.storage(library.partials):
            self._fd, self._path = fsops.create_temporary(library.partials, 0o600)

    def write(self, chunk: memoryview, /) -> None:
        """Append bytes."""
        with fsops.storage(self._path):
            fsops.write(self._fd, chunk)

    def publish(self, digest: Digest) -> None:
        """Make the bytes visible and durable under their digest."""
        final = self._library.layout.blob_path(digest)
        try:
            with fsops.storage(final):
                fsops.set_mode(self._fd, 0o444)
                fsops.fsync(self._fd)
                fsops.replace(self._path, final)
                os.close(self._fd)
                self._fd = -1
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Forget the bytes; harmless after a commit."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        try:
            fsops.unlink(self._path)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise


class BlobWriter(_TemporaryFile):
    """Takes a blob made here and names it by the digest of what was written."""

    def __init__(self, library: Library) -> None:
        super().__init__(library)
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, chunk: memoryview, /) -> None:
        """Append and hash bytes."""
        super().write(chunk)
        self._hash.update(chunk)
        self._size += len(chunk)

    def commit(self) -> tuple[Digest, int]:
        """Make the blob visible and durable; returns its digest and size in bytes."""
        digest = Digest("sha256:" + self._hash.hexdigest())
        self.publish(digest)
        return digest, self._size
