"""Sending the body of an upload, piece by piece.

A server may answer before it has everything: it wants another login, or finds the body too large.
What it says then matters more than the rest of the body, so sending stops.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Iterable

Body = Callable[[], Iterable[memoryview]]
"""Makes the pieces of a body, again for every time that it is sent."""


def send_piece(line: socket.socket, piece: memoryview) -> None:
    """Send a piece; raises BrokenPipeError where the server does not want it any more."""
    # An encrypted line is readable for reasons of its own, such as a new session ticket.
    if not isinstance(line, ssl.SSLSocket) and is_readable(line):
        raise BrokenPipeError
    while piece:
        # Not sendall: its timeout is for the whole piece, which a slow line may need longer for.
        piece = piece[line.send(piece) :]


def is_readable(line: socket.socket) -> bool:
    """Whether something came that nobody read: an early answer, or the end."""
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(0))
