"""Blocking calls of an event loop, in a bounded number of threads, each of them cancellable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from rolldeck.errors import CancelledError
from rolldeck.oci.interrupt import Interrupt
from rolldeck.progress import Progress

_T = TypeVar("_T")


class Workers:
    """A thread pool whose work takes an ``Interrupt`` and stops soon after it is cancelled."""

    def __init__(self, count: int, name: str, stall_window: float) -> None:
        """``stall_window`` is in seconds, ``name`` that of the threads."""
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._stall_window = stall_window
        self._active: set[Interrupt] = set()

    async def run(self, work: Callable[[Interrupt], _T], progress: Progress | None = None) -> _T:
        """Run ``work`` in a thread and return its result.

        When ``progress`` or the task is cancelled, the work's connection is cut and CancelledError
        (or asyncio's own) is raised: at once, or after the work gave back what it holds. A body
        that brings nothing for the stall window loses its connection, and may be tried again.
        """
        loop = asyncio.get_running_loop()
        interrupt = Interrupt()
        stopped: asyncio.Future[None] = loop.create_future()

        def stop() -> None:
            interrupt.cancel()
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, stopped)

        def body() -> _T:
            try:
                return work(interrupt)
            finally:
                interrupt.detach()

        with (progress or Progress()).on_cancel(stop):
            self._active.add(interrupt)
            future = loop.run_in_executor(self._threads, body)
            future.add_done_callback(_retrieve)
            try:
                await self._watch(future, stopped, interrupt)
            except asyncio.CancelledError:
                interrupt.cancel()
                if interrupt.committed:
                    await asyncio.wait({future})
                raise
            finally:
                self._active.discard(interrupt)
                if not interrupt.committed:
                    future.cancel()
        if future.cancelled():
            raise CancelledError("Cancelled.")
        return future.result()

    async def _watch(
        self, future: asyncio.Future[_T], stopped: asyncio.Future[None], interrupt: Interrupt
    ) -> None:
        before = -1
        while not future.done():
            waiting: set[asyncio.Future[Any]] = {future, stopped}
            done, _ = await asyncio.wait(
                waiting, timeout=self._stall_window, return_when=asyncio.FIRST_COMPLETED
            )
            if stopped in done:
                if interrupt.committed:
                    await asyncio.wait({future})
                return
            if not done and interrupt.committed:
                if interrupt.received == before:
                    interrupt.drop()
                before = interrupt.received

    async def close(self) -> None:
        """Cancel what still runs and let the threads end; waits for none of them."""
        for interrupt in list(self._active):
            interrupt.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _retrieve(future: asyncio.Future[_T]) -> None:
    # An error of abandoned work has no reader; asyncio must not report it as forgotten.
    if not future.cancelled():
        future.exception()
