"""Blocking calls of an event loop, in a bounded number of threads, each of them cancellable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from rolldeck.errors import CancelledError
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.reply import SLOWEST
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
        (or asyncio's own) is raised: at once, or after the work gave back what it holds. Headers
        that take a stall window, and a body that is slower than ``SLOWEST`` during one, lose
        their connection, and may be tried again.
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
        before = _Look(interrupt)
        while not future.done():
            waiting: set[asyncio.Future[Any]] = {future, stopped}
            done, _ = await asyncio.wait(
                waiting, timeout=self._stall_window, return_when=asyncio.FIRST_COMPLETED
            )
            if stopped in done:
                if interrupt.committed:
                    await asyncio.wait({future})
                return
            if not done:
                # A slow line is shared by all, so each has to bring only its share.
                share = max(1, sum(other.committed for other in self._active))
                look = _Look(interrupt)
                if look.is_stalled_since(before, SLOWEST * self._stall_window / share):
                    interrupt.drop()
                before = look

    async def close(self) -> None:
        """Cancel what still runs and let the threads end; waits for none of them."""
        for interrupt in list(self._active):
            interrupt.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Look:
    """Where an operation is at one moment."""

    def __init__(self, interrupt: Interrupt) -> None:
        self._transfer = interrupt.commitment_number
        self._question = interrupt.question_number
        self._received = interrupt.received

    def is_stalled_since(self, before: _Look, least: float) -> bool:
        """Whether one body brought less than that many bytes, or one answer has not begun."""
        same_body = self._transfer is not None and self._transfer == before._transfer
        same_question = self._question is not None and self._question == before._question
        return same_question or (same_body and self._received - before._received < least)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _retrieve(future: asyncio.Future[_T]) -> None:
    # An error of abandoned work has no reader; asyncio must not report it as forgotten.
    if not future.cancelled():
        future.exception()
