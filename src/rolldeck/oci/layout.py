"""An OCI image layout directory (image-spec 1.1) as a registry; also how the library is read.

One layout may hold one repository (reference names are plain tags) or several (names of the form
``repository:tag``). The plain form has the repository name "".
"""

from __future__ import annotations

import asyncio
import os
from io import FileIO, RawIOBase
from pathlib import Path
from typing import Any, NamedTuple

from rolldeck.errors import IntegrityError, NotFoundError
from rolldeck.fsops import storage, storage_error
from rolldeck.oci.copy import copy_blob
from rolldeck.oci.digest import Digest, is_digest, parse_digest, verify_bytes
from rolldeck.oci.model import (
    MANIFEST,
    MANIFEST_LIMIT,
    Descriptor,
    Manifest,
    parse_json,
    parse_manifest,
)
from rolldeck.oci.reference import is_record_tag
from rolldeck.oci.registry import SMALL_BLOB, Listing, Sink
from rolldeck.progress import Progress

REF_NAME = "org.opencontainers.image.ref.name"
"""Annotation of an index entry that holds its tag, or ``repository:tag``."""

REPOSITORY = "rolldeck.repository"
"""Annotation of an index entry without a tag: the repository that it came from."""

CAME_FROM = "rolldeck.came-from"
"""Annotation of an index entry: the registry's repository that the version was received from."""

INDEX_LIMIT = 64 * 1024 * 1024
"""Largest index read, in bytes: about 200,000 tags."""


class Entry(NamedTuple):
    """One line of a layout's index: which manifest stands under which tag of which repository."""

    repository: str
    tag: str | None
    descriptor: Descriptor


def split_ref_name(name: str) -> tuple[str, str]:
    """Split a reference name into repository ("" for a plain tag) and tag."""
    head, colon, tail = name.rpartition(":")
    return (head, tail) if colon and "/" not in tail else ("", name)


def parse_index(raw: bytes, *, reference: str) -> list[Entry]:
    """Parse ``index.json``; raises IntegrityError where it is damaged."""
    document = parse_json(raw, what="index.json", reference=reference)
    manifests = document.get("manifests") if isinstance(document, dict) else None
    if not isinstance(manifests, list):
        raise IntegrityError("index.json lists no manifests", reference=reference)
    return [_parse_entry(item, reference) for item in manifests]


def _parse_entry(item: Any, reference: str) -> Entry:
    descriptor = parse_descriptor(item, reference=reference)
    name = descriptor.annotations.get(REF_NAME)
    untagged = (descriptor.annotations.get(REPOSITORY, ""), None)
    repository, tag = split_ref_name(name) if name else untagged
    return Entry(repository, tag, descriptor)


def parse_descriptor(item: Any, *, reference: str) -> Descriptor:
    """Parse a manifest's descriptor in an index; raises IntegrityError where it is damaged."""
    size = item.get("size") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(size, int) or isinstance(size, bool):
        raise IntegrityError("The index holds a malformed descriptor", reference=reference)
    found = item.get("annotations")
    annotations = (
        {key: value for key, value in (found or {}).items() if isinstance(value, str)}
        if isinstance(found, dict)
        else {}
    )
    artifact_type = item.get("artifactType")
    return Descriptor(
        str(item.get("mediaType") or MANIFEST),
        parse_digest(str(item.get("digest")), reference=reference),
        size,
        annotations,
        artifact_type if isinstance(artifact_type, str) else None,
    )


