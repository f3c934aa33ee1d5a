"""How the payload of one layer is looked into: anywhere in it, or only from its start.

A small layer is read whole and verified. In a larger one that is not compressed only what is
wanted is fetched, which no digest covers. Everything else is streamed, up to a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO, Protocol, TypeVar, cast

from rolldeck.kit.image_tar import image_steps
from rolldeck.kit.layer_stream import LayerStream
from rolldeck.kit.model import Layer
from rolldeck.kit.range_file import RangeFile, RangeStream
from rolldeck.kit.tar_reader import CHUNK, Member, Readable, TarLimits, read_tar
from rolldeck.oci import SMALL_BLOB, RangesIgnoredError, verify_bytes
from rolldeck.progress import Progress
from rolldeck.units import human_size

LOOK_LIMIT = 64 * 1024 * 1024
"""Most stored bytes that a look into one layer reads."""

_T = TypeVar("_T")


class LayerSource(Protocol):
    """The stored bytes of one layer; both ways block."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Read a part of at most ``SMALL_BLOB``; RangesIgnoredError where there are no parts."""

    def open(self) -> BinaryIO:
        """Read all of it from the start; whoever asks closes it."""


class StoppedError(Exception):
    """A look ended at its limit, in bytes unless ``unit`` says of what; the message tells it."""

    def __init__(self, limit: int, unit: str = "") -> None:
        super().__init__(f"stopped after {f'{limit:,} {unit}' if unit else human_size(limit)}")


class LayerAccess:
    """Reads one layer's payload by the cheapest way there is; a small layer at once.

    ``file`` is random access to it, None where it can only be streamed; ``verified`` says whether
    what it gives was compared with the layer's digest. ``limit`` is how many bytes may be read,
    None for any; whoever has found what they looked for lifts it. ``small`` is the size in bytes
    up to which a layer is read whole, ``chunk`` how much is streamed at once.
    """

    def __init__(
        self,
        layer: Layer,
        source: LayerSource,
        progress: Progress,
        *,
        ranges: bool,
        limit: int | None,
        small: int = SMALL_BLOB,
        chunk: int = CHUNK,
    ) -> None:
        self.layer = layer
        self.verified = False
        self.file: RangeFile | None = None
        self._source = source
        self._progress = progress
        self.limit = limit
        self.chunk = chunk
        self._data: bytes | None = None
        self._stream: LayerStream | None = None
        if layer.size <= small:
            with source.open() as blob:
                self._data = blob.read(layer.size + 1)
            verify_bytes(self._data, layer.digest, layer.size)
            self.verified = True
            progress.advance(layer.size)
        if layer.compression == "none" and (ranges or self._data is not None):
            self.file = RangeFile(self._read_at, layer.size)

    def _read_at(self, offset: int, size: int) -> bytes:
        if self.file is not None:
            self.check(self.file.fetched)
        return self.read_part(offset, size)

    def check(self, done: int) -> None:
        """Raise StoppedError where ``done`` bytes are all that may be read."""
        if self.limit is not None and done >= self.limit:
            raise StoppedError(self.limit)

    def read_part(self, offset: int, size: int) -> bytes:
        """Read a part of an uncompressed layer, at most ``SMALL_BLOB``, whatever the limit."""
        self._progress.check()
        if self._data is not None:
            return self._data[offset : offset + size]
        data = self._source.read_at(offset, size)
        self._progress.advance(size)
        return data

    @contextmanager
    def stream(self) -> Iterator[LayerStream]:
        """Give the payload from its start; reading on raises StoppedError at the limit."""
        if self._data is not None:
            # Its bytes were counted when they came.
            yield LayerStream(self.layer, BytesIO(self._data), Progress())
            return
        with self._source.open() as blob:
            limited = cast(BinaryIO, _LimitedBlob(blob, self))
            self._stream = LayerStream(self.layer, limited, self._progress)
            yield self._stream

    @contextmanager
    def members(self) -> Iterator[Iterator[Member]]:
        """Give the members of an archive; raises what ``read_tar`` raises, and StoppedError."""
        if self.file is not None:
            yield self._members(RangeStream(self.file), self.file.size)
            return
        with self.stream() as stream:
            yield self._members(stream, stream.capacity)

    def _members(self, stream: Readable, capacity: int) -> Iterator[Member]:
        limits = TarLimits(capacity=capacity)
        if self.layer.form == "image":
            return _counted(read_tar(stream, limits, chunk=self.chunk, parse=image_steps), limits)
        return read_tar(stream, limits, chunk=self.chunk)

    def verify(self, most: int) -> None:
        """Have a streamed layer verified where that takes at most ``most`` bytes more.

        Raises IntegrityError where it is not what its digest says.
        """
        if self._stream is not None and self._stream.remaining <= most:
            self._stream.drain()
            self.verified = True


def _counted(members: Iterator[Member], limits: TarLimits) -> Iterator[Member]:
    """Yield the members of an image layer; an honest one may hold more than is ever listed."""
    for count, member in enumerate(members):
        if count == limits.entries:
            raise StoppedError(limits.entries, "entries")
        yield member


class _LimitedBlob:
    """A blob whose reads end where an access may read no more."""

    def __init__(self, blob: BinaryIO, access: LayerAccess) -> None:
        self._blob = blob
        self._access = access
        self._read = 0

    def read(self, size: int) -> bytes:
        self._access.check(self._read)
        data = self._blob.read(size)
        self._read += len(data)
        return data


def by_ranges_or_streamed(work: Callable[[bool], _T]) -> _T:
    """Return ``work(True)``; where the registry has no ranges ``work(False)``, which streams."""
    try:
        return work(True)
    except RangesIgnoredError:
        return work(False)
