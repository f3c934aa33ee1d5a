"""What a file is, from its first bytes: never from its content being run or unpacked."""

from __future__ import annotations

START = 512
"""Bytes from the start of a file that tell its type."""

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"GGUF", "GGUF weights"),
    (b"PK\x03\x04", "zip archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 data"),
    (b"\x93NUMPY", "NumPy array"),
    (b"PAR1", "Parquet table"),
    (b"ARROW1", "Arrow table"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"%PDF-", "PDF document"),
    (b"\x7fELF", "ELF program or library"),
)


def is_text(data: bytes, *, cut: bool = False) -> bool:
    """Return whether some bytes are UTF-8 text; ``cut`` says that more follow them."""
    if b"\0" in data:
        return False
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Up to three bytes of a character may lie behind the cut.
        return cut and error.reason == "unexpected end of data" and len(data) - error.start < 4
    return True


def file_type(start: bytes, *, cut: bool = True) -> str:
    """Return what a file is that begins with ``start``; ``cut`` says that more follows."""
    for signature, name in _SIGNATURES:
        if start.startswith(signature):
            return name
    if start[8:9] == b"{" and 0 < int.from_bytes(start[:8], "little") < 2**32:
        return "safetensors weights"
    if start[257:262] == b"ustar":
        return "tar archive"
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle, which runs code when it is loaded"
    if not start:
        return "empty"
    return "text" if is_text(start, cut=cut) else "binary data"
