"""A reader of container image layers for listing: all that file systems hold, and nothing is made.

Names and links are told as stored: no link is followed and no ``..`` resolved, since nothing is
ever written by them. Where tar readers disagree this one goes with Go's ``archive/tar``, which
container engines use. Whiteouts are those of the OCI image specification 1.1 (``.wh.NAME``).
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, replace

from rolldeck.kit.member_path import NAME_LIMIT, refused
from rolldeck.kit.tar_header import (
    BLOCK,
    EXTENSION_LIMIT,
    number,
    pax_records,
    require_checksum,
)
from rolldeck.kit.tar_reader import (
    ZEROS,
    Entry,
    Need,
    Special,
    Steps,
    TarLimits,
    extension_size,
    require_whole,
)

WHITEOUT = ".wh."
"""What the name of a whiteout begins with; the rest is what it takes away."""

OPAQUE = ".wh..wh..opq"
"""The whiteout that takes away all that the layers below have in its directory."""

_FILES = (b"0", b"\0", b"7")
_DIRECTORY = b"5"
_SPARSE = b"S"
_BODILESS: dict[bytes, Special] = {
    b"1": "hard link",
    b"2": "link",
    b"3": "character device",
    b"4": "block device",
    b"6": "fifo",
}
_EXTENSIONS = {b"x": "pax", b"g": "global", b"L": "long name", b"K": "long name"}
_GLOBALLY_REFUSED = ("path", "linkpath", "size")


@dataclass(frozen=True, slots=True)
class _Header:
    """One header block with what extension headers change of it; names are bytes as stored."""

    name: bytes
    kind: bytes
    mode: int
    size: int
    target: bytes
    goes_on: bool
    """Whether more blocks of a GNU sparse file's map follow."""


@dataclass(frozen=True, slots=True)
class _Changes:
    """What extension headers say of the next member; None where they are silent."""

    name: bytes | None = None
    target: bytes | None = None
    size: int | None = None
    is_sparse: bool = False


def image_steps(limits: TarLimits | None = None) -> Steps:
    """Parse an image layer like ``tar_steps``; beyond files and directories it yields specials.

    The components of a name may be ``..``. Links, devices, fifos and directories have no content,
    whatever their headers say. Returns at the first block of zeros, or where the archive ends
    instead of a header. Raises RefusedError for an archive that is damaged, cut short inside of a
    member or beyond the limits; members are counted by whoever reads them.
    """
    limits = limits or TarLimits()
    changes, pending, position = _Changes(), 0, 0
    while True:
        block = yield Need(BLOCK)
        if not block or block == ZEROS:
            if pending:
                raise refused("archive", "an extension header without a member")
            return
        require_whole(block, BLOCK, "archive")
        position += BLOCK
        header = _parse_header(bytes(block))
        if header.kind in _EXTENSIONS:
            pending += 1
            where = _text(header.name)
            if pending > limits.extensions:
                raise refused(where, f"over {limits.extensions} extension headers")
            size = extension_size(header.size, _EXTENSIONS[header.kind], where)
            data = yield Need(size + -size % BLOCK)
            require_whole(data, size + -size % BLOCK, where)
            position += len(data)
            changes = _changed(changes, header.kind, data[:size], where)
            continue
        entry = _entry(header, changes)
        if header.kind == _SPARSE and header.goes_on:
            position += yield from _pass_map(_text(header.name))
        changes, pending = _Changes(), 0
        name = "/".join(entry.parts)
        if entry.size > limits.capacity - position:
            raise refused(name, f"its size of {entry.size} bytes is more than the layer holds")
        yield entry
        padding = -entry.size % BLOCK
        if padding:
            require_whole((yield Need(padding, padding=True)), padding, name)
        position += entry.size + padding


def _text(name: bytes) -> str:
    """Return a name; bytes that are not UTF-8 are told as escapes."""
    return name.decode("utf-8", "backslashreplace")


def _parse_header(block: bytes) -> _Header:
    require_checksum(block)
    name = block[:100].partition(b"\0")[0]
    is_posix = block[257:263] == b"ustar\0"
    if is_posix and (prefix := block[345:500].partition(b"\0")[0]):
        name = prefix + b"/" + name
    where = _text(name)
    return _Header(
        name,
        block[156:157],
        _any_number(block[100:108], where, "mode") & 0o7777,
        _any_number(block[124:136], where, "size"),
        block[157:257].partition(b"\0")[0],
        block[257:265] == b"ustar  \0" and bool(block[482]),
    )


def _any_number(field: bytes, name: str, what: str) -> int:
    """Read a number in octal or, with the highest bit set, in GNU's base 256."""
    if not field[0] & 0x80:
        return number(field, name, what)
    if field[0] != 0x80:
        raise refused(name, f"its {what} is negative")
    return int.from_bytes(field[1:], "big")


def _changed(changes: _Changes, kind: bytes, data: bytes | memoryview, where: str) -> _Changes:
    if kind in (b"L", b"K"):
        name = bytes(data).partition(b"\0")[0]
        if len(name) > NAME_LIMIT:
            raise refused(where, f"a name longer than {NAME_LIMIT} bytes")
        return replace(changes, name=name) if kind == b"L" else replace(changes, target=name)
    records = pax_records(bytes(data), where)
    if kind == b"g":
        if any(key in records for key in _GLOBALLY_REFUSED):
            raise refused(where, "a global header names or sizes its members")
        return changes
    size = records.get("size")
    if size is not None and not re.fullmatch(rb"[0-9]{1,19}", size):
        raise refused(where, "its PAX size is not a number")
    return _Changes(
        records.get("GNU.sparse.name", records.get("path", changes.name)),
        records.get("linkpath", changes.target),
        changes.size if size is None else int(size),
        any(key.startswith("GNU.sparse.") or key == "SCHILY.realsize" for key in records),
    )


def _entry(header: _Header, changes: _Changes) -> Entry:
    stored = header.name if changes.name is None else changes.name
    target = header.target if changes.target is None else changes.target
    name = _text(stored)
    if max(len(stored), len(target)) > NAME_LIMIT:
        raise refused(name, f"a name longer than {NAME_LIMIT} bytes")
    is_dir = header.kind == _DIRECTORY or (header.kind == b"\0" and name.endswith("/"))
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if not parts and not is_dir:
        raise refused(name, "the name means no file")
    special = "" if is_dir else _special(header, changes, parts[-1])
    size = header.size if changes.size is None else changes.size
    if is_dir or header.kind in _BODILESS:
        size = 0
    is_link = special in ("link", "hard link")
    return Entry(parts, is_dir, header.mode, size, special, _text(target) if is_link else "")


def _special(header: _Header, changes: _Changes, name: str) -> Special:
    if header.kind in _BODILESS:
        return _BODILESS[header.kind]
    if header.kind == _SPARSE or changes.is_sparse:
        return "sparse"
    if header.kind not in _FILES:
        return "unknown"
    return "whiteout" if name.startswith(WHITEOUT) else ""


def _pass_map(name: str) -> Generator[Need, bytes, int]:
    """Step over the rest of a GNU sparse file's map; returns how many bytes it takes."""
    for count in range(1, EXTENSION_LIMIT // BLOCK + 1):
        block = yield Need(BLOCK)
        require_whole(block, BLOCK, name)
        if not block[504]:
            return count * BLOCK
    raise refused(name, f"its sparse map is over {EXTENSION_LIMIT} bytes")
