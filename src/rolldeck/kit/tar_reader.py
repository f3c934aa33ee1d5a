"""A strict streaming reader of tar layers: files and directories, nothing else.

``tarfile`` is not used: its filters have let archives out of their directory, it stops silently at
a damaged header, and it follows links. This reader yields members in order, never goes back, and
goes to the last byte of the stream, so that the layer's digest can be checked behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

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

TRAILER = 64 * 1024
"""Bytes of what follows the end of an archive that are looked at together."""

ZEROS = bytes(BLOCK)
"""A block that ends an archive."""

Special = Literal[
    "",
    "link",
    "hard link",
    "character device",
    "block device",
    "fifo",
    "whiteout",
    "sparse",
    "unknown",
]
"""What a member of an image layer is that is neither a file nor a directory; of others empty."""


class Readable(Protocol):
    """A stream of bytes: ``readinto`` returns how many it wrote, 0 at the end."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the start of ``buffer``."""


@runtime_checkable
class Skippable(Protocol):
    """A stream that can leave bytes out without reading them."""

    def skip(self, size: int, /) -> int:
        """Leave out the next ``size`` bytes; returns how many there were."""


class TarLimits(NamedTuple):
    """What one archive may hold: members, extension headers per member, bytes in all."""

    entries: int = 100_000
    extensions: int = 8
    capacity: int = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Member:
    """One file or directory: clean relative name, permission bits, size in bytes.

    ``chunks`` yields a file's content; a view is valid until the next one is asked for. What is
    not read before the next member is skipped. ``offset`` is where the content begins in the
    archive, in bytes. ``special`` and ``target`` are those of its ``Entry``.
    """

    path: str
    is_dir: bool
    mode: int
    size: int
    chunks: Iterator[memoryview]
    offset: int
    special: Special = ""
    target: str = ""


class Need(NamedTuple):
    """What ``tar_steps`` waits for: so many bytes of the archive, fewer only at its end.

    Of ``padding`` only the size matters.
    """

    size: int
    padding: bool = False


class Entry(NamedTuple):
    """A member as ``tar_steps`` finds it; the ``size`` bytes of content that follow are skipped.

    ``parts`` are the components of its clean relative name, none for the root itself. ``special``
    and ``target``, what a link names, are for image layers only; names are then as stored.
    """

    parts: tuple[str, ...]
    is_dir: bool
    mode: int
    size: int
    special: Special = ""
    target: str = ""


Steps = Generator[Need | Entry, bytes, None]


def tar_steps(limits: TarLimits | None = None) -> Steps:
    """Parse an archive without reading it: the one parser, whoever has the bytes.

    Yields a ``Need`` and is sent bytes, or yields an ``Entry`` and is sent b"" once its content
    was passed over. Returns after the archive's last byte. Raises RefusedError, naming the
    member, for everything that is not a plain archive of files and directories, also where it is
    damaged or cut short.
    """
    limits = limits or TarLimits()
    extension, pending, entries, position = Extension(), 0, 0, 0
    while True:
        block = yield Need(BLOCK)
        if len(block) != BLOCK:
            raise refused("archive", "the archive is cut short")
        position += BLOCK
        if block == ZEROS:
            if pending:
                raise refused("archive", "an extension header without a member")
            yield from _finish()
            return
        header = parse_header(block)
        kind = kind_of(header)
        if kind not in ("file", "directory"):
            pending += 1
            if pending > limits.extensions:
                raise refused(header.name, f"over {limits.extensions} extension headers")
            size = extension_size(header.size, kind, header.name)
            data = yield Need(size + -size % BLOCK)
            require_whole(data, size + -size % BLOCK, header.name)
            position += len(data)
            extension = extension.merge(_parse_extension(data[:size], header, kind))
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
        if size > limits.capacity - position:
            raise refused(name, f"its size of {size} bytes is more than the layer holds")
        yield Entry(parts, kind == "directory", header.mode, size)
        padding = -size % BLOCK
        if padding:
            require_whole((yield Need(padding, padding=True)), padding, name)
        position += size + padding


