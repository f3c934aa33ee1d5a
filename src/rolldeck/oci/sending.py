"""Sending the body of an upload, in pieces; from a file without reading it where that is possible.

A server may answer before it has everything: it wants another login, or finds the body too large.
What it says then matters more than the rest of the body, so sending stops.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import FileIO

PIECE = 1024 * 1024
"""Bytes sent at a time: smaller pieces cost throughput, larger ones delay a cancel."""


@dataclass(frozen=True, slots=True)
class FilePiece:
    """Bytes of an open file."""

    file: FileIO
    start: int
    size: int

    def __len__(self) -> int:
        return self.size


Piece = memoryview | FilePiece
"""A part of a body."""

Body = Callable[[], Iterable[Piece]]
"""Makes the pieces of a body, again for every time that it is sent."""


def send_piece(line: socket.socket, piece: Piece) -> None:
    """Send a piece; raises BrokenPipeError where the server does not want it any more."""
    # An encrypted line is readable for reasons of its own, such as a new session ticket.
    if not isinstance(line, ssl.SSLSocket) and _is_readable(line):
        raise BrokenPipeError
    if isinstance(piece, FilePiece):
        if line.sendfile(piece.file, piece.start, piece.size) != piece.size:
            raise BrokenPipeError
        return
    while piece:
        # Not sendall: its timeout is for the whole piece, which a slow line may need longer for.
        piece = piece[line.send(piece) :]


def _is_readable(line: socket.socket) -> bool:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(0))
