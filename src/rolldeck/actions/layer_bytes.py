"""The stored bytes of a layer for a thread that looks into it, from wherever they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, BinaryIO, TypeVar, cast

from rolldeck.actions.blob_pipe import BlobPipe
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import CancelledError
from rolldeck.oci import SMALL_BLOB, Descriptor, LayoutRegistry, Reference
from rolldeck.progress import Progress

_T = TypeVar("_T")


class LayerBytes:
    """One layer's blob; implements ``LayerSource``.

    The library comes before the registry, a layout is read by the thread itself, and what is at
    most ``SMALL_BLOB`` is kept in memory by the workspace.
    """

    def __init__(
        self, workspace: Workspace, reference: Reference, blob: Descriptor, progress: Progress
    ) -> None:
        """``reference`` is a version that has the blob; called on the event loop."""
        self._workspace = workspace
        self._reference = reference
        self._blob = blob
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        registry = workspace.registry(reference)
        self._registry = workspace.library.layout if workspace.library.has(blob) else registry

    @property
    def is_local(self) -> bool:
        """Whether the blob is on this host."""
        return isinstance(self._registry, LayoutRegistry)

    def read_at(self, offset: int, size: int) -> bytes:
        """Read a part; not verified."""
        if isinstance(self._registry, LayoutRegistry):
            return self._registry.read_part(self._blob, offset, size)
        return self._await(self._workspace.part(self._reference, self._blob, offset, size))

    def open(self) -> BinaryIO:
        """Read all of it from the start."""
        if self._blob.size <= SMALL_BLOB:
            return BytesIO(self._await(self._workspace.small_blob(self._reference, self._blob)))
        if isinstance(self._registry, LayoutRegistry):
            return cast(BinaryIO, self._registry.open_blob(self._blob.digest))
        pipe = BlobPipe(self._progress)
        pipe.start(self._loop, self._registry, self._reference.repository, self._blob)
        return cast(BinaryIO, pipe)

    def _await(self, asked: Coroutine[Any, Any, _T]) -> _T:
        """Wait in this thread for what the event loop does."""
        future = asyncio.run_coroutine_threadsafe(asked, self._loop)

        def cancel() -> None:
            future.cancel()

        try:
            with self._progress.on_cancel(cancel):
                return future.result()
        except FutureCancelled:
            raise CancelledError("Cancelled.") from None


async def in_thread(work: Callable[[], _T], progress: Progress) -> _T:
    """Run blocking work that asks the event loop for bytes; cancelled with the task.

    The thread is its own: one of the loop's pool could wait for work that waits for that pool.
    """
    thread = ThreadPoolExecutor(1, "rolldeck look")
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, work)
    except asyncio.CancelledError:
        progress.cancel()
        raise
    finally:
        thread.shutdown(wait=False)
