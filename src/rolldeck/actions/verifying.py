"""Verify: every file of a local target, or every blob of a version, against its digest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from rolldeck.actions.fetch import part_name
from rolldeck.actions.lease import adding, reading
from rolldeck.actions.library_check import Discard, LibraryCheck, Problem
from rolldeck.actions.targets import is_target
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import IntegrityError, NotFoundError, UsageError
from rolldeck.oci import Descriptor, Place, Reference
from rolldeck.progress import Progress


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked: files of a target's releases, or blobs of a version or of the library."""

    checked: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether everything matched, or was repaired."""
        return all(problem.repaired for problem in self.problems)


async def verify(
    workspace: Workspace, what: str, progress: Progress, *, repair: bool = False
) -> Verified:
    """Re-hash a local target (a path) or a version (a reference), wherever it is.

    A blob that rotted in the library is put aside; with ``repair`` it is pulled again. In any other
    place nothing is moved, and ``repair`` raises UsageError.
    """
    if repair:
        workspace.require_writable("verify --repair")
    if is_target(what):
        if repair:
            raise UsageError(
                f"{what} is a local target: only the library can be repaired",
                reference=what,
                hint="Pin or roll back to the version: what was changed is unpacked again.",
            )
        return await asyncio.to_thread(_verify_target, Path(what), progress)
    reference = Reference.parse(what)
    if reference.place is Place.LIBRARY:
        return await _verify_in_library(workspace, reference, progress, repair)
    if repair:
        is_remote = reference.place is Place.REGISTRY
        raise UsageError(
            f"{what} is not in the library, and only the library can be repaired",
            reference=what,
            hint=f"The library's copy is local:{what}" if is_remote else None,
        )
    return await _verify_elsewhere(workspace, reference, progress)


async def verify_all(
    workspace: Workspace, progress: Progress, *, repair: bool = False
) -> AsyncIterator[tuple[str, Verified]]:
    """Re-hash all that rolldeck keeps: the library with every blob, then each known target."""
    if repair:
        workspace.require_writable("verify --repair")
    library = workspace.library
    if library.exists:
        yield str(library.root), await _verify_library(workspace, progress, repair)
    from rolldeck.release import Target, known_paths

    for known in known_paths():
        target = Target(known.path)
        if target.exists and target.unpacked():
            yield str(known.path), await asyncio.to_thread(_verify_target, known.path, progress)


def _verify_target(path: Path, progress: Progress) -> Verified:
    """Re-hash every release of a target: what is current, and what one may roll back to."""
    from rolldeck.release import Target

    target = Target(path).require()
    if target.current() is None:
        raise NotFoundError(f"Nothing is current in {path}", reference=str(path))
    checked, problems = 0, []
    for digest in sorted(target.unpacked()):
        release = target.release(digest)
        if release is None:
            continue
        directory = target.directory(digest)
        checked += release.tree.files
        problems += [
            Problem(problem, path=f"releases/{directory.name}/{path}")
            for path, problem in target.changes(digest, progress, believe_stamps=False)
        ]
    return Verified(checked, tuple(problems))


async def _verify_in_library(
    workspace: Workspace, reference: Reference, progress: Progress, repair: bool
) -> Verified:
    resolved = await workspace.resolve(reference)
    assert resolved.digest is not None
    async with reading(workspace, "verify", resolved):
        check = LibraryCheck(workspace, progress, repair=repair)
        await check.version(resolved.digest, resolved)
    return Verified(check.checked, check.problems)


async def _verify_library(workspace: Workspace, progress: Progress, repair: bool) -> Verified:
    await asyncio.to_thread(workspace.library.check)
    digests = {entry.descriptor.digest for entry in workspace.library.entries()}
    check = LibraryCheck(workspace, progress, repair=repair)
    root = str(workspace.library.root)
    async with adding(workspace, "verify", root, digests) if check.moves else nullcontext():
        for digest in sorted(digests):
            await check.version(digest)
        await check.rest()
    return Verified(check.checked, check.problems)


async def _verify_elsewhere(
    workspace: Workspace, reference: Reference, progress: Progress
) -> Verified:
    resolved = await workspace.resolve(reference)
    manifest = await workspace.manifest(resolved)
    registry = workspace.registry(resolved)
    found = [manifest.config] if manifest.config else []
    blobs = list({blob.digest: blob for blob in [*found, *manifest.layers]}.values())
    parts = [progress.part(part_name(blob), blob.size) for blob in blobs]
    gate = asyncio.Semaphore(workspace.settings.concurrency)

    async def check(blob: Descriptor, part: Progress) -> Problem | None:
        async with gate:
            part.state = "verifying"
            try:
                await registry.fetch_blob(resolved.repository, blob, Discard(), part)
            except (IntegrityError, NotFoundError) as error:
                return Problem(error.message, digest=blob.digest)
            finally:
                part.state = "done"
        return None

    results = await asyncio.gather(*map(check, blobs, parts))
    return Verified(len(blobs) + 1, tuple(problem for problem in results if problem))
