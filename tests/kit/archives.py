"""Archives written by hand, honest and hostile, and kits made of them."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rolldeck.kit.model import Compression, Form, Kit, KitKind, Layer
from rolldeck.oci import MANIFEST, Descriptor, Manifest, digest_of

END = bytes(1024)
POSIX = b"ustar\x0000"
GNU = b"ustar  \x00"


def header(
    name: str | bytes,
    size: int = 0,
    *,
    kind: bytes = b"0",
    mode: int | bytes = 0o644,
    size_field: bytes | None = None,
    uid: bytes = b"0001750\0",
    gid: bytes = b"0000000\0",
    magic: bytes = POSIX,
    prefix: bytes = b"",
    link: bytes = b"",
    checksum: bytes | None = None,
) -> bytes:
    """Return one header block with a right checksum, unless another is given."""
    raw = name.encode() if isinstance(name, str) else name
    block = b"".join(
        (
            raw[:100].ljust(100, b"\0"),
            mode if isinstance(mode, bytes) else b"%07o\0" % mode,
            uid,
            gid,
            size_field if size_field is not None else b"%011o\0" % size,
            b"%011o\0" % 0,
            b" " * 8,
            kind,
            link.ljust(100, b"\0"),
            magic,
            bytes(64),
            bytes(16),
            prefix.ljust(155, b"\0"),
            bytes(12),
        )
    )
    found = checksum if checksum is not None else b"%06o\0 " % sum(block)
    return block[:148] + found + block[156:]


def file(name: str | bytes, content: bytes = b"payload", **fields: Any) -> bytes:
    """Return a file's header and padded content."""
    return header(name, len(content), **fields) + padded(content)


def directory(name: str | bytes, mode: int = 0o755, **fields: Any) -> bytes:
    """Return a directory's header."""
    return header(name, kind=b"5", mode=mode, **fields)


def padded(content: bytes) -> bytes:
    """Return content filled up to whole blocks."""
    return content + bytes(-len(content) % 512)


def record(keyword: str, value: str | bytes) -> bytes:
    """Return one well-formed PAX record."""
    raw = value.encode() if isinstance(value, str) else value
    body = b" " + keyword.encode() + b"=" + raw + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return b"%d" % length + body


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    """Return a PAX header with these records."""
    return file("PaxHeaders.0/x", b"".join(records), kind=kind)


def long_name(name: str) -> bytes:
    """Return a GNU long name header."""
    return file("././@LongLink", name.encode() + b"\0", kind=b"L", magic=GNU)


@dataclass(frozen=True)
class Payload:
    """The stored bytes of one layer, and how its descriptor describes them."""

    stored: bytes
    path: str | None = None
    form: Form = "tar"
    compression: Compression = "none"
    base: str = ""
    mode: int = 0o644
    claimed: bytes | None = None
    media_type: str = "application/vnd.kitops.modelkit.code.v1.tar"


def kit_of(
    *payloads: Payload | bytes,
    kitfile: Mapping[str, Any] | None = None,
    kind: KitKind = "modelkit",
    annotations: Mapping[str, str] | None = None,
) -> tuple[Kit, Callable[[Descriptor], BinaryIO]]:
    """Return a kit of these layers, and what opens their blobs."""
    blobs: dict[str, bytes] = {}
    layers = []
    for item in payloads:
        payload = item if isinstance(item, Payload) else Payload(item)
        described = payload.stored if payload.claimed is None else payload.claimed
        blob = Descriptor(payload.media_type, digest_of(described), len(described))
        blobs[blob.digest] = payload.stored
        layers.append(
            Layer(
                blob,
                "code",
                payload.form,
                payload.compression,
                path=payload.path,
                base=payload.base,
                mode=payload.mode,
            )
        )
    manifest = Manifest(
        raw=b"{}",
        digest=digest_of(b"{}"),
        media_type=MANIFEST,
        artifact_type=None,
        config=None,
        layers=tuple(layer.blob for layer in layers),
        manifests=(),
        subject=None,
        annotations=annotations or {},
        document={},
    )
    kit = Kit(manifest, kind, tuple(layers), kitfile=kitfile)
    return kit, lambda descriptor: io.BytesIO(blobs[descriptor.digest])


def snapshot(root: Path) -> dict[str, tuple[Any, ...]]:
    """Return what lies under ``root``: type, mode, inode, times and content by path."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted(root.rglob("*")):
        status = os.lstat(path)
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
        target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
        is_dir = stat.S_ISDIR(status.st_mode)
        time = None if is_dir else status.st_mtime_ns
        found[str(path.relative_to(root))] = (status.st_mode, status.st_ino, time, content, target)
    return found
