"""Fetching one blob into the library: once, however many processes ask for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from rolldeck import fsops
from rolldeck.errors import IntegrityError, NotFoundError
from rolldeck.oci import SMALL_BLOB, Descriptor, Digest, Registry, Sink
from rolldeck.progress import Progress
from rolldeck.store import LayoutStore, Partial
from rolldeck.text import clean_line
from rolldeck.units import short_digest

_LOOK = 0.05
"""Seconds between two looks at a blob that another process fetches."""

_T = TypeVar("_T")


class _Closable(Protocol):
    def close(self) -> None: ...


_C = TypeVar("_C", bound=_Closable)


async def in_thread(work: Callable[[], _T]) -> _T:
    """Run blocking work in a thread; when cancelled, wait until the thread has ended."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


_FILE_NAMES = ("org.cncf.model.filepath", "org.opencontainers.image.title")
"""Annotations of layers that name their file or directory."""


def part_name(blob: Descriptor) -> str:
    """Return what a blob is called while it is fetched: its file, else what for, and digest."""
    file = next((blob.annotations[key] for key in _FILE_NAMES if blob.annotations.get(key)), None)
    if file:
        return clean_line(file, 80)
    words = blob.media_type.partition("kitops.modelkit.")[2].split(".")
    return f"{words[0]} {short_digest(blob.digest)}".strip()


async def fetch(
    library: LayoutStore, registry: Registry, repository: str, blob: Descriptor, progress: Progress
) -> int:
    """Have a blob in the library; returns the bytes that had to be transferred for it.

    Waits where another process fetches it, and adopts what that one brought, or goes on where it
    ended. Rebuilds it where an unpacked release stands in for it. Raises StorageError,
    CancelledError and the errors of ``Registry.fetch_blob``; what came until then stays for the
    next time.
    """
    partial = await _claim(library, blob, progress, lambda: library.claim(blob))
    if partial is None:
        progress.skip(blob.size)
        progress.state = "done"
        return 0
    progress.state = "receiving"
    try:
        rebuilt = not partial.offset and await rebuild(library, blob, partial, progress)
        if not rebuilt:
            await registry.fetch_blob(repository, blob, partial, progress)
    except BaseException:
        partial.close()
        raise
    # Once begun, a commit ends even if nobody waits for it any more; it closes by itself.
    await asyncio.shield(asyncio.to_thread(partial.commit))
    progress.state = "done"
    return 0 if rebuilt else blob.size - partial.resumed


async def rebuild(library: LayoutStore, blob: Descriptor, sink: Sink, progress: Progress) -> bool:
    """Fill a sink from a release that stands in for a blob; False where none does, or not now."""
    if blob.size <= SMALL_BLOB:
        return False
    if not await asyncio.to_thread(_has_stand_in, blob.digest):
        return False
    from rolldeck.actions.library_registry import LibraryRegistry

    try:
        await in_thread(lambda: LibraryRegistry(library.root).copy(blob, sink, progress))
    except (IntegrityError, NotFoundError) as error:
        progress.note = error.message
        return False
    return True


def _has_stand_in(digest: Digest) -> bool:
    from rolldeck.release.known import known_paths

    # Where nothing was ever pinned, a pull need not wait for the rooms that rebuild.
    if not known_paths():
        return False
    from rolldeck.release.stand_in import has_stand_in

    return has_stand_in(digest)


@dataclass(frozen=True, slots=True)
class Hold:
    """A digest that is being received without its blob: nobody else fetches it meanwhile."""

    path: Path
    descriptor: int

    @property
    def has_part(self) -> bool:
        """Whether a part of the blob came before, with which a fetch could go on."""
        return os.fstat(self.descriptor).st_size > 0

    def close(self) -> None:
        """Let the others go on."""
        if not self.has_part:
            fsops.unlink(self.path)
        os.close(self.descriptor)


async def hold(library: LayoutStore, blob: Descriptor, progress: Progress) -> Hold | None:
    """Become the only one who receives a blob; None where the library has it, or part of it."""

    def attempt() -> Hold | None:
        held = library.hold(blob.digest)
        return None if held is None else Hold(*held)

    held = await _claim(library, blob, progress, attempt)
    if held is not None and (held.has_part or library.has(blob)):
        held.close()
        return None
    return held


async def _claim(
    library: LayoutStore, blob: Descriptor, progress: Progress, attempt: Callable[[], _C | None]
) -> _C | None:
    """Become the one who fetches the blob; None where it is here."""
    waited = False
    try:
        while not await asyncio.to_thread(library.has, blob):
            claimed = await _try(attempt)
            if claimed is not None:
                return claimed
            progress.check()
            if not waited:
                waited, progress.note = True, "waiting for another process that fetches the same"
                progress.tell(progress.note)
            await asyncio.sleep(_LOOK)
        return None
    finally:
        if waited:
            progress.note = ""


async def _try(attempt: Callable[[], _C | None]) -> _C | None:
    claiming = asyncio.ensure_future(asyncio.to_thread(attempt))
    try:
        return await asyncio.shield(claiming)
    except asyncio.CancelledError:
        claiming.add_done_callback(_give_back)
        raise


def _give_back(claimed: asyncio.Future[_C | None]) -> None:
    # The thread went on after its caller was cancelled; what it got must not stay locked.
    if not claimed.cancelled() and claimed.exception() is None:
        found = claimed.result()
        if found is not None:
            found.close()


__all__ = ["Hold", "Partial", "fetch", "hold", "in_thread", "rebuild"]
