"""Pointers that Git LFS leaves where a large file was not fetched."""

from __future__ import annotations

from pathlib import Path

from rolldeck.fsops import storage

_START = b"version https://git-lfs.github.com/spec/"
_SIZES = range(100, 1025)


def is_lfs_pointer(path: Path, size: int) -> bool:
    """Whether a large file's name holds only a pointer; reads files of a pointer's size alone.

    Raises StorageError where it cannot be read.
    """
    if size not in _SIZES or not is_large_kind(path.name):
        return False
    with storage(path), path.open("rb") as file:
        return file.read(len(_START)) == _START


def is_large_kind(name: str) -> bool:
    """Whether a name is that of weights, archives or tables, which LFS is used for."""
    from rolldeck.kit.file_kinds import kind_of_name

    return kind_of_name(name) in ("weights", "data")
