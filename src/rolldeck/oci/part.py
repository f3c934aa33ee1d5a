"""Fetching a part of a blob, and remembering where only whole blobs can be had."""

from __future__ import annotations

from dataclasses import replace

from rolldeck.oci.call import Call
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.model import Descriptor
from rolldeck.oci.ranges import is_part, part_header
from rolldeck.oci.registry import SMALL_BLOB, RangesIgnoredError
from rolldeck.oci.reply import Reply
from rolldeck.oci.resume import check_length
from rolldeck.oci.transport import HttpTransport

_CHUNK = 64 * 1024

_RANGE_CHANCES = 2
"""Wrong answers to a Range, after which the registry counts as one that has none."""


class PartReader:
    """Reads parts of one registry's blobs; thread-safe."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self._whole_only = False

    def read(
        self, call: Call, blob: Descriptor, start: int, size: int, interrupt: Interrupt
    ) -> bytes:
        """Return ``size`` bytes from byte ``start`` on; ``call`` asks for the whole blob.

        A registry that answers with the whole blob is read up to the bytes that are needed, once:
        afterwards only what begins with the first byte is asked of it. Raises RangesIgnoredError,
        IntegrityError where the answer cannot be that part, and the errors of the transport.
        """
        assert 0 <= start < start + size <= blob.size
        if self._whole_only and start:
            raise self._ignored(call)
        headers = {**call.headers, **part_header(start, size)}
        ranged = replace(call, headers=headers, allow=(*call.allow, 416))
        wrong = 0

        def once() -> bytes:
            nonlocal wrong
            with self._transport.exchange(ranged, interrupt) as reply:
                if reply.status == 200:
                    return self._from_whole(reply, call, blob, start, size)
                told = reply.headers.get("Content-Range")
                if reply.status != 206 or not is_part(told, start, size, blob.size):
                    wrong += 1
                    if wrong < _RANGE_CHANCES:
                        raise reply.wrong_range(told)
                    self._whole_only = True
                    raise self._ignored(call)
                check_length(self._transport, reply, size, call.reference)
                data = reply.read(size)
                if len(data) < size:
                    raise reply.truncated(len(data), size)
                return data

        return self._transport.attempts(interrupt).run(once)

    def _from_whole(
        self, reply: Reply, call: Call, blob: Descriptor, start: int, size: int
    ) -> bytes:
        """Take the part out of a whole blob; the rest of the body is left with its connection."""
        check_length(self._transport, reply, blob.size, call.reference)
        self._whole_only = True
        end = start + size
        if end > SMALL_BLOB:
            raise self._ignored(call)
        chunk, data = memoryview(bytearray(_CHUNK)), bytearray()
        while len(data) < end:
            count = reply.readinto(chunk[: min(_CHUNK, end - len(data))])
            if count == 0:
                raise reply.truncated(len(data), end)
            data += chunk[:count]
        return bytes(data[start:])

    def _ignored(self, call: Call) -> RangesIgnoredError:
        return RangesIgnoredError(
            f"{call.reference}: {self._transport.origin.authority} sends whole blobs only",
            reference=call.reference,
            hint="Pull the version; then every file of it can be read.",
        )
