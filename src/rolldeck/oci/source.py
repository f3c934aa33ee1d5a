"""Where the bytes of a pushed blob come from: a file of a layout, or another registry.

What comes from another registry is hashed on the way, and its last piece is given away only when
all bytes are known to be the blob. A file was verified when it came, and is hashed by the registry
that gets it; it is hashed here as well only where that refuses it, to say whose bytes are wrong.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO, RawIOBase
from typing import Protocol

from rolldeck.errors import CancelledError, IntegrityError, RolldeckError
from rolldeck.fsops import storage
from rolldeck.oci.digest import Verifier
from rolldeck.oci.layout import LayoutRegistry
from rolldeck.oci.model import Descriptor
from rolldeck.oci.registry import Registry
from rolldeck.oci.stream import BlobStream
from rolldeck.progress import Progress

PIECE = 256 * 1024
"""Bytes sent at a time: a server on this machine finds them in the processor's cache. With
sendfile(2) it does not, and a push takes a tenth longer (measured)."""


class BlobReader(Protocol):
    """Gives the bytes of one blob, piece by piece; used by one thread."""

    def pieces(self, start: int, end: int, check: Callable[[], None]) -> Iterator[memoryview]:
        """Yield the bytes from ``start`` up to ``end``; may begin before the last end again.

        ``check`` is called where it waits, and may raise. Raises StorageError, IntegrityError and
        the errors of the registry that the blob comes from.
        """

    def verify(self, check: Callable[[], None]) -> None:
        """Raise IntegrityError where what was given away was not the blob."""

    def close(self) -> None:
        """Give back what is held."""


@dataclass(frozen=True, slots=True)
class BlobSource:
    """A repository, of a registry or a layout, that has the blobs to push."""

    registry: Registry
    repository: str

    def reader(self, blob: Descriptor) -> Callable[[], BlobReader]:
        """Return what opens a blob in another thread; called on the event loop."""
        registry = self.registry
        if isinstance(registry, LayoutRegistry):
            return lambda: _local_reader(registry, blob)
        loop = asyncio.get_running_loop()
        return lambda: StreamReader(registry, self.repository, blob, loop)


def _local_reader(registry: LayoutRegistry, blob: Descriptor) -> BlobReader:
    file = registry.open_blob(blob.digest)
    if isinstance(file, FileIO):
        return FileReader(file, blob)
    return RebuiltReader(file, lambda: registry.open_blob(blob.digest), blob)


class FileReader:
    """A blob in a file."""

    def __init__(self, file: FileIO, blob: Descriptor) -> None:
        """Take over ``file``; raises IntegrityError where it has another size."""
        self._file = file
        self._blob = blob
        size = os.fstat(file.fileno()).st_size
        if size != blob.size:
            file.close()
            raise self._damaged(f"{blob.digest} should have {blob.size} bytes, its file has {size}")

    def pieces(self, start: int, end: int, check: Callable[[], None]) -> Iterator[memoryview]:
        """Yield the bytes from ``start`` up to ``end``."""
        buffer = memoryview(bytearray(PIECE))
        while start < end:
            check()
            size = self._read(buffer[: min(PIECE, end - start)], start)
            yield buffer[:size]
            start += size

    def _read(self, buffer: memoryview, start: int) -> int:
        with storage():
            size = os.preadv(self._file.fileno(), [buffer], start)
        if not size:
            raise self._damaged(f"{self._blob.digest} ended after {start} bytes")
        return size

    def verify(self, check: Callable[[], None]) -> None:
        """Hash the file."""
        verifier = Verifier(self._blob.digest, self._blob.size)
        buffer = memoryview(bytearray(PIECE))
        try:
            while verifier.received < self._blob.size:
                check()
                verifier.update(buffer[: self._read(buffer, verifier.received)])
            verifier.finish()
        except IntegrityError as error:
            raise self._damaged(error.message) from None

    def _damaged(self, message: str) -> IntegrityError:
        hint = "The local copy is damaged: pull the version again."
        return IntegrityError(message, reference=self._blob.digest, hint=hint)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class RebuiltReader:
    """A blob that is no file and can only be read from its start, such as one that is rebuilt.

    It is hashed on the way, and its last piece is given away only when all bytes are the blob.
    """

    def __init__(
        self, stream: RawIOBase, open_again: Callable[[], RawIOBase], blob: Descriptor
    ) -> None:
        """Take over ``stream``."""
        self._stream = stream
        self._open_again = open_again
        self._blob = blob
        self._verifier = Verifier(blob.digest, blob.size)

    def pieces(self, start: int, end: int, check: Callable[[], None]) -> Iterator[memoryview]:
        """Yield the bytes from ``start`` up to ``end``."""
        if start < self._verifier.received:
            self._stream.close()
            self._stream = self._open_again()
            self._verifier = Verifier(self._blob.digest, self._blob.size)
        buffer = memoryview(bytearray(PIECE))
        while (position := self._verifier.received) < end:
            check()
            until = start if position < start else end
            count = self._stream.readinto(buffer[: min(PIECE, until - position)])
            if not count:
                raise IntegrityError(
                    f"{self._blob.digest} ended after {position} bytes",
                    reference=self._blob.digest,
                )
            self._verifier.update(buffer[:count])
            if self._verifier.received == self._blob.size:
                self._verifier.finish()
            if position >= start:
                yield buffer[:count]

    def verify(self, check: Callable[[], None]) -> None:
        """Do nothing: the last piece was given away only when all were known to be the blob."""

    def close(self) -> None:
        """Close what it is made of."""
        self._stream.close()


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

    def pieces(self, start: int, end: int, check: Callable[[], None]) -> Iterator[memoryview]:
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

    def verify(self, check: Callable[[], None]) -> None:
        """Do nothing: the last piece was given away only when all were known to be the blob."""

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
