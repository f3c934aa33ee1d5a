"""Reproducible tar layers, byte for byte as kit writes them with Go's archive/tar.

Members are the element's parent directories, then its files and directories, sorted by the bytes
of their names in each directory. Owner 1000:0, time 0, no names; USTAR where it fits, PAX where a
name is not ASCII or too long, or a file is over 8 GiB. The archive ends with 1,024 zero bytes.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rolldeck.errors import BusyError, NotFoundError, RefusedError
from rolldeck.fsops import storage
from rolldeck.kit.kitfile import KITFILE_NAMES
from rolldeck.kit.member_path import member_parts
from rolldeck.kit.tar_header import BLOCK, FIELD_SIZE_LIMIT

IGNORE_FILE = ".kitignore"

CHUNK = 1024 * 1024
"""Bytes of content handed out at once."""

_NAME_SIZE = 100
_PREFIX_SIZE = 155
_ZEROS = bytes(BLOCK)


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """One member to write: path relative to the context, permission bits, size in bytes."""

    path: str
    is_dir: bool
    mode: int
    size: int


@dataclass(frozen=True, slots=True)
class LayerListing:
    """What a layer will hold, and (path, reason) of what it leaves out although it lies there."""

    entries: tuple[LayerEntry, ...]
    left_out: tuple[tuple[str, str], ...]


def _within(parts: tuple[str, ...], directory: tuple[str, ...]) -> bool:
    return parts[: len(directory)] == directory


def layer_entries(
    context: Path,
    element_path: str,
    ignored: Callable[[str], bool] = lambda path: False,
    others: Iterable[str] = (),
) -> LayerListing:
    """List the layer of one Kitfile element; touches no content.

    ``ignored`` says for every path (relative, no slash at the end) whether it or a parent of it is
    left out on purpose. ``others`` are the paths of the other elements: what lies in them belongs
    to their layers, unless this element lies in theirs. A Kitfile and a .kitignore at the root
    belong to no layer. Raises NotFoundError where the element does not exist, RefusedError where
    its path leads outside the context.
    """
    element = member_parts(element_path, empty=True)
    nested = [
        parts
        for parts in (member_parts(path, empty=True) for path in others)
        if not _within(element, parts)
    ]
    with storage(context):
        if not os.path.lexists(context.joinpath(*element)):
            raise NotFoundError(
                f"{element_path} does not exist in {context}",
                reference=element_path,
                hint="Correct the path in the Kitfile.",
            )
        entries: list[LayerEntry] = []
        left_out: list[tuple[str, str]] = []
        for parts, found, reason in _walk(context, (), element):
            path = "/".join(parts)
            own = parts[0] in (*KITFILE_NAMES, IGNORE_FILE) or ignored(path)
            if own or any(_within(parts, other) for other in nested):
                continue
            if reason:
                left_out.append((path, reason))
                continue
            is_dir = stat.S_ISDIR(found.st_mode)
            mode = stat.S_IMODE(found.st_mode)
            entries.append(LayerEntry(path, is_dir, mode, 0 if is_dir else found.st_size))
    return LayerListing(tuple(entries), tuple(left_out))


def _walk(
    context: Path, parent: tuple[str, ...], element: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], os.stat_result, str | None]]:
    """Yield parts, status and reason to leave it out, for all above, at and below the element."""
    directory = context.joinpath(*parent)
    for name in sorted(os.listdir(directory), key=os.fsencode):
        parts = (*parent, name)
        if not (_within(parts, element) or _within(element, parts)):
            continue
        found = os.lstat(directory / name)
        reason = _reason(parts, found)
        yield parts, found, reason
        if reason is None and stat.S_ISDIR(found.st_mode):
            yield from _walk(context, parts, element)


def _reason(parts: tuple[str, ...], found: os.stat_result) -> str | None:
    if stat.S_ISLNK(found.st_mode):
        return "symbolic links are not packed"
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        return "special files are not packed"
    try:
        member_parts("/".join(parts))
    except RefusedError as refusal:
        return refusal.message.rpartition(": ")[2]
    return None


def write_layer(
    context: Path, entries: Iterable[LayerEntry], write: Callable[[memoryview], object]
) -> None:
    """Write the archive of ``entries`` through ``write``, in chunks of at most 1 MiB.

    Raises BusyError where a file is no longer what was listed, StorageError where it cannot be
    read.
    """
    for entry in entries:
        write(memoryview(_headers(entry)))
        if not entry.is_dir:
            with storage(entry.path):
                for chunk in _content(context, entry):
                    write(chunk)
            write(memoryview(bytes(-entry.size % BLOCK)))
    write(memoryview(_ZEROS + _ZEROS))


def _content(context: Path, entry: LayerEntry) -> Iterator[memoryview]:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    buffer = memoryview(bytearray(CHUNK))
    remaining = entry.size
    with open(os.open(context / entry.path, flags), "rb", buffering=0) as file:
        while remaining:
            count = file.readinto(buffer[: min(CHUNK, remaining)])
            if not count:
                break
            remaining -= count
            yield buffer[:count]
        if remaining or file.read(1):
            raise BusyError(
                f"{entry.path} changed while it was packed",
                reference=entry.path,
                hint="Pack again when nothing writes to the directory.",
            )


def _headers(entry: LayerEntry) -> bytes:
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
    body = f" {keyword}={value}\n".encode()
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
