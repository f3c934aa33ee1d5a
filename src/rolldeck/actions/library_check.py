"""Checking the library: blobs are hashed again, what rotted is put aside and can be repaired."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

from rolldeck.actions.damage import EMPTY_CONFIG
from rolldeck.actions.fetch import fetch
from rolldeck.actions.library_registry import LibraryRegistry
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import (
    CancelledError,
    IntegrityError,
    NotFoundError,
    RolldeckError,
    StorageError,
    UsageError,
)
from rolldeck.oci import MANIFEST, Descriptor, Digest, Manifest, Place, Reference
from rolldeck.oci.copy import copy_blob
from rolldeck.progress import Progress
from rolldeck.store.quarantine import quarantine, quarantined

_MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be; ``path`` for a file, ``digest`` for a blob.

    ``quarantine`` is where a rotted blob of the library is now; ``references`` are the versions of
    the library that need it.
    """

    problem: str
    path: str | None = None
    digest: str | None = None
    quarantine: Path | None = None
    repaired: bool = False
    references: tuple[str, ...] = ()


class Discard:
    """Takes bytes that only had to be hashed."""

    def write(self, chunk: memoryview, /) -> None:
        """Drop the bytes."""

    def rewind(self, size: int, /) -> None:
        """Nothing to forget."""


