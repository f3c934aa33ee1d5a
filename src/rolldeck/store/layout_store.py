"""A layout directory that can be written: blobs, manifests, and the names in its index.

Write order: blobs, then the manifest, then the index, each durable before the next, so a name never
stands before what it names. What is on its way has hidden names beside the index; of another
program's index only the entries that are meant change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rolldeck import fsops, half_made, locks
from rolldeck.errors import NotFoundError, UsageError
from rolldeck.oci import (
    INDEX,
    Descriptor,
    Digest,
    Expect,
    LayoutRegistry,
    is_digest,
    parse_json,
)
from rolldeck.oci.layout import CAME_FROM, REF_NAME, REPOSITORY, Entry, parse_index
from rolldeck.store.new_blob import BlobWriter, TemporaryBlob
from rolldeck.store.partial import Partial, lock_partial, open_alone

_LAYOUT = json.dumps({"imageLayoutVersion": "1.0.0"}).encode()

_PARTIAL_PREFIX = ".rolldeck-partial-"

_Line = tuple[Entry, dict[str, Any]]
"""An entry of the index as understood, and as written."""


class LayoutStore:
    """Writes one layout directory; created at the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layout = LayoutRegistry(root)
        self._locks_hold: bool | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a layout on the disk yet."""
        return (self.root / "index.json").exists()

    @property
    def scratch(self) -> Path:
        """The directory of what is not complete yet, on the same file system."""
        return self.root

    @property
    def lock(self) -> Path:
        """The file whose lock the index is changed under; never replaced."""
        return self.root / "oci-layout"

    def prepare(self) -> None:
        """Create the layout where there is none.

        Raises UsageError, and touches nothing, where other files lie.
        """
        self._require_ours()
        for name in ("blobs", "blobs/sha256", "blobs/sha512"):
            fsops.make_directories(self.root / name)
        if not (self.root / "oci-layout").exists():
            half_made.write_atomic(self.root / "oci-layout", _LAYOUT)
        self._settle()
        if not self.exists:
            with self.locked():
                if not self.exists:
                    self.write_index([])

    def _settle(self) -> None:
        """Look once per process at what locks are worth here."""
        if self._locks_hold is None:
            self._locks_hold = locks.locks_hold(self.lock)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that guards the index for the block."""
        with locks.locked(self.lock):
            yield

    def _require_ours(self) -> None:
        """Raise UsageError where the directory holds what is no layout."""
        with fsops.storage(self.root):
            if self.exists or not self.root.is_dir() or self._is_begun():
                return
            # Another process may have made it meanwhile.
            if not self.exists:
                raise self._not_ours()

    def _is_begun(self) -> bool:
        """Whether nothing lies here but what a process left that died while it made a layout."""
        return all(self._makes(path.name) for path in self.root.iterdir())

    def _makes(self, name: str) -> bool:
        """Whether that is a name which is made here before there is an index."""
        own = (half_made.TEMPORARY_PREFIX, _PARTIAL_PREFIX)
        return name in ("blobs", "oci-layout") or name.startswith(own)

    def _not_ours(self) -> UsageError:
        return UsageError(
            f"{self.root} is neither empty nor an OCI layout",
            reference=str(self.root),
            hint="Choose another directory.",
        )

    def entries(self) -> list[Entry]:
        """What stands in the index; empty where there is none yet."""
        self._require_ours()
        return self.layout.entries() if self.exists else []

    # Blobs.

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

    def partial_path(self, digest: Digest) -> Path:
        """Where a blob lies until it is whole."""
        return self.scratch / (_PARTIAL_PREFIX + digest.replace(":", "-"))

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

    def hold(self, digest: Digest) -> tuple[Path, int] | None:
        """Become the only one who receives a blob that will lie elsewhere; None where another does.

        Returns the blob's partial file, open and locked, with what came before.
        """
        self.prepare()
        if not self._locks_hold:
            path = half_made.temporary_name(self.scratch)
            return path, open_alone(path)
        path = self.partial_path(digest)
        fd = lock_partial(path)
        return None if fd is None else (path, fd)

    def _claim_alone(self, blob: Descriptor) -> Partial | None:
        if self.has(blob):
            return None
        path = half_made.temporary_name(self.scratch)
        final = self.layout.blob_path(blob.digest)
        return Partial(blob, open_alone(path), path, final, lasting=False)

    def put(self, blob: Descriptor, data: bytes) -> None:
        """Put a small blob into the layout; whoever calls has verified it."""
        self.prepare()
        file = TemporaryBlob(self)
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
        """Put a small blob into the layout and return its digest."""
        writer = self.writer()
        writer.write(memoryview(data))
        return writer.commit()[0]

    # Names.

    def tag(
        self,
        repository: str,
        tags: Iterable[str],
        manifest: Descriptor,
        expect: Expect | None = None,
        *,
        came_from: str | None = None,
    ) -> None:
        """Give a manifest its names, taking each from whatever held it; durable on return.

        ``came_from`` is the registry's repository that it was received from. Raises TagMovedError,
        and changes nothing, where one does not name what is expected.
        """
        self.prepare()
        names = set(tags)
        origin = {CAME_FROM: came_from} if came_from else {}
        listed = Descriptor(
            manifest.media_type, manifest.digest, manifest.size, origin, manifest.artifact_type
        )

        def change(lines: list[_Line]) -> list[_Line]:
            if expect is not None:
                held = {e.tag: e.descriptor.digest for e, _ in lines if e.repository == repository}
                for name in names:
                    expect.require(held.get(name), f"{repository}:{name}".removeprefix(":"))
            kept = [
                (entry, item)
                for entry, item in lines
                if not (entry.repository == repository and entry.tag in names)
            ]
            kept += [_line(Entry(repository, name, listed)) for name in sorted(names)]
            known = any(entry.descriptor.digest == manifest.digest for entry, _ in kept)
            return kept if names or known else [*kept, _line(Entry(repository, None, listed))]

        self._change_index(change)

    def untag(self, repository: str, tag: str) -> None:
        """Take a name away; raises NotFoundError where it is not there."""
        self._remove(lambda entry: (entry.repository, entry.tag) == (repository, tag), tag)

    def remove(self, repository: str, digest: Digest) -> None:
        """Take a version out of a repository with all of its tags; its blobs stay.

        An entry without any name counts as the repository's. Raises NotFoundError.
        """
        self._remove(
            lambda entry: (
                entry.descriptor.digest == digest
                and (entry.repository == repository or not (entry.tag or entry.repository))
            ),
            digest,
        )

    def _remove(self, unwanted: Callable[[Entry], bool], name: str) -> None:
        def change(lines: list[_Line]) -> list[_Line]:
            kept = [line for line in lines if not unwanted(line[0])]
            if len(kept) == len(lines):
                raise NotFoundError(f"{name} is not there any more", reference=name)
            return kept

        self._change_index(change)

    def _change_index(self, change: Callable[[list[_Line]], list[_Line]]) -> None:
        with self.locked():
            path = self.root / "index.json"
            with fsops.storage(path):
                raw = path.read_bytes()
            entries = parse_index(raw, reference=self.layout.address)
            document = parse_json(raw, what="index.json", reference=self.layout.address)
            lines = list(zip(entries, document["manifests"], strict=True))
            changed = change(lines)
            if changed != lines:
                self._write_index(document, [item for _, item in changed])

    def write_index(self, entries: Iterable[Entry]) -> None:
        """Replace what stands in the index; the lock must be held. Durable on return."""
        self._write_index({}, [_line(entry)[1] for entry in entries])

    def _write_index(self, document: dict[str, Any], manifests: Collection[Any]) -> None:
        new = {"schemaVersion": 2, "mediaType": INDEX, **document, "manifests": manifests}
        data = json.dumps(new, separators=(",", ":")).encode()
        half_made.write_atomic(self.root / "index.json", data)


def _line(entry: Entry) -> _Line:
    item = entry.descriptor.to_json()
    annotations = dict(entry.descriptor.annotations)
    if entry.tag:
        prefix = f"{entry.repository}:" if entry.repository else ""
        annotations[REF_NAME] = prefix + entry.tag
    elif entry.repository:
        annotations[REPOSITORY] = entry.repository
    if annotations:
        item["annotations"] = annotations
    return entry, item
