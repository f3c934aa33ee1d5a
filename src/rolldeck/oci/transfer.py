"""Fetching one blob from a registry into a sink, tried again where that may help."""

from __future__ import annotations

from collections.abc import Callable

from rolldeck.errors import IntegrityError
from rolldeck.oci.call import Call
from rolldeck.oci.copy import copy_blob
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.model import Descriptor
from rolldeck.oci.one_file import OneFile
from rolldeck.oci.registry import FileSink, Sink, StreamSink
from rolldeck.oci.reply import Reply
from rolldeck.oci.resume import FileTransfer, check_length
from rolldeck.oci.transport import HttpTransport
from rolldeck.progress import Progress


def transfer_blob(
    transport: HttpTransport,
    call: Call,
    blob: Descriptor,
    sink: Sink,
    progress: Progress,
    interrupt: Interrupt,
) -> None:
    """Receive ``blob`` by ``call`` into ``sink``, verified. Blocks; called from a worker thread.

    A broken connection is tried again within the retry policy, wrong bytes once and from the
    first byte. Raises IntegrityError, CancelledError and the errors of the transport.
    """
    attempts = transport.attempts(interrupt, transport.retry.bulk, progress)

    def once() -> None:
        with transport.exchange(call, interrupt) as reply:
            check_length(transport, reply, blob.size, call.reference)
            with interrupt.commitment():
                copy_blob(_reader(reply, blob), blob, sink, progress)

    if isinstance(sink, FileSink):
        sink = OneFile(sink)
    if isinstance(sink, StreamSink):
        transfer = FileTransfer(transport, call, blob, sink, progress, interrupt)
        once = transfer.once
        transfer.on_progress = attempts.progressed
    try:
        attempts.run(once)
        return
    except IntegrityError as error:
        progress.note = f"{error.message}; trying once more"
        progress.tell(progress.note)
    try:
        attempts.run(once)
    except IntegrityError as error:
        raise damaged(error, call.reference) from None
    finally:
        progress.note = ""


def damaged(error: IntegrityError, reference: str) -> IntegrityError:
    """Return the error for bytes that are not what ``reference`` names."""
    return IntegrityError(
        f"{reference}: {error.message}",
        reference=reference,
        hint="The registry's copy is damaged or something in between changes it.",
    )


def _reader(reply: Reply, blob: Descriptor) -> Callable[[memoryview], int]:
    received = 0

    def readinto(buffer: memoryview) -> int:
        nonlocal received
        count = reply.readinto(buffer)
        received += count
        if count == 0 and received < blob.size:
            raise reply.truncated(received, blob.size)
        return count

    return readinto