class LibraryCheck:
    """One check of the library; each blob is hashed once, however many versions need it.

    What rotted is put aside where ``moves``: unless the workspace is read-only or the library not
    this user's. With ``repair`` what is damaged or missing is pulled again from where the version
    came.
    """

    def __init__(self, workspace: Workspace, progress: Progress, *, repair: bool) -> None:
        self._workspace = workspace
        self._library = workspace.library
        self._progress = progress
        self._repair = repair
        self.moves = not workspace.read_only and self._library.writable
        self._gate = asyncio.Semaphore(workspace.settings.concurrency)
        self._found: dict[Digest, Problem | None] = {}
        self._references: dict[Digest, set[str]] = {}

    @property
    def checked(self) -> int:
        """How many blobs were looked at."""
        return len(self._found)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found, repaired or not."""
        return tuple(
            replace(problem, references=tuple(sorted(self._references.get(digest, ()))))
            for digest, problem in self._found.items()
            if problem
        )

    async def version(self, digest: Digest, reference: Reference | None = None) -> None:
        """Check a version: its manifest, then all that it names and that should be here.

        ``reference`` is a name beside those that the library lists.
        """
        names = self._names(digest)
        if reference and all(name.repository != reference.repository for name in names):
            names.append(reference)
        await self._below(digest, names)

    async def rest(self) -> None:
        """Check the blobs that no version checked so far needs."""
        left = [digest for digest in self._library.blobs() if digest not in self._found]
        await asyncio.gather(*(self._loose(digest) for digest in left))

    async def _loose(self, digest: Digest) -> None:
        problem = await self._look(Descriptor("", digest, -1))
        if problem and not self._library.layout.blob_path(digest).exists():
            # Collected meanwhile, or put aside: nobody misses it.
            problem = replace(problem, repaired=True) if problem.quarantine else None
        self._found[digest] = problem

    async def _below(self, digest: Digest, names: list[Reference]) -> None:
        if digest in self._found:
            self._need(digest, names)
            return
        await self._check(Descriptor(MANIFEST, digest, -1), names, is_manifest=True)
        try:
            manifest = await asyncio.to_thread(self._library.layout.read_manifest, digest)
        except NotFoundError:
            return  # told above
        except (IntegrityError, StorageError) as error:
            self._found[digest] = self._found[digest] or Problem(error.message, digest=digest)
            return
        await asyncio.gather(*(self._check(blob, names) for blob in _blobs(manifest)))
        for child in manifest.manifests:
            # A layout may hold an index without all of its children.
            path = self._library.layout.blob_path(child.digest)
            if path.exists() or quarantined(self._library.root, child.digest):
                await self._below(child.digest, names)

    async def _check(
        self, blob: Descriptor, names: list[Reference], *, is_manifest: bool = False
    ) -> None:
        """Look at one blob that a version needs, and repair it where that is asked for."""
        self._need(blob.digest, names)
        if blob.digest in self._found:
            known = self._found[blob.digest]
            if known is None or known.repaired:
                return
            problem: Problem | None = known
        else:
            self._found[blob.digest] = None
            problem = await self._look(blob)
        if problem and problem.problem == _MISSING and blob.media_type == EMPTY_CONFIG:
            problem = None
        if problem and self._repair:
            problem = await self._repaired(problem, blob, names, is_manifest)
        self._found[blob.digest] = problem

    async def _look(self, blob: Descriptor) -> Problem | None:
        async with self._gate:
            return await asyncio.to_thread(self._hash, blob)

    def _hash(self, blob: Descriptor) -> Problem | None:
        """Hash a blob again; put it aside where it rotted. A size of -1 is not known."""
        try:
            file = self._library.layout.open_blob(blob.digest)
        except NotFoundError:
            return self._hash_rebuilt(blob)
        assert isinstance(file, FileIO)
        with file:
            status = os.fstat(file.fileno())
            whole = Descriptor(blob.media_type, blob.digest, status.st_size)
            self._progress.expect(status.st_size)
            try:
                copy_blob(file.readinto, whole, Discard(), self._progress)
            except IntegrityError as error:
                problem = error.message
            except OSError as error:
                problem = f"cannot be read: {error.strerror}"
            else:
                if blob.size in (-1, status.st_size):
                    return None
                # The blob is what its digest says: the manifest is wrong, not the disk.
                text = f"has {status.st_size} bytes, and its manifest says {blob.size}"
                return Problem(text, digest=blob.digest)
            aside = quarantine(self._library, blob.digest, status.st_ino) if self.moves else None
            return Problem(problem, digest=blob.digest, quarantine=aside)

    def _hash_rebuilt(self, blob: Descriptor) -> Problem | None:
        """Hash a blob that an unpacked release stands in for; where none does it is missing."""
        # Imported here: most libraries lack nothing.
        from rolldeck.release.stand_in import has_stand_in

        if blob.size < 0 or not has_stand_in(blob.digest):
            return Problem(_MISSING, digest=blob.digest)
        self._progress.expect(blob.size)
        try:
            LibraryRegistry(self._library.root).copy(blob, Discard(), self._progress)
        except (IntegrityError, NotFoundError, StorageError) as error:
            return Problem(error.message, digest=blob.digest)
        return None

    async def _repaired(
        self, problem: Problem, blob: Descriptor, names: list[Reference], is_manifest: bool
    ) -> Problem:
        """Pull a blob again; returns the problem, solved or with the reason why not."""
        sources = [source for name in names if (source := source_of(name))]
        if not sources:
            shown = ", ".join(map(str, names))
            return replace(problem, problem=f"{problem.problem}; no source of {shown} is known")
        reason = ""
        for source in sources:
            try:
                await self._pull(source, blob, is_manifest)
                return replace(problem, repaired=True)
            except CancelledError:
                raise
            except RolldeckError as error:
                reason = error.message
        return replace(problem, problem=f"{problem.problem}; not repaired: {reason}")

    async def _pull(self, source: Reference, blob: Descriptor, is_manifest: bool) -> None:
        registry = self._workspace.registry(source)
        if is_manifest:
            manifest = await registry.manifest(source.repository, blob.digest)
            await asyncio.to_thread(self._library.put, manifest.descriptor, manifest.raw)
            return
        self._progress.expect(blob.size)
        async with self._gate:
            await fetch(self._library, registry, source.repository, blob, self._progress)

    def _names(self, digest: Digest) -> list[Reference]:
        """Return the names under which the library lists a version."""
        return [
            Reference(Place.LIBRARY, "", entry.repository, entry.tag, None if entry.tag else digest)
            for entry in self._library.entries()
            if entry.descriptor.digest == digest
        ]

    def _need(self, digest: Digest, names: list[Reference]) -> None:
        self._references.setdefault(digest, set()).update(map(str, names))


def _blobs(manifest: Manifest) -> list[Descriptor]:
    config = [manifest.config] if manifest.config else []
    return list({blob.digest: blob for blob in [*config, *manifest.layers]}.values())


def source_of(name: Reference) -> Reference | None:
    """Return where a version of the library came from; None where its name does not say."""
    try:
        source = Reference.parse(name.repository)
    except UsageError:
        return None
    return source if source.place is Place.REGISTRY else None
