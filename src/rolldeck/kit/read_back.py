"""Reading a blob back while it is being received: from memory, from its files and its skeleton."""

from __future__ import annotations

import contextlib
import os
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from rolldeck import fsops
from rolldeck.window import Window

_RECENT = 64
"""Chunks with small files and headers kept in memory, so that hashing them opens no file."""


class Piece(NamedTuple):
    """The content of one file: where it begins in the blob, and after how much of the skeleton."""

    start: int
    skeleton: int
    size: int
    mode: int
    parts: tuple[str, ...]

    @property
    def end(self) -> int:
        """The first byte of the blob behind the content."""
        return self.start + self.size


class ReadBack:
    """Finds the bytes of a blob; one thread reads while another adds what comes next."""

    def __init__(self, skeleton: int, open_piece: Callable[[Piece], int]) -> None:
        """``skeleton`` is a descriptor; ``open_piece`` opens a file, which is closed here."""
        self._open_piece = open_piece
        self._reading: tuple[Piece, int, Window] | None = None
        self._between = Window(skeleton)
        self.forget()

    def forget(self) -> None:
        """Know of no file."""
        self._pieces: list[Piece] = []
        self._starts: list[int] = []
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=_RECENT)

    def add(self, piece: Piece) -> None:
        """Know of the file that comes next."""
        self._pieces.append(piece)
        self._starts.append(piece.start)

    def remember(self, position: int, chunk: memoryview) -> None:
        """Keep a chunk in memory until it was read, or others need its place."""
        self._recent.append((position, bytes(chunk)))

    def view(self, position: int, most: int) -> memoryview:
        """See at most ``most`` bytes from ``position`` on; valid until the next call."""
        return self._view_recent(position, most) or self._view_files(position, most)

    def _view_recent(self, position: int, most: int) -> memoryview:
        with contextlib.suppress(IndexError):
            while True:
                start, data = self._recent[0]
                if position < start:
                    break
                found = memoryview(data)[position - start : position - start + most]
                if found:
                    return found
                self._recent.popleft()
        return memoryview(b"")

    def _view_files(self, position: int, most: int) -> memoryview:
        number = bisect_right(self._starts, position) - 1
        piece = self._pieces[number] if number >= 0 else None
        if piece is not None and position < piece.end:
            most = min(most, piece.end - position)
            return self._window_on(piece).view(position - piece.start, most)
        skeleton = piece.skeleton + position - piece.end if piece else position
        following = self._starts[number + 1 : number + 2]
        most = min(most, following[0] - position) if following else most
        return self._between.view(skeleton, most)

    def _window_on(self, piece: Piece) -> Window:
        if self._reading is None or self._reading[0] is not piece:
            descriptor = self._open_piece(piece)
            self.close()
            self._reading = (piece, descriptor, Window(descriptor))
        return self._reading[2]

    def write_back(self, start: int, size: int) -> None:
        """Let the disk begin with these bytes of the file that is being read."""
        if self._reading is not None:
            piece, descriptor, _ = self._reading
            begin = max(0, start - piece.start)
            fsops.write_back(descriptor, begin, start + size - piece.start - begin)

    def close(self) -> None:
        """Close the file that is being read."""
        if self._reading is not None:
            self._reading[2].close()
            os.close(self._reading[1])
            self._reading = None
