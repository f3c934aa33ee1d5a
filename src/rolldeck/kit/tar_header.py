"""One tar header block, and the extension records before it, read strictly.

Follows POSIX.1-2017 ``pax`` (ustar and extended headers) and reads GNU long names. Where readers
are known to disagree, there is no guess here: the archive is refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rolldeck.kit.member_path import NAME_LIMIT, member_parts, refused

BLOCK = 512
"""Bytes of a header, and the unit that content is padded to."""

EXTENSION_LIMIT = 64 * 1024
"""Largest PAX header read, in bytes."""

FIELD_SIZE_LIMIT = 0o77777777777
"""Largest size that the ustar field can say (8 GiB - 1); above it a PAX record must."""

_OCTAL = re.compile(rb" *[0-7]+[ \0]*")
_POSIX_MAGIC = b"ustar\x0000"
_GNU_MAGIC = b"ustar  \x00"
_DECISIVE = ("path", "size", "linkpath")
_KINDS = {
    **dict.fromkeys((b"0", b"\0", b"7"), "file"),
    b"5": "directory",
    b"x": "pax",
    b"g": "global",
    b"L": "long name",
}
_LINK_TYPES = {b"1": "a hard link", b"2": "a symbolic link"}
_SPECIAL_TYPES = {b"3": "a device", b"4": "a device", b"6": "a fifo", b"S": "a sparse file"}


class Header(NamedTuple):
    """One header block: the name as stored, type letter, mode bits and size in bytes."""

    name: str
    kind: bytes
    mode: int
    size: int


class Extension(NamedTuple):
    """What extension headers say of the next member; None where they are silent."""

    path: str | None = None
    size: int | None = None

    def merge(self, other: Extension) -> Extension:
        """Join two extension headers before one member; refused where they disagree."""
        if None not in (self.path, other.path) and self.path != other.path:
            raise refused(other.path or "", "two headers give it different names")
        if None not in (self.size, other.size) and self.size != other.size:
            raise refused(self.path or "", "two headers give it different sizes")
        return Extension(
            self.path if other.path is None else other.path,
            self.size if other.size is None else other.size,
        )


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise refused(where, "a name is not UTF-8") from None


def _string(field: bytes, where: str) -> str:
    return _text(field.partition(b"\0")[0], where)


def number(field: bytes, name: str, what: str) -> int:
    """Return an octal number, 0 where the field is blank; raises RefusedError for all else."""
    digits = field.rstrip(b" \0").lstrip(b" ")
    if not digits:
        return 0
    try:
        # int alone would also take signs and underscores.
        return int(digits if digits.isdigit() else b"", 8)
    except ValueError:
        raise refused(name, f"its {what} is not an octal number") from None


def require_checksum(block: bytes) -> None:
    """Raise RefusedError unless a header block has the checksum that it says."""
    stored = block[148:156]
    total = sum(block) - sum(stored) + 8 * 0x20
    if not _OCTAL.fullmatch(stored) or int(stored.strip(b" \0"), 8) != total:
        raise refused("archive", "a header has a bad checksum: the archive is damaged")


def parse_header(block: bytes) -> Header:
    """Parse a header block that is not all zeros; raises RefusedError.

    The checksum is always verified. ``size`` and ``mode`` must be octal; owner and time, which
    are not used, may also be GNU base-256 numbers.
    """
    require_checksum(block)
    name = _string(block[:100], "archive")
    magic = block[257:265]
    if magic == _POSIX_MAGIC:
        prefix = _string(block[345:500], name)
        name = f"{prefix}/{name}" if prefix else name
    elif magic == _GNU_MAGIC:
        if any(block[345:500]):
            raise refused(name, "a GNU header with fields that readers disagree about")
    elif any(block[257:512]):
        raise refused(name, "a header of an unknown tar format")
    for place, what in ((slice(108, 116), "owner"), (slice(116, 124), "group")):
        if not block[place.start] & 0x80:
            number(block[place], name, what)
    if not block[136] & 0x80:
        number(block[136:148], name, "time")
    return Header(
        name,
        block[156:157],
        number(block[100:108], name, "mode") & 0o7777,
        number(block[124:136], name, "size"),
    )


def pax_records(data: bytes, where: str) -> dict[str, bytes]:
    """Return the records of a PAX header, values as stored; raises RefusedError."""
    records: dict[str, bytes] = {}
    position = 0
    while position < len(data):
        length_text, space, _ = data[position : position + 20].partition(b" ")
        if not space or not re.fullmatch(rb"[1-9][0-9]*", length_text):
            raise refused(where, "a malformed PAX record")
        end = position + int(length_text)
        record = data[position + len(length_text) + 1 : end]
        key, equals, value = record[:-1].partition(b"=")
        if end > len(data) or record[-1:] != b"\n" or not equals or not key:
            raise refused(where, "a malformed PAX record")
        keyword = _text(key, where)
        if keyword in _DECISIVE and keyword in records:
            raise refused(where, f"its PAX header says {keyword} twice")
        records[keyword] = value
        position = end
    return records


def parse_pax(data: bytes, where: str, *, everywhere: bool) -> Extension:
    """Parse the records of a PAX header; raises RefusedError.

    Only ``path`` and ``size`` are used. Times, owners, extended attributes and comments are
    dropped; sparse files are refused, as are link targets, and in a global header
    (``everywhere``) anything that would name or size later members.
    """
    records = pax_records(data, where)
    if any(key.startswith("GNU.sparse.") or key == "SCHILY.realsize" for key in records):
        raise refused(where, "it is a sparse file")
    if records.get("hdrcharset", b"ISO-IR 10646 2000 UTF-8") != b"ISO-IR 10646 2000 UTF-8":
        raise refused(where, "its PAX header is not UTF-8")
    if everywhere and any(key in records for key in _DECISIVE):
        raise refused(where, "a global header names or sizes its members")
    if "linkpath" in records:
        raise refused(where, "it is a link")
    path = size = None
    if "path" in records:
        path = _text(records["path"], where)
        member_parts(path, empty=True)
    if "size" in records:
        if not re.fullmatch(rb"[0-9]{1,19}", records["size"]):
            raise refused(where, "its PAX size is not a number")
        size = int(records["size"])
    return Extension(path, size)


def parse_long_name(data: bytes) -> Extension:
    """Parse the content of a GNU long name header; raises RefusedError."""
    name, _, rest = data.partition(b"\0")
    if any(rest) or len(name) > NAME_LIMIT:
        raise refused("archive", "a malformed long name")
    path = _text(name, "archive")
    member_parts(path, empty=True)
    return Extension(path)


def _agree(short: str, name: str) -> bool:
    """Whether a ustar name is what writers leave of the PAX or GNU ``name`` of the same member."""
    ascii_only = name.encode("ascii", "ignore").decode()
    if short == ascii_only[:100].rstrip("/"):
        # Go drops what is not ASCII, and what is left (`/x` of `é/x`) may be no name at all.
        return True
    member_parts(short, empty=True)
    # Python writes a question mark for each of those characters.
    return ascii_only.replace("?", "").startswith(short.replace("?", "")) or name.startswith(short)


def resolve(header: Header, extension: Extension) -> tuple[str, int]:
    """Return the name and size of a member; raises RefusedError where its headers disagree.

    The ustar name must be what writers leave of a long or non-ASCII one. The ustar size must
    equal the PAX size; it is 0 where it cannot hold it.
    """
    name, size = header.name, header.size
    if extension.path is not None:
        name = extension.path
        if header.name and not _agree(header.name.rstrip("/"), name):
            raise refused(name, "its headers give it different names")
    if extension.size is not None:
        beyond = extension.size > FIELD_SIZE_LIMIT and header.size == 0
        if extension.size != header.size and not beyond:
            raise refused(name, "its headers give it different sizes")
        size = extension.size
    return name, size


def kind_of(header: Header) -> str:
    """Return ``file``, ``directory``, ``pax``, ``global`` or ``long name``; else RefusedError."""
    if header.kind in _KINDS:
        return _KINDS[header.kind]
    what = _LINK_TYPES.get(header.kind) or _SPECIAL_TYPES.get(header.kind)
    raise refused(
        header.name,
        f"it is {what or 'of type ' + ascii(header.kind.decode('latin-1'))}; "
        "only files and directories are allowed",
    )
