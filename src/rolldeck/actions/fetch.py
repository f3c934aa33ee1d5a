"""Fetching one blob into the library: once, however many processes ask for it."""

from __future__ import annotations

import asyncio

from rolldeck.oci import Descriptor, Registry
from rolldeck.progress import Progress
from rolldeck.store import LayoutStore, Partial
from rolldeck.text import clean_line
from rolldeck.units import short_digest

_LOOK = 0.05
"""Seconds between two looks at a blob that another process fetches."""


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
    ended. Raises StorageError, CancelledError and the errors of ``Registry.fetch_blob``; what came
    until then stays for the next time.
    """
    partial = await _claim(library, blob, progress)
    if partial is None:
        progress.skip(blob.size)
        progress.state = "done"
        return 0
    progress.state = "receiving"
    try:
        await registry.fetch_blob(repository, blob, partial, progress)
    except BaseException:
        partial.close()
        raise
    # Once begun, a commit ends even if nobody waits for it any more; it closes by itself.
    await asyncio.shield(asyncio.to_thread(partial.commit))
    progress.state = "done"
    return blob.size - partial.resumed


async def _claim(library: LayoutStore, blob: Descriptor, progress: Progress) -> Partial | None:
    """Become the one who fetches the blob; None where it is here."""
    waited = False
    try:
        while not await asyncio.to_thread(library.has, blob):
            partial = await _try_claim(library, blob)
            if partial is not None:
                return partial
            progress.check()
            if not waited:
                waited, progress.note = True, "waiting for another process that fetches the same"
                progress.tell(progress.note)
            await asyncio.sleep(_LOOK)
        return None
    finally:
        if waited:
            progress.note = ""


async def _try_claim(library: LayoutStore, blob: Descriptor) -> Partial | None:
    claiming = asyncio.ensure_future(asyncio.to_thread(library.claim, blob))
    try:
        return await asyncio.shield(claiming)
    except asyncio.CancelledError:
        claiming.add_done_callback(_give_back)
        raise


def _give_back(claimed: asyncio.Future[Partial | None]) -> None:
    # The thread went on after its caller was cancelled; what it got must not stay locked.
    if not claimed.cancelled() and claimed.exception() is None:
        partial = claimed.result()
        if partial is not None:
            partial.close()
