"""Reproducible tar layers, byte for byte as kit writes them with Go's archive/tar.

Owner 1000:0, time 0, no names; USTAR where it fits, PAX where a name is not ASCII or too long, or a
file is over 8 GiB. The archive ends with 1,024 zero bytes.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path

from rolldeck.errors import BusyError
from rolldeck.fsops import storage
from rolldeck.kit.layer_listing import LayerEntry
from rolldeck.kit.tar_header import BLOCK, FIELD_SIZE_LIMIT

CHUNK = 1024 * 1024
"""Bytes of content handed out at once."""

_NAME_SIZE = 100
_PREFIX_SIZE = 155
_ZEROS = bytes(BLOCK)


def layer_chunks(context: Path, entries: Iterable[LayerEntry]) -> Iterator[memoryview]:
    """Yield the archive of ``entries`` in chunks of at most 1 MiB.

    A chunk stays as it is until the next but one is asked for, so that another thread may hash it
    meanwhile. Raises BusyError where a file is no longer what was listed, StorageError where it
    cannot be read.
    """
    chunks = _Chunks()
    for entry in entries:
        yield from chunks.add(member_header(entry))
        if not entry.is_dir:
            yield from _content(context, entry, chunks)
            yield from chunks.add(bytes(-entry.size % BLOCK))
    yield from chunks.add(_ZEROS + _ZEROS)
    yield from chunks.flush()


def archive_size(entries: Iterable[LayerEntry]) -> int:
    """Return how many bytes the archive of ``entries`` has."""
    size = 2 * BLOCK
    for entry in entries:
        size += len(member_header(entry)) + entry.size + -entry.size % BLOCK
    return size


class _Chunks:
    """Two buffers that are filled in turn, each handed on when it is full."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(CHUNK))
        self._other = memoryview(bytearray(CHUNK))
        self._filled = 0

    def add(self, data: bytes) -> Iterator[memoryview]:
        """Append a few bytes."""
        position = 0
        while position < len(data):
            room = self.room()
            size = min(len(room), len(data) - position)
            room[:size] = data[position : position + size]
            position += size
            yield from self.fill(size)

    def room(self) -> memoryview:
        """Return what is free of the buffer, never nothing; ``fill`` tells how much was used."""
        return self._buffer[self._filled :]

    def fill(self, count: int) -> Iterator[memoryview]:
        """Keep the first ``count`` bytes that were written into ``room``."""
        self._filled += count
        if self._filled == CHUNK:
            yield from self.flush()

    def flush(self) -> Iterator[memoryview]:
        """Hand on what is there."""
        if self._filled:
            yield self._buffer[: self._filled]
            self._buffer, self._other, self._filled = self._other, self._buffer, 0


def _content(context: Path, entry: LayerEntry, chunks: _Chunks) -> Iterator[memoryview]:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with storage(entry.path):
        fd = os.open(context / entry.path, flags)
    try:
        if os.fstat(fd).st_size != entry.size:
            raise _changed(entry)
        remaining = entry.size
        while remaining:
            with storage(entry.path):
                count = os.readv(fd, [chunks.room()[:remaining]])
            if not count:
                raise _changed(entry)
            remaining -= count
            yield from chunks.fill(count)
        if os.fstat(fd).st_size != entry.size:
            raise _changed(entry)
    finally:
        os.close(fd)


def _changed(entry: LayerEntry) -> BusyError:
    return BusyError(
        f"{entry.path} changed while it was packed",
        reference=entry.path,
        hint="Pack again when nothing writes to the directory.",
    )


def member_header(entry: LayerEntry) -> bytes:
    """Return the header of a member, after its PAX header where it needs one."""
    name = entry.path
    kind = b"5" if entry.is_dir else b"0"
    long = len(name) > _NAME_SIZE or not name.isascii()
    split = _split(name)
    if entry.size <= FIELD_SIZE_LIMIT and (not long or split):
        prefix, base = split or ("", name)
        return _block(base.encode(), prefix.encode(), kind, entry.mode, entry.size, owned=True)
    records = _record("path", name) if long else b""
    size = entry.size
    if size > FIELD_SIZE_LIMIT:
        records += _record("size", str(size))
        size = 0
    extension = posixpath.join(*posixpath.split(name)[:1], "PaxHeaders.0", posixpath.basename(name))
    pax_name = _ascii(extension)[:_NAME_SIZE].rstrip(b"/")
    return (
        _block(pax_name, b"", b"x", 0, len(records), owned=False)
        + records
        + bytes(-len(records) % BLOCK)
        + _block(_cut(_ascii(name)), b"", kind, entry.mode, size, owned=True)
    )


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "ignore")


def _cut(name: bytes) -> bytes:
    """Cut a name to its field as Go does: a slash at the end would mean a directory."""
    cut = bytearray(name[:_NAME_SIZE])
    if len(name) > _NAME_SIZE and cut.endswith(b"/"):
        cut[len(cut.rstrip(b"/"))] = 0
    return bytes(cut)


def _split(name: str) -> tuple[str, str] | None:
    """Split a long ASCII name into the prefix and name fields at the last slash that fits."""
    if len(name) <= _NAME_SIZE or not name.isascii():
        return None
    place = name.rfind("/", 0, _PREFIX_SIZE + 1)
    fits = place > 0 and 0 < len(name) - place - 1 <= _NAME_SIZE
    return (name[:place], name[place + 1 :]) if fits else None


def _record(keyword: str, value: str) -> bytes:
    body = f" {keyword}={value}\n".encode("utf-8", "surrogateescape")
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def _block(name: bytes, prefix: bytes, kind: bytes, mode: int, size: int, *, owned: bool) -> bytes:
    """Lay out one header; that of an extension has no owner and no device numbers."""
    fields = (
        name.ljust(100, b"\0"),
        b"%07o\0" % mode,
        b"%07o\0" % (1000 if owned else 0),
        b"%07o\0" % 0,
        b"%011o\0" % size,
        b"%011o\0" % 0,
        b" " * 8,
        kind,
        bytes(100),
        b"ustar\x0000",
        bytes(64),
        (b"0000000\0" if owned else bytes(8)) * 2,
        prefix.ljust(155, b"\0"),
        bytes(12),
    )
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]
