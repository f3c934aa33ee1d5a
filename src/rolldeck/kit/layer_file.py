"""One file inside a layer: found, and read without the rest where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rolldeck.kit.layer_access import (
    LayerAccess,
    LayerSource,
    StoppedError,
    by_ranges_or_streamed,
)
from rolldeck.kit.layer_stream import LayerStream
from rolldeck.kit.listing import LayerFile, member_file, single_file
from rolldeck.kit.model import Layer
from rolldeck.kit.range_file import RangeFile
from rolldeck.oci import SMALL_BLOB
from rolldeck.progress import Progress

START_LIMIT = 2 * 1024 * 1024
"""Most bytes of a streamed file that can be read in any order, from its start."""

_LOOKED_AT = 16 * 1024
"""Bytes streamed at once where every file is only looked at."""

_NEARLY_WHOLE = 1024 * 1024
"""Most bytes fetched beyond a large file to have it verified with its layer."""


class OpenFile:
    """One file of a layer: read anywhere by ``read_at``, or once from start to end by ``chunks``.

    ``verified`` is true where the layer's digest was checked; of a streamed file that is known
    only when ``chunks`` ended.
    """

    def __init__(self, file: LayerFile, access: LayerAccess) -> None:
        self.file = file
        self._access = access

    @property
    def verified(self) -> bool:
        """Whether the layer's digest was checked."""
        return self._access.verified

    def read_at(self, offset: int, size: int) -> bytes:
        """Read at most ``size`` bytes; fewer at the end. StoppedError where it is too far."""
        raise NotImplementedError

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Yield the content; a view is valid until the next one is asked for."""
        raise NotImplementedError


class _AnywhereFile(OpenFile):
    """A file of an uncompressed layer."""

    def __init__(self, file: LayerFile, access: LayerAccess, payload: RangeFile) -> None:
        super().__init__(file, access)
        self._payload = payload
        self._size = file.size or 0

    def read_at(self, offset: int, size: int) -> bytes:
        size = max(min(size, self._size - offset), 0)
        return self._payload.read(self.file.offset + offset, size)

    def chunks(self) -> Iterator[bytes | memoryview]:
        start, end = self.file.offset, self.file.offset + self._size
        for offset in range(start, end, SMALL_BLOB):
            yield self._access.read_part(offset, min(SMALL_BLOB, end - offset))


class _StreamedFile(OpenFile):
    """A file whose content goes by once; its start is kept."""

    def __init__(self, file: LayerFile, access: LayerAccess, content: Iterator[memoryview]) -> None:
        super().__init__(file, access)
        self._content = content
        self._start = bytearray()
        self._ended = False

    def read_at(self, offset: int, size: int) -> bytes:
        end = offset + size
        if end > START_LIMIT:
            raise StoppedError(START_LIMIT)
        while len(self._start) < end and not self._ended:
            chunk = next(self._content, None)
            self._ended = chunk is None
            self._start += chunk or b""
        return bytes(self._start[offset:end])

    def chunks(self) -> Iterator[bytes | memoryview]:
        yield bytes(self._start)
        yield from self._content
        self._access.verify(_NEARLY_WHOLE)


@contextmanager
def open_file(
    layer: Layer,
    source: LayerSource,
    path: str,
    progress: Progress,
    *,
    ranges: bool = True,
    limit: int | None = None,
    whole: bool = False,
    seen: Callable[[LayerFile], None] = lambda file: None,
) -> Iterator[OpenFile | None]:
    """Give a file of a layer, None where it has none with that path; blocks.

    ``whole`` says that all of it will be read, ``limit`` how many bytes the search may read
    (StoppedError then). ``seen`` is told of all that was passed on the way. Raises as
    ``list_layer``, and RangesIgnoredError where ``ranges`` was a mistake.
    """
    access: LayerAccess
    if not layer.is_archive:
        file = single_file(layer)
        if file is not None:
            seen(file)
        if file is None or file.path != path:
            yield None
            return
        streamed = whole and _is_layer(file, layer)
        access = LayerAccess(layer, source, progress, ranges=ranges and not streamed, limit=None)
        if access.file is not None:
            yield _AnywhereFile(file, access, access.file)
            return
        with access.stream() as stream:
            yield _StreamedFile(file, access, _chunks(stream, access.chunk))
        return
    access = LayerAccess(layer, source, progress, ranges=ranges, limit=limit)
    found: LayerFile | None = None
    with access.members() as members:
        for member in members:
            progress.check()
            found = member_file(layer, member)
            seen(found)
            if found.path != path or found.type != "file":
                continue
            access.limit = None
            if access.file is None:
                yield _StreamedFile(found, access, member.chunks)
                return
            if not (whole and _is_layer(found, layer)):
                yield _AnywhereFile(found, access, access.file)
                return
            break
        else:
            yield None
            return
    with open_file(layer, source, path, progress, ranges=False) as opened:
        yield opened


def each_file(
    layer: Layer,
    source: LayerSource,
    progress: Progress,
    *,
    limit: int | None = None,
    small: int = SMALL_BLOB,
) -> Iterator[OpenFile]:
    """Yield the files of a layer in stored order, each to be read before the next; blocks.

    At most about ``limit`` bytes are read, and a layer up to ``small`` bytes whole. Raises as
    ``open_file``, and RangesIgnoredError.
    """
    access = LayerAccess(
        layer, source, progress, ranges=True, limit=limit, small=small, chunk=_LOOKED_AT
    )
    if not layer.is_archive:
        single = single_file(layer)
        if single is None:
            return
        if access.file is not None:
            yield _AnywhereFile(single, access, access.file)
            return
        with access.stream() as stream:
            yield _StreamedFile(single, access, _chunks(stream, access.chunk))
        return
    with access.members() as members:
        for member in members:
            progress.check()
            if member.is_dir or member.special:
                continue
            file = member_file(layer, member)
            if access.file is not None:
                yield _AnywhereFile(file, access, access.file)
            else:
                yield _StreamedFile(file, access, member.chunks)


def _is_layer(file: LayerFile, layer: Layer) -> bool:
    """Whether a file is large and nearly all of its layer: then its digest costs little more."""
    size = file.size or 0
    return size > SMALL_BLOB and layer.size - size <= _NEARLY_WHOLE


def _chunks(stream: LayerStream, size: int) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(size))
    while count := stream.readinto(buffer):
        yield buffer[:count]


def copy_file(
    layer: Layer,
    source: LayerSource,
    path: str,
    write: Callable[[bytes | memoryview], object],
    progress: Progress,
    *,
    limit: int | None = None,
    seen: Callable[[LayerFile], None] = lambda file: None,
) -> OpenFile | None:
    """Write a file of a layer, whatever its size; returns it, None where there is none.

    Raises as ``open_file``; IntegrityError also after all bytes were written, where they turn out
    not to be those of the layer.
    """
    written = 0

    def copy(ranges: bool) -> OpenFile | None:
        nonlocal written
        skip = written
        with open_file(
            layer, source, path, progress, ranges=ranges, limit=limit, whole=True, seen=seen
        ) as opened:
            for chunk in opened.chunks() if opened is not None else ():
                part = memoryview(chunk)[skip:]
                skip -= min(skip, len(chunk))
                if part:
                    write(part)
                    written += len(part)
            return opened

    return by_ranges_or_streamed(copy)
