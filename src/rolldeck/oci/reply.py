"""One HTTP response whose body is read at most once, with a limit and a stall check."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Callable
from http.client import HTTPException
from types import TracebackType
from typing import Any, cast

from rolldeck.errors import IntegrityError, UnavailableError
from rolldeck.oci.address import Origin
from rolldeck.oci.content_encoding import Decoder
from rolldeck.oci.failures import connection_failure
from rolldeck.oci.headers import Headers
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.pool import Response
from rolldeck.oci.retry import Clocks, TransientFailure
from rolldeck.oci.splice import Pipe, receive
from rolldeck.text import clean_line

SLOWEST = 16 * 1024
"""Slower than this many bytes per second counts as stalled."""

_PIECE = 64 * 1024

_BROKEN = (OSError, HTTPException, ValueError, zlib.error)
"""What the standard library raises for a body that breaks off, or is not what it should be."""


class Reply:
    """Status, headers and unread body; a context manager that gives the connection back.

    ``origin`` is who answered, and ``redirected`` whether that was after a redirect.
    """

    def __init__(
        self,
        response: Response,
        origin: Origin,
        *,
        redirected: bool,
        reference: str,
        interrupt: Interrupt,
        clocks: Clocks,
        stall: float,
        patience: float,
    ) -> None:
        """``stall`` and ``patience`` are seconds: for a body that is slow, for its next byte."""
        self.status = response.raw.status
        self.headers = Headers(response.raw.headers)
        self.origin = origin
        self.redirected = redirected
        self._response = response
        self._raw = response.raw
        self._reference = reference
        self._interrupt = interrupt
        self._clocks = clocks
        self._stall = stall
        self._patience = patience

    def __enter__(self) -> Reply:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case; empty when there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def length(self) -> int | None:
        """The Content-Length in bytes; None when there is none that means anything."""
        text = self.headers.get("Content-Length", "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    @property
    def certificate(self) -> dict[str, Any] | None:
        """The certificate of who answered, as ``SSLSocket.getpeercert`` tells it; None without.

        Only before the body is read.
        """
        line = self._response.line
        return line.getpeercert() if isinstance(line, ssl.SSLSocket) else None

    def read(self, limit: int) -> bytes:
        """Read the whole body, undoing a Content-Encoding that nobody asked for.

        Raises IntegrityError beyond ``limit`` bytes and TransientFailure when it breaks or stalls.
        """
        body = bytearray()
        decoder = self._decoder()
        start = self._clocks.monotonic()
        while True:
            try:
                piece = self._raw.read1(_PIECE)
                body += decoder.decode(piece, limit + 1 - len(body))
            except _BROKEN as error:
                raise self._broken(error) from error
            self._interrupt.check()
            if not piece:
                if self._raw.length or (not body and limit and self._broke_off):
                    raise self._broken(ConnectionError())
                return bytes(body)
            if len(body) > limit:
                raise IntegrityError(
                    f"{self._reference}: the answer of {self.origin.authority} is larger than"
                    f" {limit} bytes",
                    reference=self._reference,
                    hint="The registry sends more than the specification allows.",
                )
            elapsed = self._clocks.monotonic() - start
            if elapsed > self._stall and len(body) < SLOWEST * elapsed:
                raise self._broken(TimeoutError())

    @property
    def _broke_off(self) -> bool:
        """Whether nothing said where the body ends: so ends an answer cut in its headers."""
        framed = {"content-length", "transfer-encoding"} & {name.lower() for name in self.headers}
        return self.status == 200 and not framed

    def read_start(self, limit: int) -> bytes:
        """Read at most ``limit`` bytes of a body that is only of interest as a message."""
        try:
            return self._decoder().decode(self._raw.read1(limit), limit)
        except _BROKEN:
            return b""

    def _decoder(self) -> Decoder:
        return Decoder(self.headers.get("Content-Encoding", ""))

    def readinto(self, buffer: memoryview) -> int:
        """Fill ``buffer`` with raw body bytes; 0 at the end.

        Raises TransientFailure when the connection breaks, CancelledError when interrupted.
        """
        try:
            count = self._raw.readinto(buffer)
        except _BROKEN as error:
            raise self._broken(error) from error
        if count == 0:
            self._interrupt.check()
        self._interrupt.received += count
        return count

    def spliceable(self) -> int | None:
        """The socket to splice the body from; None where it is encrypted or has no length."""
        raw = self._raw
        plain = self.origin.scheme == "http" and not raw.chunked and raw.length is not None
        return raw.fileno() if plain else None

    def take_buffered(self, buffer: memoryview) -> int:
        """Take what came with the headers: at most 8 KiB, with a wait only where nothing came.

        What follows is in the socket. Raises as ``readinto``.
        """
        try:
            ready = len(self._raw.fp.peek()) if buffer else 0
        except _BROKEN as error:
            raise self._broken(error) from error
        return self.readinto(buffer[:ready]) if ready else 0

    def splice(self, pipe: Pipe, source: int, most: int) -> int:
        """Move at most ``most`` bytes from the socket ``source`` to a pipe; 0 at the end.

        Raises as ``readinto``.
        """
        raw = self._raw
        try:
            count = pipe.take(source, min(most, cast(int, raw.length)), self._patience)
        except OSError as error:
            raise self._broken(error) from error
        return self._spliced(count)

    def _spliced(self, count: int) -> int:
        """Account for bytes that were taken from the socket behind the back of http.client."""
        if count == 0:
            self._interrupt.check()
        self._raw.length = cast(int, self._raw.length) - count
        self._interrupt.received += count
        return count

    def receive(self, source: int, buffer: memoryview) -> int:
        """Fill the start of ``buffer`` from the socket ``source``; 0 at the end.

        Raises as ``readinto``.
        """
        raw = self._raw
        try:
            count = receive(source, buffer[: cast(int, raw.length)], self._patience)
        except OSError as error:
            raise self._broken(error) from error
        return self._spliced(count)

    def fill(self, buffer: memoryview, give: Callable[[memoryview], None]) -> int:
        """Fill a buffer and give it away; where the body breaks off, give what came, then raise.

        Returns the number of bytes, 0 at the end. Raises as ``readinto``.
        """
        count = 0
        try:
            while count < len(buffer) and (found := self._take(buffer[count:])):
                count += found
        finally:
            if count:
                give(buffer[:count])
        return count

    def _take(self, buffer: memoryview) -> int:
        raw = self._raw
        try:
            if raw.chunked or raw.length is None:
                data = raw.read1(len(buffer))
                count = len(data)
                buffer[:count] = data
            else:
                # What http.client's readinto got before an error would be lost.
                count = raw.fp.readinto1(buffer[: raw.length])
                raw.length -= count
        except _BROKEN as error:
            raise self._broken(error) from error
        if count == 0:
            self._interrupt.check()
        self._interrupt.received += count
        return count

    def finish(self) -> None:
        """Let http.client notice that the whole body was taken; the connection can be reused."""
        self._raw.readinto(bytearray(0 if self._raw.length else 1))

    def wrong_range(self, told: str | None) -> TransientFailure:
        """Return the failure of an answer that is not the part that was asked for."""
        what = clean_line(told, 80) if told else self.status
        return TransientFailure(
            UnavailableError(
                f"{self._reference}: {self.origin.authority} did not send the rest: {what}",
                reference=self._reference,
                hint="The registry or something in between handles ranges wrongly; try again.",
            )
        )

    def truncated(self, got: int, size: int) -> TransientFailure:
        """Return the failure of a body that ended after ``got`` of ``size`` bytes."""
        return TransientFailure(
            UnavailableError(
                f"{self._reference}: {self.origin.authority} ended the connection after {got}"
                f" of {size} bytes",
                reference=self._reference,
                hint="Check the network and run the same command again.",
            )
        )

    def _broken(self, error: Exception) -> Exception:
        self._interrupt.check()
        known = error if isinstance(error, OSError) else HTTPException()
        return connection_failure(known, self.origin, self._reference)

    def close(self) -> None:
        """Give the connection back when the body was read, else close it."""
        self._interrupt.detach()
        self._response.close()
