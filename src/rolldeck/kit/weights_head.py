"""The format of weights, told from the first bytes of the file, whatever its name says."""

from __future__ import annotations

from pathlib import Path

from rolldeck.fsops import storage

HEAD = 4096
"""Most bytes read of a file."""

LFS_POINTER = "Git LFS pointer"

_HEADER_LIMIT = 100_000_000
_MAGIC = (
    (b"version https://git-lfs.github.com/spec/", LFS_POINTER),
    (b"GGUF", "GGUF"),
    (b"lmgg", "GGML"),
    (b"fmgg", "GGML"),
    (b"tjgg", "GGML"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\x93NUMPY", "NumPy"),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", "PyTorch"),
)
_IN_ARCHIVE = (
    (b"data.pkl", "PyTorch"),
    (b"MAR-INF/", "TorchServe archive"),
    (b"schema.json", "skops"),
    (b"metadata.json", "Keras"),
    (b".npy", "NumPy"),
)


def read_head(path: Path) -> bytes:
    """Return the first 4 KiB of a file; raises StorageError where it cannot be read."""
    with storage(path), path.open("rb", buffering=0) as file:
        return file.read(HEAD)


def format_of_head(head: bytes, size: int) -> str | None:
    """Return the format that the first bytes of a file of ``size`` bytes show, None for none."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and 2 <= length <= min(size - 8, _HEADER_LIMIT):
        return "safetensors"
    if head.startswith(b"PK\x03\x04"):
        return next((name for mark, name in _IN_ARCHIVE if mark in head), None)
    if head[4:8] == b"TFL3":
        return "TensorFlow Lite"
    if len(head) > 1 and head[0] == 0x80 and head[1] in (2, 3, 4, 5):
        return "pickle"
    return None
