"""Verify: every file of a local target, or every blob of a version, against its digest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import IntegrityError, NotFoundError
from rolldeck.oci import Descriptor, Reference
from rolldeck.progress import Progress


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be; ``path`` for a file, ``digest`` for a blob."""

    problem: str
    path: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked: files of a target's releases, or blobs of a version."""

    checked: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether everything matched."""
        return not self.problems


class _Discard:
    """Takes bytes that only had to be hashed."""

    def write(self, chunk: memoryview, /) -> None:
        """Drop the bytes."""

    def rewind(self, size: int, /) -> None:
        """Nothing to forget."""


def is_target(what: str) -> bool:
    """Whether an argument names a local target: a path by its form, or a directory that is one."""
    from rolldeck.release import Target

    return what.startswith(("/", "./", "../", "~", ".")) or Target(Path(what)).exists


async def verify(workspace: Workspace, what: str, progress: Progress) -> Verified:
    """Re-hash a local target (a path) or a version (a reference), wherever it is."""
    if is_target(what):
        return await asyncio.to_thread(_verify_target, Path(what), progress)
    return await _verify_version(workspace, Reference.parse(what), progress)


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


async def _verify_version(
    workspace: Workspace, reference: Reference, progress: Progress
) -> Verified:
    resolved = await workspace.resolve(reference)
    manifest = await workspace.manifest(resolved)
    registry = workspace.registry(resolved)
    found = [manifest.config] if manifest.config else []
    blobs = list({blob.digest: blob for blob in [*found, *manifest.layers]}.values())
    progress.expect(sum(blob.size for blob in blobs))
    gate = asyncio.Semaphore(workspace.settings.concurrency)

    async def check(blob: Descriptor) -> Problem | None:
        async with gate:
            try:
                await registry.fetch_blob(resolved.repository, blob, _Discard(), progress)
            except (IntegrityError, NotFoundError) as error:
                return Problem(error.message, digest=blob.digest)
        return None

    results = await asyncio.gather(*(check(blob) for blob in blobs))
    return Verified(len(blobs) + 1, tuple(problem for problem in results if problem))
