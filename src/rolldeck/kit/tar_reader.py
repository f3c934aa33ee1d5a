"""A strict streaming reader of tar layers: files and directories, nothing else.

``tarfile`` is not used: its filters have let archives out of their directory, it stops silently at
a damaged header, and it follows links. This reader yields members in order, never goes back, and
goes to the last byte of the stream, so that the layer's digest can be checked behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rolldeck.errors import RefusedError
from rolldeck.kit.member_path import NAME_LIMIT, member_parts, refused
from rolldeck.kit.tar_header import (
    BLOCK,
    EXTENSION_LIMIT,
    Extension,
    Header,
    kind_of,
    parse_header,
    parse_long_name,
    parse_pax,
    resolve,
)

CHUNK = 1024 * 1024
"""Most bytes of content handed out at once."""

_ZEROS = bytes(BLOCK)


class Readable(Protocol):
    """A stream of bytes: ``readinto`` returns how many it wrote, 0 at the end."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the start of ``buffer``."""


@runtime_checkable
class Skippable(Protocol):
    """A stream that can leave bytes out without reading them."""

    def skip(self, size: int, /) -> int:
        """Leave out the next ``size`` bytes; returns how many there were."""


@dataclass(frozen=True, slots=True)
class TarLimits:
    """What one archive may hold: members, extension headers per member, bytes in all."""

    entries: int = 100_000
    extensions: int = 8
    capacity: int = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Member:
    """One file or directory: clean relative name, permission bits, size in bytes.

    ``chunks`` yields a file's content; a view is valid until the next one is asked for. What is
    not read before the next member is skipped. ``offset`` is where the content begins in the
    archive, in bytes.
    """

    path: str
    is_dir: bool
    mode: int
    size: int
    chunks: Iterator[memoryview]
    offset: int


class _Source:
    """The stream in blocks, with a count of what it has given."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._skippable = stream if isinstance(stream, Skippable) else None
        self._buffer = memoryview(bytearray(CHUNK))
        self.position = 0

    def take(self, size: int) -> memoryview:
        """Return the next ``size`` bytes (at most a chunk), fewer only at the end."""
        filled = 0
        while filled < size:
            count = self._stream.readinto(self._buffer[filled:size])
            if not count:
                break
            filled += count
        self.position += filled
        return self._buffer[:filled]

    def exactly(self, size: int, name: str) -> memoryview:
        """Return the next ``size`` bytes; RefusedError where the archive ends before."""
        view = self.take(size)
        if len(view) != size:
            raise refused(name, "the archive is cut short")
        return view

    def skip(self, size: int, name: str) -> None:
        """Step over the next ``size`` bytes; RefusedError where the archive ends before."""
        if self._skippable is None:
            while size:
                size -= len(self.exactly(min(CHUNK, size), name))
            return
        if self._skippable.skip(size) != size:
            raise refused(name, "the archive is cut short")
        self.position += size


class _Content:
    """A file's content in chunks; behind it lies its padding."""

    def __init__(self, source: _Source, size: int, name: str) -> None:
        self._source = source
        self._name = name
        self._remaining = size
        self._padding = -size % BLOCK

    def __iter__(self) -> _Content:
        return self

    def __next__(self) -> memoryview:
        if not self._remaining:
            self.skip()
            raise StopIteration
        view = self._source.exactly(min(CHUNK, self._remaining), self._name)
        self._remaining -= len(view)
        return view

    def skip(self) -> None:
        """Go to the end of the padding."""
        rest, self._remaining, self._padding = self._remaining + self._padding, 0, 0
        self._source.skip(rest, self._name)


def _padded(size: int) -> int:
    return size + -size % BLOCK


def _extension(source: _Source, header: Header, kind: str) -> Extension:
    limit = NAME_LIMIT + 1 if kind == "long name" else EXTENSION_LIMIT
    if not 0 < header.size <= limit:
        raise refused(header.name, f"its extension header is empty or over {limit} bytes")
    data = bytes(source.exactly(_padded(header.size), header.name)[: header.size])
    if kind == "long name":
        return parse_long_name(data)
    return parse_pax(data, header.name, everywhere=kind == "global")


def _finish(source: _Source) -> None:
    if source.take(BLOCK) != _ZEROS:
        raise refused("archive", "a lone zero block, or a cut at the end")
    while view := source.take(CHUNK):
        if view.tobytes().count(0) != len(view):
            raise refused("archive", "data after the end of the archive")


def read_tar(stream: Readable, limits: TarLimits | None = None) -> Iterator[Member]:
    """Yield the members of an archive in order, reading the stream to its last byte.

    The root itself (``./``) is not a member. Raises RefusedError, naming the member, for
    everything that is not a plain archive of files and directories, also where it is damaged or
    cut short; what the stream raises passes through.
    """
    limits = limits or TarLimits()
    source = _Source(stream)
    extension, pending, entries = Extension(), 0, 0
    while True:
        block = bytes(source.take(BLOCK))
        if len(block) != BLOCK:
            raise refused("archive", "the archive is cut short")
        if block == _ZEROS:
            if pending:
                raise refused("archive", "an extension header without a member")
            _finish(source)
            return
        header = parse_header(block)
        kind = kind_of(header)
        if kind not in ("file", "directory"):
            pending += 1
            if pending > limits.extensions:
                raise refused(header.name, f"over {limits.extensions} extension headers")
            extension = extension.merge(_extension(source, header, kind))
            continue
        name, size = resolve(header, extension)
        extension, pending, entries = Extension(), 0, entries + 1
        if entries > limits.entries:
            raise RefusedError(f"Refused: over {limits.entries} members in one layer")
        parts = member_parts(name, empty=kind == "directory")
        if kind == "directory" and size:
            raise refused(name, "a directory with content")
        if kind == "file" and name.endswith("/"):
            raise refused(name, "a file with the name of a directory")
        if size > limits.capacity - source.position:
            raise refused(name, f"its size of {size} bytes is more than the layer holds")
        content, path = _Content(source, size, name), "/".join(parts)
        if parts:
            yield Member(path, kind == "directory", header.mode, size, content, source.position)
        content.skip()