def require_whole(data: bytes | memoryview, size: int, name: str) -> None:
    """Raise RefusedError where the archive ended before all of ``size`` bytes came."""
    if len(data) != size:
        raise refused(name, "the archive is cut short")


def extension_size(size: int, kind: str, name: str) -> int:
    """Return the size in bytes of an extension header; raises RefusedError beyond its limit."""
    limit = NAME_LIMIT + 1 if kind == "long name" else EXTENSION_LIMIT
    if not 0 < size <= limit:
        raise refused(name, f"its extension header is empty or over {limit} bytes")
    return size


def _parse_extension(data: bytes, header: Header, kind: str) -> Extension:
    if kind == "long name":
        return parse_long_name(data)
    return parse_pax(data, header.name, everywhere=kind == "global")


def _finish() -> Steps:
    if (yield Need(BLOCK)) != ZEROS:
        raise refused("archive", "a lone zero block, or a cut at the end")
    while data := (yield Need(TRAILER)):
        if data.count(0) != len(data):
            raise refused("archive", "data after the end of the archive")


class _Source:
    """The stream in pieces of a wanted size; ``position`` is how far it was read."""

    def __init__(self, stream: Readable, chunk: int) -> None:
        self._stream = stream
        self.chunk = chunk
        self._skippable = stream if isinstance(stream, Skippable) else None
        self._buffer = memoryview(bytearray(max(chunk, TRAILER)))
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

    def skip(self, size: int) -> int:
        """Step over the next ``size`` bytes; returns how many there were."""
        if self._skippable is not None:
            skipped = self._skippable.skip(size)
            self.position += skipped
            return skipped
        start = self.position
        while size and (count := len(self.take(min(self.chunk, size)))):
            size -= count
        return self.position - start


class _Content:
    """A file's content in chunks."""

    def __init__(self, source: _Source, size: int, name: str) -> None:
        self._source = source
        self._name = name
        self._remaining = size

    def __iter__(self) -> _Content:
        return self

    def __next__(self) -> memoryview:
        if not self._remaining:
            raise StopIteration
        size = min(self._source.chunk, self._remaining)
        view = self._source.take(size)
        require_whole(view, size, self._name)
        self._remaining -= len(view)
        return view

    def skip(self) -> None:
        """Go to the end; RefusedError where the archive ends before."""
        rest, self._remaining = self._remaining, 0
        if self._source.skip(rest) != rest:
            raise refused(self._name, "the archive is cut short")


def read_tar(
    stream: Readable,
    limits: TarLimits | None = None,
    *,
    chunk: int = CHUNK,
    parse: Callable[[TarLimits | None], Steps] = tar_steps,
    between: Callable[[bytes], None] | None = None,
) -> Iterator[Member]:
    """Yield the members of an archive in order, going to the last byte of the stream.

    The root itself (``./``) is not a member. Content that nobody reads is skipped where the stream
    can; what is read comes in chunks of at most ``chunk`` bytes. ``parse`` is another parser: that
    of image layers, for listing. ``between`` gets all that is not content, in order. Raises
    RefusedError as ``tar_steps``; what the stream raises passes through.
    """
    source, steps = _Source(stream, chunk), parse(limits)
    step = next(steps, None)
    while step is not None:
        data = b""
        if isinstance(step, Entry):
            path = "/".join(step.parts)
            content = _Content(source, step.size, path)
            if path:
                yield Member(
                    path,
                    step.is_dir,
                    step.mode,
                    step.size,
                    content,
                    source.position,
                    step.special,
                    step.target,
                )
            content.skip()
        elif step.padding and between is None:
            data = bytes(source.skip(step.size))
        else:
            data = bytes(source.take(step.size))
            if between is not None:
                between(data)
        step = send(steps, data)


def send(steps: Steps, data: bytes) -> Need | Entry | None:
    """Send bytes to ``tar_steps`` and return its next step; None after the last."""
    try:
        return steps.send(data)
    except StopIteration:
        return None
