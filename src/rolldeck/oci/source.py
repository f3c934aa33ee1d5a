"""Where the bytes of a pushed blob come from: a file of a layout, or another registry.

Either way they are hashed on the way, and the last piece is given away only when all bytes are
known to be the blob: what rotted on the disk never becomes a blob of the registry.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO
from typing import Protocol

from rolldeck.errors import CancelledError, IntegrityError, RolldeckError
from rolldeck.fsops import storage, storage_error
from rolldeck.oci.digest import Verifier
from rolldeck.oci.layout import LayoutRegistry
from rolldeck.oci.model import Descriptor
from rolldeck.oci.registry import Registry
from rolldeck.oci.sending import PIECE, FilePiece, Piece
from rolldeck.oci.stream import BlobStream
from rolldeck.progress import Progress

_LOOK = 0.05
"""Seconds between two looks whether a wait should end."""


class BlobReader(Protocol):
    """Gives the bytes of one blob, piece by piece; used by one thread."""

    def pieces(self, start: int, end: int, check: Callable[[], None]) -> Iterator[Piece]:
        """Yield the bytes from ``start`` up to ``end``; may begin before the last end again.

        ``check`` is called where it waits, and may raise. Before the blob's last byte raises
        IntegrityError where its bytes are not what its digest says; also StorageError and the
        errors of the registry that it comes from.
        """

    def close(self) -> None:
        """Give back what is held."""


@dataclass(frozen=True, slots=True)
class BlobSource:
    """A repository, of a registry or a layout, that has the blobs to push."""

    registry: Registry
    repository: str

    def reader(self, blob: Descriptor, *, in_kernel: bool) -> Callable[[], BlobReader]:
        """Return what opens a blob in another thread; called on the event loop.

        ``in_kernel`` says whether pieces of files may be given, instead of their bytes.
        """
        registry = self.registry
        if isinstance(registry, LayoutRegistry):
            return lambda: FileReader(registry.open_blob(blob.digest), blob, in_kernel=in_kernel)
        loop = asyncio.get_running_loop()
        return lambda: StreamReader(registry, self.repository, blob, loop)


class FileReader:
    """A blob in a file, hashed in a second thread while the first sends it."""

    def __init__(self, file: FileIO, blob: Descriptor, *, in_kernel: bool) -> None:
        """Take over ``file``; raises IntegrityError where it has another size."""
        self._file = file
        self._blob = blob
        self._in_kernel = in_kernel
        self._failure: RolldeckError | None = None
        self._stopped = False
        size = os.fstat(file.fileno()).st_size
        if size != blob.size:
            file.close()
            raise self._damaged(f"{blob.digest} should have {blob.size} bytes, its file has {size}")
        self._thread = threading.Thread(target=self._hash, name="rolldeck hash")
        self._thread.start()

    def pieces(self, start: int, end: int, check: Callable[[], None]) -> Iterator[Piece]:
        """Yield the bytes from ``start`` up to ``end``."""
        buffer = memoryview(bytearray(0 if self._in_kernel else PIECE))
        while start < end:
            check()
            size = min(PIECE, end - start)
            if start + size == self._blob.size:
                self._verify(check)
            if self._in_kernel:
                yield FilePiece(self._file, start, size)
            else:
                with storage():
                    size = os.preadv(self._file.fileno(), [buffer[:size]], start)
                if not size:
                    raise self._damaged(f"{self._blob.digest} ended after {start} bytes")
                yield buffer[:size]
            start += size
        if not self._blob.size:
            self._verify(check)

    def _verify(self, check: Callable[[], None]) -> None:
        while self._thread.is_alive():
            self._thread.join(_LOOK)
            check()
        if self._failure is not None:
            raise self._failure

    def _hash(self) -> None:
        verifier = Verifier(self._blob.digest, self._blob.size)
        buffer = memoryview(bytearray(PIECE))
        try:
            while not self._stopped:
                count = os.preadv(self._file.fileno(), [buffer], verifier.received)
                if not count:
                    verifier.finish()
                    return
                verifier.update(buffer[:count])
        except OSError as error:
            self._failure = storage_error(error)
        except IntegrityError as error:
            self._failure = self._damaged(error.message)

    def _damaged(self, message: str) -> IntegrityError:
        hint = "The local copy is damaged: pull the version again."
        return IntegrityError(message, reference=self._blob.digest, hint=hint)

    def close(self) -> None:
        """Stop hashing and close the file."""
        self._stopped = True
        self._thread.join()
        self._file.close()


class StreamReader:
    """A blob of another registry, received while it is sent."""

    def __init__(
        self,
        registry: Registry,
        repository: str,
        blob: Descriptor,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """``loop`` is the one that the registry is used on."""
        self._registry = registry
        self._repository = repository
        self._blob = blob
        self._loop = loop
        self._verifier = Verifier(blob.digest, blob.size)
        self._position = 0
        self._stream: BlobStream | None = None
        self._fetching = Progress()

    def pieces(self, start: int, end: int, check: Callable[[], None]) -> Iterator[Piece]:
        """Yield the bytes from ``start`` up to ``end``; what was given before is received again."""
        if self._stream is None or start < self._position:
            self._begin()
        buffer = memoryview(bytearray(PIECE))
        while self._position < end or not self._blob.size:
            check()
            size = min(PIECE, end - self._position)
            if self._position < start:
                size = min(size, start - self._position)
            count = self._take(buffer[:size], check)
            if self._verifier.received == self._blob.size:
                self._verifier.finish()
            if count == 0:
                return
            if self._position > start:
                yield buffer[:count]

    def _begin(self) -> None:
        self.close()
        self._stream = BlobStream()
        self._fetching = Progress()
        self._position = 0
        fetch = _fetch(self._registry, self._repository, self._blob, self._stream, self._fetching)
        asyncio.run_coroutine_threadsafe(fetch, self._loop)

    def _take(self, buffer: memoryview, check: Callable[[], None]) -> int:
        assert self._stream is not None
        count = self._stream.readinto(buffer, check)
        if count == 0 and self._position < self._blob.size:
            raise IntegrityError(
                f"{self._blob.digest} ended after {self._position} bytes",
                reference=self._blob.digest,
            )
        known = self._verifier.received - self._position
        self._verifier.update(buffer[max(known, 0) : count])
        self._position += count
        return count

    def close(self) -> None:
        """Receive no more."""
        if self._stream is not None:
            self._stream.close()
            self._fetching.cancel()


async def _fetch(
    registry: Registry, repository: str, blob: Descriptor, stream: BlobStream, progress: Progress
) -> None:
    try:
        await registry.fetch_blob(repository, blob, stream, progress)
    except RolldeckError as error:
        stream.end(error)
    except BaseException:
        stream.end(CancelledError("Cancelled."))
        raise
    else:
        stream.end()