class LayoutRegistry:
    """Reads one layout directory; implements ``Registry``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._cached: tuple[tuple[int, int, int], list[Entry]] | None = None

    @property
    def address(self) -> str:
        """The layout as a user would type it."""
        return f"oci:{self.root}"

    def blob_path(self, digest: Digest) -> Path:
        """Where the layout keeps a blob."""
        algorithm, _, encoded = digest.partition(":")
        return self.root / "blobs" / algorithm / encoded

    def entries(self) -> list[Entry]:
        """Read the index, again only when the file changed. Blocks; meant for a thread."""
        path = self.root / "index.json"
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if self._cached and self._cached[0] == stamp:
                return self._cached[1]
            if status.st_size > INDEX_LIMIT:
                raise IntegrityError("index.json is too large", reference=self.address)
            raw = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            if (self.root / "oci-layout").exists():
                raise IntegrityError(
                    f"Damaged OCI layout, index.json is missing: {self.root}",
                    reference=self.address,
                ) from None
            raise NotFoundError(
                f"No OCI layout in {self.root}",
                reference=self.address,
                hint="An OCI layout is a directory with oci-layout, index.json and blobs/.",
            ) from None
        except OSError as error:
            raise storage_error(error, path) from error
        entries = parse_index(raw, reference=self.address)
        self._cached = (stamp, entries)
        return entries

    def find(self, repository: str, name: str) -> Descriptor:
        """Find a tag or digest; raises NotFoundError that names what there is."""
        entries = self.entries()
        here = [entry for entry in entries if entry.repository == repository]
        shown = f"{self._shown(repository)}{'@' if is_digest(name) else ':'}{name}"
        for entry in here:
            if name in (entry.tag, entry.descriptor.digest):
                return entry.descriptor
        if is_digest(name):
            for entry in entries:
                if entry.descriptor.digest == name:
                    return entry.descriptor
            path = self.blob_path(Digest(name))
            if path.is_file():
                return Descriptor(MANIFEST, Digest(name), path.stat().st_size)
            raise NotFoundError(f"No such digest: {shown}", reference=shown)
        if not here:
            names = sorted({entry.repository for entry in entries if entry.repository})
            raise NotFoundError(
                f"No repository {self._shown(repository)!r} in {self.root}",
                reference=shown,
                hint=f"Repositories there: {', '.join(names[:5])}" if names else None,
            )
        tags = [entry.tag for entry in here if entry.tag and not is_record_tag(entry.tag)]
        raise NotFoundError(
            f"No such tag: {shown}",
            reference=shown,
            hint=f"Tags there: {', '.join(tags[-5:])}" if tags else None,
        )

    def _shown(self, repository: str) -> str:
        return repository or self.address

    def read_verified(self, blob: Descriptor, limit: int) -> bytes:
        """Read a whole blob of at most ``limit`` bytes, verified. Blocks; meant for a thread."""
        if blob.size > limit:
            raise IntegrityError(
                f"{blob.digest} is too large to read whole: {blob.size} bytes",
                reference=blob.digest,
            )
        try:
            with self.open_blob(blob.digest) as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise storage_error(error) from error
        verify_bytes(data, blob.digest, blob.size)
        return data

    def open_blob(self, digest: Digest) -> RawIOBase:
        """Open a blob for reading; raises NotFoundError where it is missing."""
        path = self.blob_path(digest)
        try:
            return FileIO(path)
        except FileNotFoundError:
            raise NotFoundError(
                f"Blob {digest} is missing in {self.root}",
                reference=digest,
                hint="The layout is incomplete: copy or pull the version again.",
            ) from None
        except OSError as error:
            raise storage_error(error, path) from error

    async def repositories(self) -> Listing:
        """List the repositories named in the index."""
        entries = await asyncio.to_thread(self.entries)
        return Listing(tuple(dict.fromkeys(entry.repository for entry in entries if entry.tag)))

    async def tags(self, repository: str) -> Listing:
        """List the tags of a repository in the index's order."""
        entries = await asyncio.to_thread(self.entries)
        names = [entry.tag for entry in entries if entry.repository == repository and entry.tag]
        if not names:
            await asyncio.to_thread(self.find, repository, "latest")
        return Listing(tuple(names))

    async def resolve(self, repository: str, name: str) -> Descriptor:
        """Resolve a tag or digest in the index."""
        return await asyncio.to_thread(self.find, repository, name)

    async def tagged_digest(self, repository: str, tag: str) -> Digest:
        """Return what a tag names in the index."""
        return (await asyncio.to_thread(self.find, repository, tag)).digest

    async def tagged_manifest(self, repository: str, tag: str) -> Manifest:
        """Read what a tag names, verified."""
        return await asyncio.to_thread(
            lambda: self.read_manifest(self.find(repository, tag).digest)
        )

    async def manifest(self, repository: str, digest: Digest) -> Manifest:
        """Read a manifest by digest, verified."""
        return await asyncio.to_thread(self.read_manifest, digest)

    def read_manifest(self, digest: Digest) -> Manifest:
        """Read a manifest by digest, verified. Blocks; meant for a thread."""
        listed = next((e.descriptor for e in self.entries() if e.descriptor.digest == digest), None)
        path = self.blob_path(digest)
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            raise NotFoundError(
                f"Manifest {digest} is missing in {self.root}", reference=digest
            ) from None
        except OSError as error:
            raise storage_error(error, path) from error
        raw = self.read_verified(Descriptor(MANIFEST, digest, size), MANIFEST_LIMIT)
        return parse_manifest(raw, listed.media_type if listed else None, reference=digest)

    async def referrers(
        self, repository: str, digest: Digest, artifact_type: str | None = None
    ) -> tuple[Descriptor, ...] | None:
        """Return None: an index does not say what a manifest refers to."""
        return None

    async def read_blob(self, repository: str, blob: Descriptor) -> bytes:
        """Read a small blob, verified."""
        return await asyncio.to_thread(self.read_verified, blob, SMALL_BLOB)

    async def read_range(self, repository: str, blob: Descriptor, start: int, size: int) -> bytes:
        """Read a part of a blob; not verified."""
        return await asyncio.to_thread(self.read_part, blob, start, size)

    def read_part(self, blob: Descriptor, start: int, size: int) -> bytes:
        """Read a part of a blob; not verified. Blocks; meant for a thread."""
        with self.open_blob(blob.digest) as file, storage(self.blob_path(blob.digest)):
            data = os.pread(file.fileno(), size, start)
        if len(data) != size:
            raise IntegrityError(
                f"{blob.digest} is cut short in {self.root}",
                reference=blob.digest,
                hint="The layout is damaged: copy or pull the version again.",
            )
        return data

    async def fetch_blob(
        self,
        repository: str,
        blob: Descriptor,
        sink: Sink,
        progress: Progress,
    ) -> None:
        """Copy a blob into a sink, verified."""
        await asyncio.to_thread(self.copy, blob, sink, progress)

    def copy(self, blob: Descriptor, sink: Sink, progress: Progress) -> None:
        """Copy a blob into a sink, verified. Blocks; meant for a thread."""
        with self.open_blob(blob.digest) as file, storage(self.blob_path(blob.digest)):
            if isinstance(file, FileIO):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            copy_blob(file.readinto, blob, sink, progress)

    async def close(self) -> None:
        """Nothing is held open."""
