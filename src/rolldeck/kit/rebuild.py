"""Rebuilding a layer's blob from its unpacked files and its skeleton.

Nobody but a digest can say whether the files are still what was unpacked. So whoever reads a
rebuilt blob hashes it, and uses nothing of it before the digest matched.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from rolldeck.errors import IntegrityError
from rolldeck.fsops import storage
from rolldeck.kit.skeleton import Content, Skeleton
from rolldeck.progress import Progress

_CHUNK = 1024 * 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class RebuiltBlob(io.RawIOBase):
    """The blob of one layer as a stream, made up of a skeleton and the files below ``root``.

    Reading raises IntegrityError, naming the file, where one is missing or has another size.
    """

    def __init__(self, root: Path, skeleton: Skeleton) -> None:
        super().__init__()
        self._place = root
        self._pieces: Iterator[bytes | Content] = skeleton.pieces()
        self._literal = memoryview(b"")
        self._content: Content | None = None
        self._remaining = 0
        self._file = self._root = -1
        with storage(root):
            self._root = os.open(root, _DIRECTORY)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill the start of ``buffer``; return the number of bytes, 0 at the end."""
        while True:
            if self._literal:
                count = min(len(buffer), len(self._literal))
                buffer[:count] = self._literal[:count]
                self._literal = self._literal[count:]
                return count
            if self._remaining:
                with storage(self._place):
                    count = os.readv(self._file, [memoryview(buffer)[: self._remaining]])
                if not count:
                    raise self._changed("became shorter")
                self._remaining -= count
                return count
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            if isinstance(piece, Content):
                self._enter(piece)
            else:
                self._literal = memoryview(piece)

    def skip(self, size: int) -> None:
        """Leave out the next ``size`` bytes; no file is opened that is skipped whole."""
        while size:
            if self._literal:
                count = min(size, len(self._literal))
                self._literal = self._literal[count:]
            elif self._remaining:
                count = min(size, self._remaining)
                os.lseek(self._file, count, os.SEEK_CUR)
                self._remaining -= count
            else:
                piece = next(self._pieces, None)
                if piece is None:
                    return
                count = 0
                if not isinstance(piece, Content):
                    self._literal = memoryview(piece)
                elif piece.size <= size:
                    count = piece.size
                else:
                    self._enter(piece)
            size -= count

    def _enter(self, content: Content) -> None:
        self._content = content
        self._close_file()
        self._file = self._open(content.parts)
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode):
            raise self._changed("is no file")
        if found.st_size != content.size:
            raise self._changed(f"has {found.st_size} bytes instead of {content.size}")
        os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        self._remaining = content.size

    def _open(self, parts: tuple[str, ...]) -> int:
        directory = os.dup(self._root)
        try:
            for part in parts[:-1]:
                below = os.open(part, _DIRECTORY, dir_fd=directory)
                os.close(directory)
                directory = below
            return os.open(parts[-1], _FILE, dir_fd=directory)
        except OSError as error:
            raise self._changed(os.strerror(error.errno or 0)) from error
        finally:
            os.close(directory)

    def _changed(self, problem: str) -> IntegrityError:
        path = self._content.path if self._content else ""
        return IntegrityError(f"{self._place}/{path}: {problem}", reference=str(self._place))

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def close(self) -> None:
        """Close the files."""
        self._close_file()
        if self._root >= 0:
            os.close(self._root)
            self._root = -1
        super().close()


def find_damage(root: Path, skeleton: Skeleton, progress: Progress) -> range | None:
    """Rebuild a blob only to hash it; return where it is not what it was, None if nowhere.

    A change is found between two known prefixes, since what comes after it cannot be told.
    Raises IntegrityError as ``RebuiltBlob``, CancelledError when asked to stop.
    """
    layer = skeleton.layer
    known = dict(skeleton.prefixes)
    running = hashlib.new(layer.digest.partition(":")[0])
    known[layer.size] = layer.digest.partition(":")[2]
    buffer = memoryview(bytearray(_CHUNK))
    good = position = 0
    with RebuiltBlob(root, skeleton) as blob:
        for mark in sorted(known):
            while position < mark and (count := blob.readinto(buffer[: mark - position])):
                progress.check()
                running.update(buffer[:count])
                progress.advance(count)
                position += count
            if position != mark or running.hexdigest() != known[mark]:
                return range(good, mark)
            good = mark
        return range(good, layer.size) if blob.readinto(buffer) else None


def changed_files(
    root: Path, skeleton: Skeleton, unsure: Mapping[str, bool], known: set[str], progress: Progress
) -> list[tuple[str, str]]:
    """Check files by their layer; return (path, problem) of what was changed.

    ``unsure`` are the files in question, and whether each was touched since it was unpacked;
    ``known`` are paths with problems of their own, which may explain that the layer differs.
    """
    try:
        damage = find_damage(root, skeleton, progress)
    except IntegrityError:
        # A file is missing or has another size: the others can only be judged by their stamps.
        damage = range(0, skeleton.layer.size)
    if damage is None:
        return []
    within = [
        piece.path
        for piece in skeleton.pieces()
        if isinstance(piece, Content)
        and piece.start < damage.stop
        and piece.start + piece.size > damage.start
    ]
    touched = [path for path, is_touched in unsure.items() if is_touched]
    if known.intersection(within):
        return [(path, "touched, and its layer cannot be checked") for path in touched]
    suspects = [path for path in within if path in unsure]
    suspects = [path for path in suspects if path in touched] or suspects
    if len(suspects) <= 1:
        return [(path, "content changed") for path in suspects or sorted(unsure)[:1]]
    return [(suspects[0], f"content changed here or in {', '.join(suspects[1:])}")]
