"""Fetching one blob into files: a transfer that goes on where the last one ended.

One thread receives, another follows with the hash. What the sink holds already is hashed while
the rest arrives; where it turns out damaged, the transfer goes back to the last good prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rolldeck.errors import IntegrityError
from rolldeck.oci.call import Call
from rolldeck.oci.follow import DamagedPartError, Follower
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.model import Descriptor
from rolldeck.oci.ranges import is_rest, range_header
from rolldeck.oci.registry import StreamSink
from rolldeck.oci.reply import Reply
from rolldeck.oci.retry import TransientFailure
from rolldeck.oci.splice import Pipe, open_pipe
from rolldeck.oci.transport import HttpTransport
from rolldeck.progress import Progress

_CHUNK = 128 * 1024
"""Bytes per write: a file system makes larger ones slow while it looks for memory in one piece."""

_ROOM = 64 * 1024 * 1024
"""Bytes reserved at a time: for some file systems that takes as long as writing them."""

_PROGRESS = 1024 * 1024
"""Bytes after which a broken connection counts as the first failure again."""

_SPLICE_FROM = 64 * 1024
"""Fewer bytes than this for one file are quicker through a buffer, together with what follows."""

_RANGE_CHANCES = 2
"""Wrong answers to a Range, after which the whole blob is asked for."""


class FileTransfer:
    """The transfer of one blob into a sink that keeps its bytes; ``once`` is one try."""

    def __init__(
        self,
        transport: HttpTransport,
        call: Call,
        blob: Descriptor,
        sink: StreamSink,
        progress: Progress,
        interrupt: Interrupt,
    ) -> None:
        self._transport = transport
        self._call = call
        self._blob = blob
        self._sink = sink
        self._progress = progress
        self._interrupt = interrupt
        self._wrong_ranges = 0
        self._follower = Follower(blob, sink)
        self._received = 0
        self._room = 0
        self.on_progress: Callable[[], None] = lambda: None
        with interrupt.commitment():
            if sink.offset > blob.size:
                sink.rewind(0)
            self._follower.restart(sink.offset)
        self._received = sink.offset
        progress.skip(sink.offset)

    def once(self) -> None:
        """Fetch what is missing and verify the whole.

        Raises TransientFailure and the errors of the transport, after which the next try goes on;
        IntegrityError, after which it begins with the first byte.
        """
        while True:
            before = self._received
            try:
                if self._received < self._blob.size:
                    self._fetch_rest()
                else:
                    self._progress.state = "verifying"
                    with self._interrupt.commitment(), self._follower.running():
                        self._follower.finish(self._interrupt.check)
                return
            except DamagedPartError as damage:
                with self._interrupt.commitment():
                    self._sink.rewind(damage.good)
                self._follower.rewind()
                self._advance(damage.good - self._received)
            except TransientFailure:
                if self._received - before >= _PROGRESS:
                    self.on_progress()
                raise
            except IntegrityError:
                with self._interrupt.commitment():
                    self._begin_again()
                raise

    def _begin_again(self) -> None:
        self._sink.rewind(0)
        self._follower.restart(0)
        self._advance(-self._received)

    def _advance(self, count: int) -> None:
        self._received += count
        self._progress.advance(count)

    def _fetch_rest(self) -> None:
        start = self._received if self._wrong_ranges < _RANGE_CHANCES else 0
        if start:
            self._progress.resume()
        headers = {**self._call.headers, **range_header(start)}
        call = replace(self._call, headers=headers, allow=(*self._call.allow, 416))
        with self._transport.exchange(call, self._interrupt) as reply:
            partly = self._is_rest(reply, start)
            missing = self._blob.size - (start if partly else 0)
            check_length(self._transport, reply, missing, self._call.reference)
            self._progress.state = "receiving"
            with self._interrupt.commitment():
                if not partly and self._received:
                    self._begin_again()
                with self._follower.running():
                    self._receive(reply)
                    # The hash may take a while yet, and the connection is of use to others.
                    reply.close()
                    self._progress.state = "verifying"
                    self._follower.finish(self._interrupt.check)

    def _is_rest(self, reply: Reply, start: int) -> bool:
        """Whether the answer is the part asked for; False for the whole blob."""
        if reply.status == 200:
            return False
        content_range = reply.headers.get("Content-Range")
        if reply.status == 206 and start and is_rest(content_range, start, self._blob.size):
            return True
        self._wrong_ranges += 1
        raise reply.wrong_range(content_range)

    def _receive(self, reply: Reply) -> None:
        self._room = 0
        self._make_room()
        first = memoryview(bytearray(_CHUNK))
        source = reply.spliceable()
        if source is not None:
            # The reader of the headers holds the first bytes of the body already.
            self._write(first[: reply.take_buffered(first[: self._missing])])
            with open_pipe() as pipe:
                while self._missing:
                    self._receive_some(reply, pipe, source, first)
            reply.finish()
            return
        while self._missing:
            count = reply.fill(first[: min(_CHUNK, self._missing)], self._write)
            if count == 0:
                raise reply.truncated(self._received, self._blob.size)
        if reply.readinto(first[:1]):
            raise IntegrityError(
                f"More bytes than announced for {self._blob.digest}: over {self._blob.size}",
                reference=self._blob.digest,
            )

    def _receive_some(self, reply: Reply, pipe: Pipe, source: int, buffer: memoryview) -> None:
        """Move the next bytes from a socket: inside the kernel where they are many for one file."""
        target, room = self._sink.room()
        most = min(room, self._missing)
        if most >= _SPLICE_FROM:
            count = reply.splice(pipe, source, most)
            pipe.give(target, count)
            self._sink.appended(count)
            self._took(count)
        else:
            count = reply.receive(source, buffer[: self._missing])
            self._write(buffer[:count])
        if count == 0:
            raise reply.truncated(self._received, self._blob.size)

    @property
    def _missing(self) -> int:
        return self._blob.size - self._received

    def _make_room(self) -> None:
        if self._room <= 0 and self._missing:
            self._room = min(_ROOM, self._missing)
            self._sink.reserve(self._room)

    def _write(self, chunk: memoryview) -> None:
        self._sink.write(chunk)
        self._took(len(chunk))

    def _took(self, count: int) -> None:
        self._advance(count)
        self._room -= count
        self._make_room()
        self._follower.grow(count)
        self._progress.check()
        self._interrupt.check()


def check_length(transport: HttpTransport, reply: Reply, size: int, reference: str) -> None:
    """Raise IntegrityError where a reply announces another length than ``size`` bytes."""
    if reply.length is not None and reply.length != size:
        if "html" in reply.media_type:
            transport.refuse_web_page(reply.media_type, b"", reference)
        raise IntegrityError(
            f"{reference} should have {size} bytes here, the registry announces {reply.length}",
            reference=reference,
        )
